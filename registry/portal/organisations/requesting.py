"""Asking an artist for a licence: what for, with which model, at what price; shown whole, then signed by a passkey.

What may be asked is the API's to say, and it says so before anything is signed: whoever said no is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter, RawBody

from licet import identifiers
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceRequest
from licet.statements.kinds.agreements import MOST_TEXT, price_of
from licet.statements.requests import draft_request
from licet.terms import ATOMS, AUDIENCES, price_text
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.agreements import queries
from registry.agreements import requests as asking
from registry.consent.shown import shown
from registry.errors import Conflict, Invalid
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import OTHER, TAGS, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations import wishing
from registry.portal.organisations.room import CURRENCIES, ROOM, TEAMS
from registry.portal.organisations.wishing import Wish
from registry.services import Services

_BODY: Final = 1 << 20
#: The form's fields, as they stand in it; whatever else the API finds wrong is about the works.
_FIELDS: Final = (
    *("works", "model", "use", "purpose", "price", "amount", "currency", "territory", "scope", "weights", "message"),
)
OfRequest = Annotated[str | None, QueryParameter(name="of", max_length=30)]
OfWork = Annotated[str | None, QueryParameter(name="work", max_length=30)]


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
    return _page(request, wishing.again(envelopes.read_as(LicenceRequest, found.asked.envelope)))


@takes_form("/organisation/requests/new", TEAMS, most=_BODY, kept=True)
async def see_request(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Show the request that the form makes; nothing is kept, and nobody is told."""
    said = wishing.read(forms.read(request, body))
    wrong = wishing.faults(said, caller.id)
    try:
        account = "" if "works" in wrong else await _owner(services, said.names)
        if wrong:
            return _page(request, said, wrong)
        payload = await _draft(services, caller, said, account)
        await asking.hold_askable(services, caller, payload)
    except InputError as error:
        return _page(request, said, {**wrong, _field(str(error.details.get("field", ""))): error.message})
    except Invalid as error:
        field = error.errors[0].pointer.strip("/").partition("/")[0] if error.errors else error.detail.partition(":")[0]
        return _page(request, said, {_field(field): error.detail})
    except Conflict as error:  # a work whose terms say no, or have a price already
        return _page(request, said, {"works": error.detail}, refused=True, status=409)
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
    wrong: Mapping[str, str] | None = None,
    *,
    refused: bool = False,
    status: int = 400,
) -> Response[bytes]:
    """Return the form; ``wrong``: its fields with which something is, and what exactly, in English."""
    return ROOM.page(
        request, "request_new", status=status if wrong else 200, here="licences", said=said, wrong=wrong or {},
        refused=refused, atoms=ATOMS, audiences=AUDIENCES, scopes=wishing.SCOPES, prices=wishing.PRICES,
        currencies=CURRENCIES, most=MOST_TEXT,
    )  # fmt: skip


def _field(name: str) -> str:
    """Return what the form calls the field ``name`` of a request or its use."""
    first = name.partition(".")[0]
    known = {"uses": "use", "atoms": "use", "version": "model", "expires_at": "message"}.get(first, first)
    return known if known in _FIELDS else "works"


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


async def _draft(services: Services, caller: Caller, said: Wish, account: str) -> LicenceRequest:
    """Return the request that ``said``, which has no faults, makes of ``account``; raises ``InputError``."""
    me = await profile.me(services, caller)
    return draft_request(
        registry=services.keys.ref, organisation=caller.id, genesis=me.genesis or "", account=account,
        works=said.names, use=wishing.use_of(said, caller.id), price=wishing.price_of(said), message=said.message,
    )  # fmt: skip


async def _owner(services: Services, works: Sequence[str]) -> str:
    """Return the one account that all of ``works`` are of; raises ``InputError``."""
    async with services.database.acquire() as conn:
        public = await shown(conn, [identifiers.to_uuid(each, "wrk") for each in works])
        owners = {each.account for each in public.values()}
        if len(public) != len(works) or len(owners) != 1:
            raise InputError.field("works", "published works of one artist", f"works of {len(owners)}")
        (owner,) = owners
        row = await conn.fetchrow(queries.ACCOUNT, owner)
    assert row is not None  # works are somebody's
    return identifiers.from_uuid(row["kind"], owner)


ROUTES: Final = [new_page, see_request, send_request]
