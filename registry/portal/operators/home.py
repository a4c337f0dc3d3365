"""Where an operator begins: whether everything that answers need is there, and since when not."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from registry.accounts.identity import Caller
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.operators.room import OPERATORS, ROOM


@get(everywhere("/operator"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def home(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> Response[bytes]:
    """What ``/health/ready`` looks at, as a table, with what to do about each thing that is amiss."""
    state = await request.app.state.readiness.look()
    return ROOM.page(request, "home", here="home", name=caller.name, health=state)


ROUTES: Final = [home]
