"""The service as one ASGI application: routes of every domain, one form of errors, one way to repeat a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request
from litestar.di import NamedDependency, Provide
from litestar.events import BaseEventEmitterBackend

from registry.accounts import identity, metering
from registry.accounts import routes as accounts
from registry.accounts.idempotency import Idempotency
from registry.accounts.metering import Metering
from registry.agreements import routes as agreements
from registry.agreements.allocation import allocate
from registry.auditing import finding_routes
from registry.auditing import routes as auditing
from registry.claims import routes as claims
from registry.closing import HOOKS, SEALED_HOOKS
from registry.closing import routes as closing
from registry.consent import connect as connect_consent
from registry.consent import routes as consent
from registry.derivatives import routes as derivatives
from registry.disputes import routes as disputes
from registry.duties import routes as duties
from registry.erasure import routes as erasure
from registry.exporting import routes as exporting
from registry.health.readiness import Readiness
from registry.health.routes import ROUTES as HEALTH
from registry.health.welcome import ROUTES as WELCOME
from registry.http.admission import Admission
from registry.http.bodies import StrictRequest
from registry.licensing import routes as licensing
from registry.observing.meters import Meters
from registry.observing.requests import Observed, send_request_id
from registry.olp import routes as olp
from registry.openapi import ROUTES as DESCRIPTION
from registry.portal import ROUTES as PORTAL
from registry.portal.frame.refusals import EXCEPTION_HANDLERS
from registry.publishing import connect as connect_publishing
from registry.publishing import routes as publishing
from registry.register import routes as register
from registry.services import Services, started
from registry.settings import Settings
from registry.settlement import routes as settlement
from registry.settlement.billing import issue
from registry.snapshots import connect as connect_snapshots
from registry.snapshots import routes as snapshots
from registry.splits import routes as splits
from registry.storage import Store
from registry.translog import RegistryKeys
from registry.translog import routes as translog
from registry.usage import routes as usage
from registry.works import routes as works

DOMAINS: Final = (
    *(
        translog,
        accounts,
        claims,
        works,
        consent,
        publishing,
        snapshots,
        splits,
        licensing,
        derivatives,
        usage,
        register,
        erasure,
    ),
    exporting,
    olp,
    settlement,
    disputes,
    closing,
    agreements,
    duties,
    auditing,
    finding_routes,
)
BODY_LIMIT: Final = 1 << 20  # bytes; a route that needs more says so


class NoEvents(BaseEventEmitterBackend):
    """The application emits no events; the framework's own emitter would wrap every start error in a group."""

    def emit(self, event_id: str, *args: Any, **kwargs: Any) -> None:
        """Refuse."""
        raise RuntimeError(f"expected no events, got {event_id}")

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


class Service(Observed):
    """The application; HEAD is answered as GET would be, without the body (RFC 9110, section 9.3.2)."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await super().__call__(scope, receive, send)
            return

        async def bare(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await super().__call__({**scope, "method": "GET"}, receive, bare)


def create_app(settings: Settings | None = None) -> Observed:
    """Return the application; its lifespan opens database and keys, and closes them."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with started(app.state.settings, name="licet-registry serve", meters=app.state.meters) as services:
            connect_domains(services)
            app.state.services = services
            app.state.readiness = Readiness(services)
            try:
                yield
            finally:
                if services.reader is not None:
                    await services.reader.close()

    app = Service(
        route_handlers=[
            *WELCOME,
            *HEALTH,
            *DESCRIPTION,
            *PORTAL,
            *(route for domain in DOMAINS for route in domain.ROUTES),
        ],
        dependencies={
            "services": Provide(_services, sync_to_thread=False),
            "keys": Provide(_keys, sync_to_thread=False),
            "log_files": Provide(_log_files, sync_to_thread=False),
            "caller": Provide(identity.caller),
            "meter": Provide(metering.meter, sync_to_thread=False),
            "optional_caller": Provide(identity.optional_caller),
        },
        middleware=[Admission(), Metering(), Idempotency()],
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[send_request_id],
        event_emitter_backend=NoEvents,
        lifespan=[lifespan],
        request_class=StrictRequest,
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
    )
    app.state.settings = settings or Settings.load()
    app.state.meters = Meters()
    return app


def connect_domains(services: Services) -> None:
    """Let domains know what others do: every process that decides, raises levels or closes months calls this once."""
    connect_consent(services)
    connect_snapshots(services)
    connect_publishing()
    if allocate not in HOOKS:  # of the process, not of its services
        HOOKS.append(allocate)
    if issue not in SEALED_HOOKS:
        SEALED_HOOKS.append(issue)


def _services(request: Request[Any, Any, Any]) -> Services:
    services: Services = request.app.state.services
    return services


def _keys(services: NamedDependency[Services]) -> RegistryKeys:
    return services.keys


def _log_files(services: NamedDependency[Services]) -> Store:
    return services.log_files
