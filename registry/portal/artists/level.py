"""Claim levels in plain words, and the way to level 2: a domain of one's own, looked at when asked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.response import Redirect

from licet import identifiers
from registry.accounts.identity import Caller
from registry.accounts.levels import LEVELS
from registry.accounts.stepping import hold_fresh
from registry.claims import service as claims
from registry.errors import Conflict, Invalid, NotFound
from registry.http.paging import Asked
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services
from registry.settlement.escrow import RETURNS_AFTER

_BODY: Final = 1 << 14


@get(everywhere("/level"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def level(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """What the levels are, and the domains that the artist claims."""
    return await _page(request, services, caller)


@takes_form("/level/domains", ARTISTS, most=_BODY, quota="claims")
async def ask(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Claim a domain; what cannot be one is said beside the field, which keeps what was typed."""
    form = forms.read(request, body)
    hold_fresh(caller)
    domain = form.get("domain").strip()
    try:
        await claims.ask(services, caller, domain)
    except Invalid:
        return await _page(request, services, caller, domain=domain, wrong="wrong_domain", status=400)
    except Conflict:
        return await _page(request, services, caller, domain=domain, wrong="wrong_domain_full", status=409)
    return led(f"/{language_of(request)}/level", "domain_asked")


@takes_form("/level/check", ARTISTS, most=_BODY, quota="claims")
async def check(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Look at a domain now."""
    form = forms.read(request, body)
    found = await claims.check(services, caller, identifiers.to_uuid(form.get("claim"), "clm", field="claim"))
    return led(f"/{language_of(request)}/level", "domain_proven" if found.claim.state == "proven" else "domain_missed")


@takes_form("/level/drop", ARTISTS, most=_BODY)
async def drop(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Redirect:
    """Claim a domain no longer; sent twice, it is gone once."""
    form = forms.read(request, body)
    hold_fresh(caller)
    with suppress(NotFound):
        await claims.drop(services, caller, identifiers.to_uuid(form.get("claim"), "clm", field="claim"))
    return led(f"/{language_of(request)}/level", "domain_dropped")


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    domain: str = "",
    wrong: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    page = await claims.listed(services, caller, Asked("", "-asked", claims.MOST), None, None)
    return ROOM.page(
        request, "level", status=status, here="account", level=caller.level, levels=LEVELS, claims=page.items,
        days=RETURNS_AFTER.days, most=claims.MOST, domain=domain, wrong=wrong,
        fresh=signing.fresh_for(caller),
    )  # fmt: skip


ROUTES: Final = [level, ask, check, drop]
