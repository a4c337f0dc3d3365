"""What a team made: its datasets and models, also those that the public register does not list."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from registry.accounts.identity import Caller
from registry.http.paging import Asked, Cursor
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.register import shown
from registry.register.shown import Reader
from registry.services import Services


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


ROUTES: Final = [datasets, models]
