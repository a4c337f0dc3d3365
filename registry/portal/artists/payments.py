"""Where an artist is paid, said after a touch of the passkey; and what was paid, line by line."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers
from licet.errors import InputError
from licet.wire.settlement import PayoutSet
from registry.accounts.identity import Caller
from registry.accounts.stepping import hold_for_good
from registry.errors import Invalid
from registry.http.paging import Asked, Cursor
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.services import Services
from registry.settlement import remitting
from registry.settlement.escrow import RETURNS_AFTER

_A_PAGE: Final = 50
_BODY: Final = 1 << 14
_FIELDS: Final = ("name", "iban", "country")


@get(everywhere("/earnings/payments"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def payments(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """Where the artist is paid, and every payment to her."""
    return await _page(request, services, caller, cursor=cursor)


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


@post(
    everywhere("/earnings/payout"),
    include_in_schema=False,
    media_type=HTML,
    guards=[ARTISTS],
    opt=forms.FORM,
    request_max_body_size=_BODY,
)
async def set_payout(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Say where to pay; what is wrong is said beside its field, which keeps what was typed."""
    form = forms.read(request, body)
    await hold_for_good(services, caller, "payout")
    given = {name: form.get(name).strip() for name in _FIELDS}
    given["country"] = given["country"].upper()
    try:
        await remitting.set_payout(services, caller, PayoutSet(**given))
    except (InputError, Invalid) as error:
        field = next((name for name in _FIELDS if str(error).startswith(f"{name}:")), None)
        if field is None:
            raise
        return await _page(request, services, caller, given=given, wrong=field, status=400)
    return led(f"/{language_of(request)}/earnings/payments", "payout")


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    cursor: str | None = None,
    given: dict[str, str] | None = None,
    wrong: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    asked = Asked.of(request, "-prepared", _A_PAGE, cursor)
    now = (await remitting.payout_of(services, caller)).payout
    async with services.database.acquire() as conn:
        page = await remitting.listed(conn, caller.account, asked)
    settings = services.settings
    return ROOM.page(
        request, "payments", status=status, here="earnings", tab="payments", payout=now, payments=page.items,
        escrow_days=RETURNS_AFTER.days, fresh=signing.fresh_for(caller),
        given=given or dict.fromkeys(_FIELDS, ""), wrong=wrong, trusted=caller.level >= 2,
        change_days=settings.payout_change_hold.days, hold_days=settings.payout_hold.days,
        least=[(each.currency, each.micro) for each in settings.payout_minimum],
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


ROUTES: Final = [payments, payment, set_payout]
