"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST

from licet.wire.common import Problem
from registry.errors import NotAuthenticated, Unavailable
from registry.health import readiness
from registry.health.checks import Check
from registry.http.problems import MEDIA_TYPE, TYPE_BASE
from registry.observing.meters import Meters, read_text
from registry.observing.requests import request_id
from registry.services import Services
from registry.settings import Settings

METRICS_TYPE: Final = CONTENT_TYPE_LATEST.partition("; charset=")[0]  # the framework adds the charset itself
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")  # a proxy on this machine asks for another


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that requests need is there, as of this moment."""

    status: str = "ready"
    log_size: int
    log_pending: int
    snapshot_age_seconds: float | None
    checks: dict[str, Check]


class NotReady(Problem, frozen=True, kw_only=True):
    """Problem details, with every check by its name."""

    checks: dict[str, Check]


@get("/health/live", operation_id="getLive", tags=["health"], sync_to_thread=False)
def live() -> Live:
    """The process answers; says nothing of what it depends on."""
    return Live()


@get("/health/ready", operation_id="getReady", tags=["health"], opt={"problems": (503,)})
async def ready(request: Request[None, None, State]) -> Response[Ready]:
    """Whether the service answers truly and takes statements; 503 with the reasons otherwise.

    `checks` says of each thing what was found, since when it is amiss, and what to do: database, schema, log,
    checkpoint, guard, archive, closes, disputes, snapshot, index, files.
    """
    state = await _readiness(request).look()
    if state.missing or state.log_size is None or state.log_pending is None:
        problem = NotReady(
            type=f"{TYPE_BASE}{Unavailable.slug}",
            title="Not ready",
            status=HTTP_503_SERVICE_UNAVAILABLE,
            detail="; ".join(state.missing),
            instance=request_id(request.scope),
            checks=state.checks,
        )
        return Response(
            msgspec.json.encode(problem),  # type: ignore[arg-type]  # the problem is described by its status
            status_code=problem.status,
            media_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", "Retry-After": "1"},
        )
    found = Ready(
        log_size=state.log_size,
        log_pending=state.log_pending,
        snapshot_age_seconds=state.snapshot_age_seconds,
        checks=state.checks,
    )
    return Response(found, headers={"Cache-Control": "no-store"})


@get("/metrics", operation_id="getMetrics", tags=["health"], media_type=METRICS_TYPE, opt={"problems": (401,)})
async def metrics(request: Request[None, None, State], services: NamedDependency[Services]) -> Response[bytes]:
    """The numbers of all processes of this machine and the state of log and snapshots, for Prometheus.

    For who asks on the machine itself, not through a proxy, and for whoever has the token that is set for it.
    """
    _may_read(request, services.settings)
    meters: Meters = request.app.state.meters
    state = await _readiness(request).recent()
    known = {
        "licet_database_up": int(state.checks["database"].ok),
        "licet_log_size": state.log_size,
        "licet_log_pending": state.log_pending,
        "licet_log_lag_seconds": state.log_lag_seconds,
        "licet_archive_behind_bytes": state.archive_behind_bytes,
        "licet_agreements_left_out": state.agreements_left_out,
        "licet_reviews_late": state.reviews_late,
        "licet_snapshot_sequence": state.snapshot_sequence,
        "licet_snapshot_age_seconds": state.snapshot_age_seconds,
        "licet_snapshot_expires_seconds": state.snapshot_expires_seconds,
    }
    standing = None if services.reader is None else services.reader.standing()
    known["licet_index_sequence"] = standing and (standing.sequence or 0)
    known["licet_index_applied_works"] = standing and standing.applied
    headers = {"Cache-Control": "no-store"}
    return Response(meters.text() + read_text(known), media_type=METRICS_TYPE, headers=headers)


def _readiness(request: Request[None, None, State]) -> readiness.Readiness:
    found: readiness.Readiness = request.app.state.readiness
    return found


def _may_read(request: Request[None, None, State], settings: Settings) -> None:
    if settings.metrics_token is not None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = settings.metrics_token.get_secret_value()
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
            return
    if not any(name in request.headers for name in _FORWARDED) and _is_here(request):
        return
    raise NotAuthenticated("expected the token that is set for metrics, or a request from the machine itself")


def _is_here(request: Request[None, None, State]) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


ROUTES = [live, ready, metrics]
