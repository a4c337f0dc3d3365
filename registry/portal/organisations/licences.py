"""Licences that a team holds: all of them, and one with its terms, prices, works and revocations."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from licet import identifiers
from registry.accounts.identity import Caller
from registry.duties import shown as duties
from registry.http.paging import Asked, Cursor
from registry.licensing import licences
from registry.portal.frame.backs import backs
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations import queries
from registry.portal.organisations.room import A_PAGE, MOST_WORKS, ROOM, TEAMS
from registry.services import Services

Active = Annotated[bool | None, QueryParameter(name="active")]


@get(everywhere("/organisation/licences"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def held(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    active: Active = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """The licences of the team, and those that others hold on works of its own."""
    asked = Asked.of(request, "-granted", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await licences.listed(conn, caller, asked, licences.Wanted(active=active))
    return ROOM.page(
        request, "licences", here="licences", licences=page.items, active=active, own=caller.id,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/licences/{licence:str}"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def licence(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    cursor: Cursor = None,
) -> Response[bytes]:
    """One licence, as far as the team may see it, with a page of its works."""
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    asked = Asked.of(request, "work", MOST_WORKS, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await licences.shown(conn, caller, number, asked, posted=True)
        taken_back = await backs(conn, found.grounds, found.signed.use.atoms)
        paid = {identifiers.to_uuid(each.account): each.account for each in found.posted}
        named = await conn.fetch(queries.LICENSORS, caller.account, number, list(paid))
    revoked = await duties.listed(services, caller, Asked("", "revoked", A_PAGE), None, number)
    return ROOM.page(
        request, "licence", here="licences", number=licence, licence=found, lines=found.lines.items, own=caller.id,
        duties=revoked.items, backs=taken_back, artists={paid[row["id"]]: row["name"] for row in named},
        more=following(request, found.lines.next), start=request.url.path if cursor else None,
    )  # fmt: skip


ROUTES: Final = [held, licence]
