"""What teams ask an artist for, and her answer: each request in plain words, then an offer or a refusal, then signed.

An offer takes a passkey. Who refuses, or takes an offer back, gives nothing up: without scripts the registry attests
what the session asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RawBody

from licet import identifiers
from licet.decisions import TRUSTED_LEVEL
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.authority import tightens_only
from licet.statements.kinds import LicenceAnswer, LicenceReply, LicenceRequest
from licet.statements.kinds.agreements import MOST_TEXT, price_of
from licet.statements.kinds.licences import Agreed
from licet.terms import UNPAID, Revocation
from licet.terms.wording import price_text
from licet.wire.agreements import RequestShown, RequestState
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.agreements import answers
from registry.agreements import requests as asking
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.http.paging import Asked, Cursor
from registry.portal.artists import offering
from registry.portal.artists.fields import CURRENCIES
from registry.portal.artists.offering import Offered
from registry.portal.artists.room import ARTISTS, OWNERS, ROOM
from registry.portal.artists.stated import ends, stated
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import OTHER, TAGS, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services

_A_PAGE: Final = 50
_SHOWN: Final = 100  # works of a request that its page names
_BODY: Final = 1 << 16
_NOTES: Final = {"offer": "offered", "refuse": "refused", "withdraw": "offer_withdrawn"}
#: Where there is something to refuse, or to take back.
_OPEN_TO: Final = {"refuse": ("open", "offered", "retracted"), "withdraw": ("offered",)}
InState = Annotated[RequestState | None, QueryParameter(name="state")]


@get(everywhere("/requests"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def requests_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What teams asked for: what waits for her answer first, then everything else, the newest first."""
    asked = Asked.of(request, "-asked", _A_PAGE, cursor)
    page = await asking.listed(services, caller, asked, in_state, None)
    found = [each for each in page.items if in_state is not None or each.state != "open"]
    waiting = None
    if in_state is None and cursor is None:
        waiting = await asking.listed(services, caller, Asked("", "-asked", _A_PAGE), "open", None)
    return ROOM.page(
        request, "requests", here="earnings", tab="requests", requests=found, state=in_state,
        waiting=waiting.items if waiting else [], more_waiting=waiting is not None and waiting.next is not None,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/requests/{ask:str}"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def request_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    ask: FromPath[str],
) -> Response[Any]:
    """One request: what would be done, with which pictures, what her terms say of it now, and what she answered.

    A team that is asked answers here too; one that asks has a page of its own.
    """
    found = await asking.shown(services, caller, _number(ask))
    if found.request.account != caller.id:
        return led(f"/{language_of(request)}/organisation/requests/{ask}")
    return await _page(request, services, caller, found)


@takes_form("/requests/{ask:str}", OWNERS, most=_BODY, kept=True)
async def draft_answer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    ask: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """The offer, the refusal, or what takes an offer back, that would be signed; nothing is kept."""
    form = forms.read(request, body)
    found = await asking.shown(services, caller, _number(ask))
    said = _read(found)
    if said is None:
        raise NotFound("what was asked for was erased, or is not in the published log yet")
    answer = form.get("answer")
    if found.request.account != caller.id:
        raise NotAllowed("expected the answer of the account that is asked")
    if answer not in ("offer", "refuse", "withdraw"):
        raise Invalid.field("answer", "offer, refuse or withdraw", answer)
    if not _open_to(found, answer):
        late = f"{ask} is {found.request.state}: expected a request that can still be answered so"
        return await _page(request, services, caller, found, late=late)
    genesis = (await profile.me(services, caller)).genesis or ""
    document, trusted = found.request.document, caller.level >= TRUSTED_LEVEL
    try:
        if answer == "offer":
            payload = offering.offer(offering.filled(form), said, document, genesis=genesis, trusted=trusted)
        else:
            payload = offering.without_price(answer, said, document, form.words("reason"), genesis=genesis)
    except InputError as error:
        return await _page(request, services, caller, found, form, error)
    return await _shown(request, services, caller, found, payload)


@takes_form("/requests/{ask:str}/answer", OWNERS, most=_BODY, kept=True, seconds=120)
async def give_answer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    ask: FromPath[str],
    body: RawBody,
) -> Response[Any]:
    """Take the answer that was on screen, by a passkey, or attested unless it offers; sent twice, it has one effect."""
    form = forms.read(request, body)
    payload = signing.read(form, LicenceAnswer)
    envelope = signing.envelope_of(form, "licence-answer")
    if not envelope.signatures:
        if not tightens_only(payload):
            found = await asking.shown(services, caller, _number(ask))
            return await _shown(request, services, caller, found, payload, why="offer_attested", status=403)
        envelope = await signing.attested(services, caller, envelope)
    try:
        await answers.answer(services, caller, _number(ask), envelope)
    except Conflict as error:  # it was taken back, or her offer accepted, while she read what she would sign
        now = await asking.shown(services, caller, _number(ask))
        return await _page(request, services, caller, now, late=error.detail)
    return led(f"/{language_of(request)}/requests/{ask}", _NOTES[payload.answer])


