"""Asking an artist for a licence: what for, with which model, at what price; shown whole, then signed by a passkey.

What may be asked is the API's to say, and it says so before anything is signed: whoever said no is not asked.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple, cast

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, RawBody

from licet import identifiers, times
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceRequest, Use
from licet.statements.kinds.agreements import MOST_TEXT, price_of
from licet.statements.requests import draft_request
from licet.terms import ATOMS, AUDIENCES, Price, price_text, read_price
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.agreements import queries
from registry.agreements import requests as asking
from registry.consent.shown import shown
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.licensing.offers import declared, request_of
from registry.portal.frame import forms, signing
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import OTHER, TAGS, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.places import places
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.room import CURRENCIES, ROOM, TEAMS
from registry.services import Services

_BODY: Final = 1 << 20
PRICES: Final = ("per-work", "per-training-run", "per-output")
_SCOPES: Final = ("one-version", "family")
_WEIGHTS: Final = {"": None, "yes": True, "no": False}
#: Fields of a use, as they are called in the form.
_NAMES: Final = {"uses": "use", "atoms": "use", "version": "model", "expires_at": "message"}
_FIELDS: Final = ("works", "use", "model", "purpose", "territory", "scope", "weights", "price", "currency", "message")
OfRequest = Annotated[str | None, QueryParameter(name="of", max_length=30)]
OfWork = Annotated[str | None, QueryParameter(name="work", max_length=30)]


class Wish(NamedTuple):
    """The form as it was filled in."""

    works: str = ""
    model: str = ""
    use: tuple[str, ...] = ("train-gen",)
    purpose: tuple[str, ...] = ("commercial",)
    territory: str = ""
    scope: str = _SCOPES[0]
    weights: str = ""
    price: str = ""  # what is paid for; empty: the artist names a price
    amount: str = ""
    currency: str = CURRENCIES[0]
    message: str = ""


@get(everywhere("/organisation/requests/new"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def new_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    work: OfWork = None,
    again: OfRequest = None,
) -> Response[bytes]:
    """The form, for a work that somebody came from, or with what an earlier request says."""
    if again is None:
        return _page(request, Wish(works=work or ""))
    found = await asking.shown(services, caller, identifiers.to_uuid(again, "ask", field="of"))
    if found.asked is None:
        return _page(request, Wish(works=" ".join(each.work for each in found.works)))
    return _page(request, _again(envelopes.read_as(LicenceRequest, found.asked.envelope)))


@takes_form("/organisation/requests/new", TEAMS, most=_BODY, kept=True)
async def see_request(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Show the request that the form makes; nothing is kept, and nobody is told."""
    said = _read(forms.read(request, body))
    try:
        payload = await _draft(services, caller, said)
        await asking.hold_askable(services, caller, payload)
    except InputError as error:
        return _page(request, said, field=str(error.details.get("field", "")), exactly=error.message)
    except Invalid as error:
        pointer = (
            error.errors[0].pointer.strip("/").partition("/")[0] if error.errors else error.detail.partition(":")[0]
        )
        return _page(request, said, field=pointer, exactly=error.detail)
    except Conflict as error:  # a work whose terms say no, or have a price already
        return _page(request, said, field="refused", exactly=error.detail, status=409)
    return await _shown(request, services, caller, payload)


