"""Where people arrive: one sentence, one door, and a way to check a picture without an account; what all of it is."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from registry.portal.frame.languages import everywhere
from registry.portal.frame.matching import largest
from registry.portal.frame.pages import HTML, Room
from registry.portal.public.words import WORDS
from registry.services import Services

ROOM = Room("public", WORDS)


@get(everywhere(""), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def landing(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The first page."""
    return ROOM.page(request, "landing", size=largest(services))


@get(everywhere("/about"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def about(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """What Licet is, for whom, and what it cannot do."""
    return ROOM.page(request, "about", here="about", fee=services.settings.fee_bps)
