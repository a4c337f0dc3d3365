"""Where a stranger begins: what is at this address, and where it is described."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency

import registry
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


@get("/", operation_id="getWelcome", tags=["health"], sync_to_thread=False)
def welcome(services: NamedDependency[Services]) -> Welcome:
    """What is at this address: the registry's name and version, and where to go on."""
    return Welcome(services.settings.origin, registry.__version__)


ROUTES: Final = [welcome]
