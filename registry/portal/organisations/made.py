"""What a team made: its datasets, models and runs, also unlisted ones; and the snapshot that it decides from."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from licet import times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Snapshot
from registry.accounts.identity import Caller
from registry.http.paging import Asked, Cursor
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.register import shown
from registry.register.shown import Reader
from registry.services import Services
from registry.snapshots import publication


@get(everywhere("/organisation/datasets"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def datasets(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """Every version of the team's datasets, with what was found in it."""
    async with services.database.acquire() as conn:
        page = await shown.datasets(conn, Reader(caller.account), Asked.of(request, "-decided", A_PAGE, cursor))
    return ROOM.page(
        request, "datasets", here="datasets", tab="datasets", datasets=page.items,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/models"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def models(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """The team's models."""
    asked = Asked.of(request, "name", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await shown.models(conn, Reader(caller.account), asked)
        # In the same order and from the same place on: the public ones of this page are all among them.
        public = await shown.models(conn, Reader(), asked, organisation=caller.account)
    return ROOM.page(
        request, "models", here="datasets", tab="models", models=page.items,
        public={each.model for each in public.items},
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/runs"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def runs(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """The training runs that the team stated."""
    async with services.database.acquire() as conn:
        page = await shown.runs(conn, Reader(caller.account), Asked.of(request, "-accepted", A_PAGE, cursor))
    return ROOM.page(
        request, "runs", here="datasets", tab="runs", runs=page.items,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/snapshot"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def snapshot(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The newest snapshot: what its manifest says, its files with their sizes, and how all of it is verified."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await publication.latest(conn)
    if found is None:
        return ROOM.page(request, "snapshot", here="datasets", tab="snapshot", snapshot=None)
    published, digest = found
    manifest = envelopes.read_as(Snapshot, published.envelope)
    return ROOM.page(
        request,
        "snapshot",
        here="datasets",
        tab="snapshot",
        snapshot=manifest,
        digest=digest,
        receipt=published.receipt,
        old=times.now() >= times.from_text(manifest.expires_at),
        sizes={
            tier: sum(each.size for each in manifest.segments if each.tier == tier)
            for tier in sorted({each.tier for each in manifest.segments})
        },
    )


ROUTES: Final = [datasets, models, runs, snapshot]
