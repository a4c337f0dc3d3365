"""Signing: the bytes that the page showed come back with the passkey's signature, or without one.

Without one (scripts are off) the registry attests what the session asked for, which may only tighten. A form sent
twice carries the same statement, so it has one effect and leads to the same receipt.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.response import Response

from licet import identifiers
from licet.errors import LicetError
from licet.wire.works import StatementSubmit
from registry.accounts.identity import Caller
from registry.accounts.stepping import StepUpRequired, hold_fresh
from registry.consent import service
from registry.errors import Conflict, Invalid, NotAllowed
from registry.portal.artists import terms
from registry.portal.artists.choosing import chosen, names_of
from registry.portal.artists.room import ARTISTS
from registry.portal.frame import forms
from registry.portal.frame.notes import led
from registry.portal.frame.pages import language_of
from registry.portal.frame.signing import envelope_of
from registry.portal.frame.taking import takes_form
from registry.services import Services


@takes_form("/terms/sign", ARTISTS, most=terms.BODY, kept=True, seconds=300)
async def sign(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Take the statement that was on screen; where it is not what the form says now, show what it would be."""
    form = forms.read(request, body)
    consent = terms.consent_in(form.get("payload"))
    async with services.database.acquire() as conn:
        choice = await chosen(conn, caller.account, form)
        works = await names_of(conn, caller.account, choice)
    if works and choice.card != "keep" and (choice.wrong or choice.terms.hash != consent.terms_hash):
        return await terms.page(request, services, caller, form, why="again_changed", status=409)
    envelope = envelope_of(form, "consent")
    submitted = StatementSubmit(envelope, [identifiers.from_uuid("wrk", each) for each in works])
    try:
        if envelope.signatures:
            accepted = await service.submit(services, caller, submitted)
        else:
            hold_fresh(caller)
            accepted = await service.attest(services, caller, submitted)
    except Conflict:
        return await terms.page(request, services, caller, form, why="again_first", status=409)
    except StepUpRequired:
        raise
    except (Invalid, LicetError, NotAllowed):
        if envelope.signatures or consent.effect == "tighten":
            raise
        return await terms.page(request, services, caller, form, why="again_attested", status=403)
    return led(f"/{language_of(request)}/statements/{accepted.statement}", "signed")


ROUTES: Final = [sign]
