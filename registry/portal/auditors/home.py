"""Where an auditor begins: what may be looked into, the months with their evidence, and duties that are open."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from registry.accounts.identity import Caller
from registry.auditing import exploring
from registry.closing import reading
from registry.duties import shown
from registry.duties.routes import InState
from registry.http.paging import Asked, Cursor
from registry.portal.auditors.room import A_PAGE, AUDITORS, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.services import Services


@get(everywhere("/auditor"), include_in_schema=False, media_type=HTML, guards=[AUDITORS])
async def home(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """The auditor's scope, and each month with the evidence bundle of every part of it."""
    asked = Asked.of(request, "-period", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        scope = await exploring.scope(conn, caller)
        months = await reading.listed(conn, asked)
    return ROOM.page(
        request, "home", here="home", name=caller.name, scope=scope,
        months=[(month, [part for part in scope if _within(month.period, part)]) for month in months.items],
        more=following(request, months.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/auditor/duties"), include_in_schema=False, media_type=HTML, guards=[AUDITORS])
async def duties(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What organisations owe since licences were revoked, as far as the auditor may see it."""
    asked = Asked.of(request, "-revoked", A_PAGE, cursor)
    page = await shown.listed(services, caller, asked, in_state, None)
    return ROOM.page(
        request, "duties", here="duties", duties=page.items, state=in_state,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


def _within(period: str, part: exploring.Audited) -> bool:
    return (part.since is None or part.since <= period) and (part.until is None or period <= part.until)


ROUTES: Final = [home, duties]
