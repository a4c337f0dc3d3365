"""Taking a request back, and declining what an artist offered: shown whole, then signed, also without scripts.

Both give nothing up, so where no passkey can sign, the registry attests what the session asked for.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.kinds import LicenceReply, LicenceRequest
from licet.statements.requests import draft_decline, draft_withdrawal
from licet.wire.agreements import RequestShown
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.agreements import replies
from registry.agreements import requests as asking
from registry.errors import Conflict, Invalid, NotAllowed
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import OTHER
from registry.portal.frame.notes import led
from registry.portal.frame.pages import language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.asking import page
from registry.portal.organisations.room import ROOM, TEAMS
from registry.services import Services

_BODY: Final = 1 << 16
_NOTES: Final = {"withdraw": "request_withdrawn", "decline": "declined"}


@takes_form("/organisation/requests/{asked:str}/reply", TEAMS, most=_BODY, kept=True)
async def see_reply(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    asked: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """Show what would be signed; nothing is kept, and nobody is told."""
    form = forms.read(request, body)
    found = await _own(services, caller, asked)
    said = None if found.asked is None else envelopes.read_as(LicenceRequest, found.asked.envelope)
    if said is None:
        raise Conflict(f"{asked}: expected a request that is in the published log, got one that is not, or was erased")
    if form.get("reply") not in _NOTES:
        raise Invalid.field("reply", " or ".join(_NOTES), form.get("reply"))
    document, words = found.request.document, form.words("message")
    genesis = (await profile.me(services, caller)).genesis or ""
    try:
        if form.get("reply") == "withdraw":
            if found.request.state == "offered" or not asking.answerable(found.request):
                raise Conflict(f"{asked} is {found.request.state}: expected one that nobody has answered or ended")
            payload = draft_withdrawal(said, document, genesis=genesis, message=words)
        else:
            if found.request.state != "offered" or found.answer is None:
                raise Conflict(f"{asked} is {found.request.state}: expected one with an offer that stands")
            offer = found.answer.envelope.payload_digest
            payload = draft_decline(said, document, offer, genesis=genesis, message=words)
    except InputError as error:
        return await page(
            request, services, found, caller, form=form, why="reply_wrong", exactly=error.message, status=400
        )
    except Conflict as error:
        return await page(request, services, found, caller, why="reply_late", exactly=error.detail, status=409)
    return ROOM.page(
        request, "request_reply", here="licences", ask=found.request, said=payload,
        shown=await signing.signable(services, caller, payload, "licence-reply"),
        other_url=f"/{OTHER[language_of(request)]}/organisation/requests/{asked}",
    )  # fmt: skip


@takes_form("/organisation/requests/{asked:str}/replied", TEAMS, most=_BODY, kept=True, seconds=120)
async def send_reply(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    asked: FromPath[str],
    body: RawBody,
) -> Response[Any]:
    """Take the reply that was on screen, signed by a passkey or attested; sent twice, it has one effect."""
    form = forms.read(request, body)
    found = await _own(services, caller, asked)
    payload, envelope = signing.read(form, LicenceReply), signing.envelope_of(form, "licence-reply")
    if not envelope.signatures:
        envelope = await signing.attested(services, caller, envelope)
    try:
        await replies.reply(services, caller, identifiers.to_uuid(asked, "ask", field="path:asked"), envelope)
    except Conflict as error:  # the artist has answered meanwhile, or somebody of the team was faster
        now = await _own(services, caller, asked)
        return await page(request, services, now, caller, why="reply_late", exactly=error.detail, status=409)
    return led(f"/{language_of(request)}/organisation/requests/{found.request.request}", _NOTES[payload.reply])


async def _own(services: Services, caller: Caller, asked: str) -> RequestShown:
    found = await asking.shown(services, caller, identifiers.to_uuid(asked, "ask", field="path:asked"))
    if found.request.organisation != caller.id:
        raise NotAllowed("expected the reply of the organisation that asks")
    return found


ROUTES: Final = [see_reply, send_reply]
