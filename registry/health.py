"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from licet import times
from registry import translog
from registry.database import Connection
from registry.errors import Unavailable
from registry.services import Services
from registry.snapshots import queries as snapshots

METRICS_TYPE: Final = CONTENT_TYPE_LATEST.partition("; charset=")[0]  # the framework adds the charset itself
LONGEST_WAIT: Final = 15.0  # seconds a statement may be pending before we say that the sequencer is behind


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(msgspec.Struct, frozen=True):
    """Everything that requests need is there, as of this moment."""

    log_size: int
    log_pending: int
    snapshot_age_seconds: float | None
    status: str = "ready"


@get("/health/live", operation_id="getLive", tags=["health"], sync_to_thread=False)
def live() -> Live:
    """The process answers; says nothing of what it depends on."""
    return Live()


@get("/health/ready", operation_id="getReady", tags=["health"])
async def ready(services: NamedDependency[Services]) -> Ready:
    """The database answers, the log takes statements and snapshots are fresh; 503 with the reason otherwise."""
    async with services.database.acquire() as conn:
        log = await translog.backlog(conn)
        age = await _snapshot_age(conn)
    if log.published_size == 0:
        raise Unavailable("the log has not been published yet: is the worker running?")
    if log.oldest_seconds > LONGEST_WAIT:
        raise Unavailable(f"the sequencer is behind: a statement has been pending for {log.oldest_seconds:.0f} s")
    if age is not None and age > services.settings.snapshot_ttl.total_seconds():
        raise Unavailable(f"the newest snapshot has expired: it is {age:.0f} s old")
    return Ready(log.published_size, log.waiting, age)


@get("/metrics", operation_id="getMetrics", tags=["health"], media_type=METRICS_TYPE)
async def metrics(request: Request[None, None, State], services: NamedDependency[Services]) -> Response[bytes]:
    """Counters of this process and the state of log and snapshots, for Prometheus."""
    own: CollectorRegistry = request.app.state.meters.registry
    shared = CollectorRegistry()
    async with services.database.acquire() as conn:
        log = await translog.backlog(conn)
        age = await _snapshot_age(conn)
    for name, about, value in (
        ("licet_log_size", "Entries of the published log.", log.published_size),
        ("licet_log_pending", "Statements that wait for the sequencer.", log.waiting),
        ("licet_log_oldest_pending_seconds", "Age of the oldest statement that waits.", log.oldest_seconds),
        ("licet_snapshot_age_seconds", "Age of the newest snapshot.", age),
    ):
        if value is not None:
            Gauge(name, about, registry=shared).set(value)
    return Response(generate_latest(own) + generate_latest(shared), media_type=METRICS_TYPE)


async def _snapshot_age(conn: Connection) -> float | None:
    row = await conn.fetchrow(snapshots.LAST)
    return None if row is None else max(0.0, (times.now() - row["issued_at"]).total_seconds())


ROUTES = [live, ready, metrics]
