"""Pages of organisations: where one begins who signs in for a team."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from registry.accounts.identity import Caller
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, Room
from registry.portal.frame.people import people
from registry.portal.organisations.words import WORDS

ROOM: Final = Room("organisations", WORDS)


@get(
    everywhere("/organisation"), include_in_schema=False, media_type=HTML, guards=[people("org")], sync_to_thread=False
)
def home(request: Request[Any, Any, Any], caller: NamedDependency[Caller]) -> Response[bytes]:
    """Where an organisation's people begin."""
    return ROOM.page(request, "home", here="home", name=caller.name)


ROUTES: Final[list[Any]] = [home]