@takes_form("/organisation/requests/ask", TEAMS, most=_BODY, kept=True, seconds=120, quota="licence-requests")
async def send_request(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Send the request that was on screen, signed by a passkey; sent twice, it is one request."""
    form = forms.read(request, body)
    payload, envelope = signing.read(form, LicenceRequest), signing.envelope_of(form, "licence-request")
    if not envelope.signatures:
        return await _shown(request, services, caller, payload, why="new_unsigned", status=403)
    done = await asking.ask(services, caller, envelope)
    return led(f"/{language_of(request)}/organisation/requests/{done.request.request}", "asked")


def _page(
    request: Request[Any, Any, Any],
    said: Wish,
    *,
    field: str | None = None,
    exactly: str | None = None,
    status: int = 400,
) -> Response[bytes]:
    """Return the form; ``field``: what of it is wrong, ``exactly``: how, in English."""
    name = None if field is None else _NAMES.get(field.partition(".")[0], field.partition(".")[0])
    wrong = None if name is None else f"wrong_ask_{name if name in (*_FIELDS, 'amount', 'refused') else 'works'}"
    return ROOM.page(
        request, "request_new", status=200 if wrong is None else status, here="licences", said=said, wrong=wrong,
        field=name, exactly=exactly, atoms=ATOMS, audiences=AUDIENCES, scopes=_SCOPES, prices=PRICES,
        currencies=CURRENCIES, most=MOST_TEXT,
    )  # fmt: skip


async def _shown(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    payload: LicenceRequest,
    *,
    why: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    language, numbers = language_of(request), [identifiers.to_uuid(each, "wrk") for each in payload.works]
    async with services.database.acquire() as conn:
        public = await shown(conn, numbers)
    return ROOM.page(
        request, "request_send", status=status, here="licences", said=payload, why=why,
        artist=next((each.artist for each in public.values()), None),
        costs=None if payload.price is None else price_text(price_of(payload.price), TAGS[language]),
        shown=await signing.signable(services, caller, payload, "licence-request"),
        other_url=f"/{OTHER[language]}/organisation/requests/new",
    )  # fmt: skip


def _read(form: Form) -> Wish:
    texts = {each: form.get(each).strip() for each in Wish._fields if each not in ("use", "purpose", "message")}
    return Wish(**texts, use=tuple(form.all("use")), purpose=tuple(form.all("purpose")), message=form.words("message"))


def _again(asked: LicenceRequest) -> Wish:
    """Return the form that asks for the same once more, with the price that was proposed where it can say it."""
    price, use = asked.price or {}, asked.use
    same = price.get("model") in PRICES and price.get("currency") in CURRENCIES
    return Wish(
        works=" ".join(asked.works), model=f"{use.model}@{use.version}", use=tuple(use.atoms),
        purpose=tuple(use.purpose), territory=", ".join(use.territory or ()), scope=use.model_scope,
        weights=next(name for name, each in _WEIGHTS.items() if each is use.open_weights),
        price=str(price["model"]) if same else "", amount=str(price.get("amount", "")) if same else "",
        currency=str(price["currency"]) if same else CURRENCIES[0], message=asked.message,
    )  # fmt: skip


async def _draft(services: Services, caller: Caller, said: Wish) -> LicenceRequest:
    """Return the request that ``said`` makes; raises ``InputError`` naming the field of the form."""
    names = list(dict.fromkeys(said.works.replace(",", " ").split()))
    works = [identifiers.to_uuid(each, "wrk", field="works") for each in names]
    if not works:
        raise InputError.field("works", "one or more works, such as wrk_…", "none")
    model, _, version = said.model.partition("@")
    if said.scope not in _SCOPES:
        raise InputError.field("scope", " or ".join(_SCOPES), said.scope)
    if said.weights not in _WEIGHTS:
        raise InputError.field("weights", "yes, no or neither", said.weights)
    use = Use(
        atoms=list(said.use), purpose=list(said.purpose), territory=places(said.territory, "territory") or None,
        model=model, version=version, model_scope=cast("Literal['one-version', 'family']", said.scope),
        open_weights=_WEIGHTS[said.weights],
    )  # fmt: skip
    use = declared(use, request_of(use, caller.id, times.now()))
    async with services.database.acquire() as conn:
        account = await _owner(conn, works)
    return draft_request(
        registry=services.keys.ref, organisation=caller.id, genesis=(await profile.me(services, caller)).genesis or "",
        account=account, works=names, use=use, price=_price(said), message=said.message,
    )  # fmt: skip


async def _owner(conn: Connection, works: list[Any]) -> str:
    """Return the one account that all of ``works`` are of; raises ``InputError``."""
    public = await shown(conn, works)
    owners = {each.account for each in public.values()}
    if len(public) != len(works) or len(owners) != 1:
        raise InputError.field("works", "published works of one artist", f"works of {len(owners)}")
    (owner,) = owners
    row = await conn.fetchrow(queries.ACCOUNT, owner)
    assert row is not None  # works are somebody's
    return identifiers.from_uuid(row["kind"], owner)


def _price(said: Wish) -> Price | None:
    if not said.price:
        return None
    if said.price not in PRICES:
        raise InputError.field("price", " or ".join(PRICES), said.price)
    if said.currency not in CURRENCIES:
        raise InputError.field("currency", " or ".join(CURRENCIES), said.currency)
    try:
        return read_price({"model": said.price, "amount": said.amount, "currency": said.currency})
    except InputError as error:
        raise InputError.field("amount", str(error.details.get("expected")), said.amount or "nothing") from None


ROUTES: Final = [new_page, see_request, send_request]