async def _shown(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    found: RequestShown,
    payload: LicenceAnswer,
    *,
    why: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    language, ask = language_of(request), found.request.request
    said, offered = _read(found), None
    if payload.revocation is not None:
        offered = Revocation(**payload.revocation)  # type: ignore[arg-type]  # as it was read
    agreed = Agreed(
        share_bps=None, minimum=None, cap=None, period=None, answer=None,
        notice_days=None if offered is None else offered.notice_days,
        effect=None if offered is None else offered.effect,
    )  # fmt: skip
    taken_back, runs = await ends(services, caller, found, said, agreed, TAGS[language])
    price = None if payload.price is None else price_of(payload.price)
    return ROOM.page(
        request, "request_sign", status=status, backs=taken_back, runs=runs,
        here=_place(caller), asked=found.request, answer=payload, price=price,
        costs=None if price is None else price_text(price, TAGS[language]),
        all_of_it=price.micro * found.request.works if price is not None and price.micro else None,
        kept=None if price is None or price.model in UNPAID else services.settings.fee_bps,
        shown=await signing.signable(services, caller, payload, "licence-answer"),
        uses=None if said is None else [f"use_{atom}" for atom in said.use.atoms],
        trusted=caller.level >= TRUSTED_LEVEL, attested=tightens_only(payload), why=why,
        other_url=f"/{OTHER[language]}/requests/{ask}",
    )  # fmt: skip


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    found: RequestShown,
    form: forms.Form | None = None,
    error: InputError | None = None,
    *,
    late: str | None = None,
) -> Response[bytes]:
    """Return the page of one request; ``late`` says, in English, what changed before an answer could count."""
    tag, trusted = TAGS[language_of(request)], caller.level >= TRUSTED_LEVEL
    said, answer = _read(found), None
    if found.answer is not None:
        answer = envelopes.read_as(LicenceAnswer, found.answer.envelope)
    reply = None if found.reply is None else envelopes.read_as(LicenceReply, found.reply.envelope)
    offers = form is not None and form.get("answer") == "offer"
    suggested = None if said is None else offering.proposed(said, trusted=trusted)
    return ROOM.page(
        request, "request", status=409 if late else 200 if error is None else 400, here=_place(caller), late=late,
        asked=found.request, said=said, answer=answer, reply=reply, works=found.works[:_SHOWN],
        **(await stated(services, caller, found, said, tag))._asdict(),
        proposes=None if said is None or said.price is None else price_text(price_of(said.price), tag),
        offers=None if answer is None or answer.price is None else price_text(price_of(answer.price), tag),
        can_offer=said is not None and _open_to(found, "offer"),
        can_refuse=said is not None and _open_to(found, "refuse"),
        models=([offering.PROPOSED] if suggested is not None else []) + offering.models(trusted=trusted),
        currencies=CURRENCIES, effects=offering.EFFECTS, most=MOST_TEXT, trusted=trusted,
        offer=_begun(said, form if offers else None, trusted=trusted),
        reason=form.get("reason") if form is not None and not offers else "", **_wrong(error),
    )  # fmt: skip


def _read(found: RequestShown) -> LicenceRequest | None:
    return None if found.asked is None else envelopes.read_as(LicenceRequest, found.asked.envelope)


def _open_to(found: RequestShown, answer: str) -> bool:
    """Whether the request can be answered so: with an offer while it waits, else while there is something to end."""
    if answer == "offer":
        return asking.answerable(found.request)
    return found.request.state in _OPEN_TO[answer]


def _begun(said: LicenceRequest | None, form: forms.Form | None, *, trusted: bool) -> Offered | None:
    if form is not None:
        return offering.filled(form)
    return None if said is None else offering.begun(said, trusted=trusted)


def _wrong(error: InputError | None) -> dict[str, str | None]:
    """Return the name of the words for what was wrong, which field it was, and exactly what, in English."""
    if error is None:
        return {"wrong": None, "field": None, "exactly": None}
    field = str(error.details.get("field", "")).partition(".")[0]
    return {"wrong": f"wrong_offer_{field}", "field": field, "exactly": error.message}


def _place(caller: Caller) -> str:
    """Return where in its own pages the caller finds requests."""
    return "earnings" if caller.kind == "art" else "licences"


def _number(ask: str) -> UUID:
    return identifiers.to_uuid(ask, "ask", field="path:ask")


ROUTES: Final = [requests_page, request_page, draft_answer, give_answer]
