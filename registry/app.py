"""The service as one ASGI application: routes of every domain, one form of errors, one way to repeat a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.events import BaseEventEmitterBackend

from registry import consent, snapshots
from registry.accounts import identity
from registry.accounts.idempotency import Idempotency
from registry.health import ROUTES as HEALTH
from registry.observing import Meters, Observed
from registry.openapi import ROUTES as DESCRIPTION
from registry.problems import EXCEPTION_HANDLERS, send_request_id
from registry.services import Services, started
from registry.settings import Settings

DOMAINS: Final = ("translog", "accounts", "works", "consent", "snapshots", "licensing", "usage", "auditing")
BODY_LIMIT: Final = 1 << 20  # bytes; a route that needs more says so


class NoEvents(BaseEventEmitterBackend):
    """The application emits no events; the framework's own emitter would wrap every start error in a group."""

    def emit(self, event_id: str, *args: Any, **kwargs: Any) -> None:
        """Refuse."""
        raise RuntimeError(f"expected no events, got {event_id}")

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


def create_app(settings: Settings | None = None) -> Observed:
    """Return the application; its lifespan opens database and keys, and closes them."""
    chosen = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with started(chosen, name="licet-registry serve") as services:
            connect_domains(services)
            app.state.services = services
            yield

    app = Observed(
        route_handlers=[*HEALTH, *DESCRIPTION, *_routes()],
        dependencies={
            "services": Provide(_services, sync_to_thread=False),
            "caller": Provide(identity.caller),
            "optional_caller": Provide(identity.optional_caller),
        },
        middleware=[Idempotency()],
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[send_request_id],
        event_emitter_backend=NoEvents,
        lifespan=[lifespan],
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
    )
    app.state.meters = Meters()
    return app


def connect_domains(services: Services) -> None:
    """Let domains know what those above them do: every process that decides or raises levels calls this once."""
    for domain in (consent, snapshots):
        domain.connect(services)


def _services(request: Request[Any, Any, Any]) -> Services:
    services: Services = request.app.state.services
    return services


def _routes() -> list[Any]:
    found: list[Any] = []
    for domain in DOMAINS:
        if find_spec(f"registry.{domain}") is not None and find_spec(f"registry.{domain}.routes") is not None:
            found += import_module(f"registry.{domain}.routes").ROUTES
    return found
