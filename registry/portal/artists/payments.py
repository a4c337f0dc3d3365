"""Where an artist is paid, said after a touch of the passkey; and what was paid, line by line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Final

from babel.numbers import get_territory_currencies
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RawBody
from text_unidecode import unidecode

from licet import identifiers
from licet.errors import InputError
from licet.money import Money
from licet.terms.countries import COUNTRIES
from licet.wire.settlement import LocalAccount, PayoutSet
from registry.accounts.identity import Caller
from registry.accounts.stepping import hold_for_good
from registry.errors import Invalid
from registry.http.paging import Asked, Cursor
from registry.portal.artists.earning_words import READ
from registry.portal.artists.fields import CURRENCIES
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import Language, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.frame.words import Words
from registry.services import Services
from registry.settlement import remitting
from registry.settlement.clearing import SYSTEMS
from registry.settlement.escrow import RETURNS_AFTER
from registry.settlement.payees import examined
from registry.settlement.references import has_ibans
from registry.usage import money

_A_PAGE: Final = 50
_BODY: Final = 1 << 14
#: What a form of a bank with IBANs asks, and of one without.
_WITH: Final = ("name", "iban", "country")
_WITHOUT: Final = ("name", "account", "bic", "clearing", "country")
#: Where most artists of a language have their bank, until one says otherwise.
_HOME: Final = {"zh": "CN"}
Bank = Annotated[str | None, QueryParameter(pattern="^[A-Z]{2}$", description="The country of the bank.")]


@get(everywhere("/earnings/payments"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def payments(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
    bank: Bank = None,
) -> Response[bytes]:
    """Where the artist is paid, and every payment to her; the form asks what accounts in ``bank`` have."""
    if bank is not None and bank not in COUNTRIES:
        raise Invalid.field("?bank", "an ISO 3166 code such as CN", bank)
    return await _page(request, services, caller, bank, cursor=cursor)


@get(everywhere("/earnings/payments/{remittance:str}"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def payment(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    remittance: FromPath[str],
    cursor: Cursor = None,
) -> Response[bytes]:
    """One payment, with the lines of the ledger that it paid."""
    number = identifiers.to_uuid(remittance, "rem", field="path:remittance")
    asked = Asked.of(request, "at", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await remitting.shown(conn, caller.account, number)
        lines = await remitting.lines(conn, caller.account, number, asked)
    return ROOM.page(
        request, "payment", here="earnings", payment=found, lines=lines.items,
        more=following(request, lines.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@takes_form("/earnings/payments", ARTISTS, most=_BODY)
async def set_payout(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
    bank: Bank = None,
) -> Response[Any]:
    """Say where in ``bank`` to pay; all that is wrong is said beside its fields, which keep what was typed.

    It is taken where the page is: asked for again, that address has the form and nothing was done.
    """
    form = forms.read(request, body)
    await hold_for_good(services, caller, "payout")
    if bank not in COUNTRIES:
        raise Invalid.field("?bank", "an ISO 3166 code such as CN", bank)
    fields = _WITH if has_ibans(bank) else _WITHOUT
    given = {name: form.get(name).strip() for name in fields}
    wanted = _wanted(bank, given)
    try:
        await remitting.set_payout(services, caller, wanted)
    except InputError:
        wrong = {_field_of(fault) for fault in examined(wanted)[1]}
        if not wrong or not wrong <= set(fields):
            raise
        return await _page(request, services, caller, bank, given=given, wrong=wrong, status=400)
    return led(f"/{language_of(request)}/earnings/payments", "payout")


def _field_of(fault: InputError) -> str:
    field = str(fault.details.get("field", "")).removeprefix("account.")
    return "account" if field == "number" else field


def _wanted(bank: str, given: dict[str, str]) -> PayoutSet:
    name, country = given["name"], given["country"]
    if has_ibans(bank):
        return PayoutSet(name, country, given["iban"])
    local = LocalAccount(bank, given["account"], given["bic"] or None, given["clearing"] or None)
    return PayoutSet(name, country, account=local)


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    bank: str | None,
    *,
    cursor: str | None = None,
    given: dict[str, str] | None = None,
    wrong: Collection[str] = (),
    status: int = 200,
) -> Response[bytes]:
    asked = Asked.of(request, "-prepared", _A_PAGE, cursor)
    now = (await remitting.payout_of(services, caller)).payout
    async with services.database.acquire() as conn:
        page = await remitting.listed(conn, caller.account, asked)
        owed = {line.currency for line in (await money.balance(conn, caller)).lines}
    settings = services.settings
    bank = bank or (now.bank if now else _HOME.get(language_of(request)))
    system, language = SYSTEMS.get(bank or ""), language_of(request)
    return ROOM.page(
        request, "payments", status=status, here="earnings", tab="payments", payout=now, payments=page.items,
        escrow_days=RETURNS_AFTER.days, fresh=signing.fresh_for(caller), bank=bank, places=_places(language),
        fields=() if bank is None else _WITH if has_ibans(bank) else _WITHOUT, wrong=wrong,
        system=system, optional=None if system is None else "bic" if system.alone else "clearing",
        given=given or dict.fromkeys(_WITH + _WITHOUT, "") | {"country": bank or ""}, trusted=caller.level >= 2,
        change_days=_days(settings.payout_change_hold), hold_days=_days(settings.payout_hold),
        least=_least(language, settings.payout_minimum, owed, bank),
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


def _days(hold: timedelta) -> int:
    """Return how many days have passed for sure once ``hold`` is over: a part of one counts as one."""
    return -(-hold // timedelta(days=1))


def _least(language: Language, minimum: Sequence[Money], owed: set[str], bank: str | None) -> str:
    """Say what is the least that is paid: of what she is owed and what her bank counts in, else of what is common."""
    w = ROOM.speaks(language)
    asked = {*owed, *(get_territory_currencies(bank)[:1] if bank else ())}
    found = [each for each in minimum if each.currency in asked] or [
        each for each in minimum if each.currency in CURRENCIES
    ]
    return w("payout_or").join(w.money(each.micro, each.currency) for each in found)


@cache
def _places(language: Language) -> list[tuple[str, str]]:
    """Every country, as the language orders them: Chinese by how it is read."""
    names = Words(language)
    found = [(each, names.place(each)) for each in COUNTRIES]
    return sorted(found, key=lambda place: unidecode(place[1].translate(READ)).lower())


ROUTES: Final = [payments, payment, set_payout]
