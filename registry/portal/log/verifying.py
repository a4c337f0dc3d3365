"""How to check the registry without trusting it: here in the browser, and with programs that are somebody else's."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency

from licet.log.entry import KINDS
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.log.room import ROOM, checked
from registry.services import Services


@get(everywhere("/verify"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def verify_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """A form that checks what somebody holds, and commands that check everything."""
    return ROOM.page(
        request,
        "verify",
        here="verify",
        kinds=sorted(KINDS),
        url=services.settings.url,
        vkey=services.keys.log_keys.vkey,
        **checked(services),
    )


ROUTES: Final = [verify_page]
