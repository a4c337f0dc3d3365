"""Where an operator begins: whether everything that answers need is there, since when not, which disputes
wait, and what closes left out."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from licet import times
from registry.accounts.identity import Caller
from registry.agreements.left_out import left_out
from registry.disputes.service import waiting_for_office
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.operators.room import OPERATORS, ROOM
from registry.services import Services


@get(everywhere("/operator"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def home(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """What ``/health/ready`` looks at, as a table, with what to do about each thing that is amiss."""
    state = await request.app.state.readiness.look()
    left = await left_out(services.database) if state.agreements_left_out else []
    async with services.database.acquire() as conn:
        waiting = await waiting_for_office(conn, caller.account, times.now())
    return ROOM.page(request, "home", here="home", name=caller.name, health=state, left_out=left, waiting=waiting)


ROUTES: Final = [home]
