"""Disputes: about a work that somebody else registered, or a charge that was wrong; each step is shown, then signed.

Without scripts the registry attests what the session asked for: opening one, objecting to one, and appealing, which
give nothing up. To agree, to take one's own back, or to accept a decision, takes a passkey.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.response import Redirect

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.authority import tightens_only
from licet.statements.disputes import (
    draft_acceptance,
    draft_answer,
    draft_appeal,
    draft_opening,
    draft_withdrawal,
)
from licet.statements.kinds import DisputeStep
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.disputes import service, stepping
from registry.disputes.subjects import hold_evidence, subject_of
from registry.errors import Conflict, Invalid, NotFound
from registry.http.paging import Asked, Cursor
from registry.portal.artists.disputing import dispute_page_of, form_page, names_of, sign_page
from registry.portal.artists.room import OWNERS, READERS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services

_BODY: Final = 1 << 16
_A_PAGE: Final = 30
_NOTES: Final = {
    "open": "dispute_opened",
    "answer": "dispute_answered",
    "withdraw": "dispute_withdrawn",
    "appeal": "dispute_appealed",
    "accept": "dispute_accepted",
}
About = Annotated[str | None, QueryParameter(name="about", max_length=40)]


@get(everywhere("/disputes"), include_in_schema=False, media_type=HTML, guards=[READERS])
async def disputes_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[Any]:
    """The disputes that one is a party to or audits, the newest first; operators are led to all of them."""
    if caller.kind == "opr":
        return Redirect(f"/{language_of(request)}/operator/disputes", status_code=303)
    asked = Asked.of(request, "-opened", _A_PAGE, cursor)
    async with services.database.acquire() as conn:
        page = await service.listed(conn, caller.account, asked)
        names = await names_of(conn, [name for each in page.items for name in (each.account, each.against)])
    return ROOM.page(
        request, "disputes", here="disputes" if caller.kind == "aud" else "account", disputes=page.items, names=names,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/disputes/new"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def new_dispute(request: Request[Any, Any, Any], about: About = None) -> Response[bytes]:
    """The form."""
    return form_page(request, Form([("subject", about or "")]))


@takes_form("/disputes/new", OWNERS, most=_BODY, kept=True)
async def draft_dispute(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """What would be signed, once it is sure that it could be; nothing is kept."""
    form = forms.read(request, body)
    me = await profile.me(services, caller)
    try:
        payload = draft_opening(
            registry=services.keys.ref,
            account=caller.id,
            genesis=me.genesis or "",
            subject=form.get("subject").strip(),
            text=form.words("text"),
            evidence=form.get("evidence").replace(",", " ").split(),
        )
        async with services.database.acquire() as conn:
            subject = await subject_of(conn, caller, payload, times.now())
            await hold_evidence(conn, payload)
            names = await names_of(conn, [subject.name])
    except (InputError, Invalid, NotFound, Conflict) as error:
        return form_page(request, form, error)
    return await sign_page(
        request, services, caller, payload, names[subject.name], f"/disputes/new?about={payload.subject}"
    )


@get(everywhere("/disputes/{dispute:str}"), include_in_schema=False, media_type=HTML, guards=[READERS])
async def dispute_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
) -> Response[Any]:
    """One dispute with everything that was said in it, and what one can do next: auditors read it."""
    if caller.kind == "opr":
        number = identifiers.from_uuid("dsp", _number(dispute))
        return Redirect(f"/{language_of(request)}/operator/disputes/{number}", status_code=303)
    found = await service.told(services, caller.account, _number(dispute))
    return await dispute_page_of(request, services, caller, found)


@takes_form("/disputes/{dispute:str}", OWNERS, most=_BODY, kept=True)
async def draft_step(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """The answer, the withdrawal, the appeal or the acceptance that would be signed."""
    form = forms.read(request, body)
    found = await service.told(services, caller.account, _number(dispute))
    async with services.database.acquire() as conn:
        opening = await service.opening_of(conn, await service.seen(conn, caller.account, _number(dispute)))
    if opening is None:
        raise NotFound("what opened the dispute was erased")
    me = await profile.me(services, caller)
    step = form.get("step")
    if step not in stepping.STEPS or (step == "accept" and found.dispute.decided is None):
        raise Invalid.field("step", " or ".join(stepping.STEPS), step)
    try:
        payload = _drafted(form, opening, found, caller.id, me.genesis or "")
        async with services.database.acquire() as conn:
            await hold_evidence(conn, payload)
    except (InputError, Invalid) as error:
        return await dispute_page_of(request, services, caller, found, form, error)
    return await sign_page(request, services, caller, payload, None, f"/disputes/{dispute}")


def _drafted(form: Form, opening: DisputeStep, found: service.Told, account: str, genesis: str) -> DisputeStep:
    """Return the document that a form asks for; raises ``InputError`` and ``Invalid`` naming the field."""
    document, text, position = found.dispute.document, form.words("text"), form.get("position")
    evidence = form.get("evidence").replace(",", " ").split()
    if form.get("step") == "withdraw":
        return draft_withdrawal(opening, document, text=text)
    if form.get("step") == "accept":
        outcome = found.dispute.decided
        assert outcome is not None  # the caller asked
        return draft_acceptance(opening, document, account=account, genesis=genesis, outcome=outcome, text=text)
    if form.get("step") == "appeal":
        return draft_appeal(opening, document, account=account, genesis=genesis, text=text, evidence=evidence)
    if position not in ("concede", "contest"):
        raise Invalid.field("position", "concede or contest", position)
    return draft_answer(
        opening,
        document,
        account=account,
        genesis=genesis,
        position="concede" if position == "concede" else "contest",
        text=text,
        evidence=evidence,
    )


@takes_form("/disputes/sign", OWNERS, most=_BODY, kept=True, seconds=120)
async def sign_step(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Take the step that was on screen, signed by a passkey, or attested where that may be; twice has one effect."""
    form = forms.read(request, body)
    payload = signing.read(form, DisputeStep)
    envelope = signing.envelope_of(form, "dispute-step")
    if not envelope.signatures:
        if not tightens_only(payload):
            back = f"/disputes/{payload.dispute}"
            return await sign_page(request, services, caller, payload, None, back, why="dispute_attested", status=403)
        envelope = await signing.attested(services, caller, envelope)
    if payload.step == "open":
        accepted = await service.open_dispute(services, caller, envelope)
    else:
        accepted = await stepping.take_step(services, caller, _number(payload.dispute), envelope)
    return led(f"/{language_of(request)}/disputes/{accepted.dispute.dispute}", _NOTES[payload.step])


def _number(dispute: str) -> UUID:
    return identifiers.to_uuid(dispute, "dsp", field="path:dispute")


ROUTES: Final = [disputes_page, new_dispute, draft_dispute, sign_step, dispute_page, draft_step]
