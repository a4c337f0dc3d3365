"""Licences that a team holds: all of them, and one with its terms, prices, works and revocations."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence, LicenceLine
from registry.accounts.identity import Caller
from registry.duties import shown as duties
from registry.http.paging import Asked, Cursor
from registry.licensing import licences
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations.room import A_PAGE, MOST_WORKS, ROOM, TEAMS
from registry.services import Services

Active = Annotated[bool | None, QueryParameter(name="active")]


class Tariff(NamedTuple):
    """What works of a licence cost that cost the same: an int counts micro-units."""

    use: str
    model: str
    currency: str | None
    amount: int


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
) -> Response[bytes]:
    """One licence, as far as the team may see it."""
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    found = await licences.granted(services, caller, number)
    revoked = await duties.listed(services, caller, Asked("", "revoked", A_PAGE), None, number)
    return ROOM.page(
        request,
        "licence",
        here="licences",
        licence=found,
        signed=envelopes.read_as(Licence, found.envelope),
        own=caller.id,
        tariffs=tariffs(found.lines),
        lines=found.lines[:MOST_WORKS],
        duties=revoked.items,
    )


def tariffs(lines: list[LicenceLine]) -> list[tuple[Tariff, int]]:
    """Return the prices of a licence, the most frequent first, each with how many works have it."""
    return Counter(Tariff(each.atom, each.model, each.currency, each.amount) for each in lines).most_common()


ROUTES: Final = [held, licence]
