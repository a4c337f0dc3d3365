"""Where a stranger begins: people are led to the portal in their language, programs hear what is at this address."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

import registry
from registry.portal.frame.languages import preferred
from registry.services import Services


class Welcome(msgspec.Struct, frozen=True):
    """Addresses of this registry, relative to its own."""

    origin: str
    version: str
    description: str = "/openapi.json"
    registry: str = "/v1/registry"
    checkpoint: str = "/log/checkpoint"
    snapshot: str = "/snapshots/latest"
    ready: str = "/health/ready"


@get("/", operation_id="getWelcome", tags=["health"], opt={"answers": ("text/html",)}, sync_to_thread=False)
def welcome(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[Welcome]:
    """What is at this address: the registry's name and version, and where to go on.

    A browser, which asks for ``text/html`` by name, is led to the portal instead.
    """
    if "text/html" in request.headers.get("accept", ""):
        language = preferred(request.headers.get("accept-language"))
        led: Response[Any] = Redirect(f"/{language}", status_code=303, headers=_VARY)
        return led
    return Response(Welcome(services.settings.origin, registry.__version__), headers=_VARY)


_VARY: Final = {"Vary": "Accept, Accept-Language"}
ROUTES: Final = [welcome]
