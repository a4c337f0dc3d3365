"""What operators see of requests: one log line each, and numbers named after the domain at ``/metrics``."""

from __future__ import annotations

import time
from typing import Any, Final, cast

import structlog
from litestar import Litestar
from litestar.types import HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from registry.problems import request_id

_QUIET: Final = ("/health/", "/metrics", "/log/")
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")  # what we call a tile or a text is never read as a page
_log = structlog.get_logger("registry.requests")


class Meters:
    """The counters of one process; ``registry`` is what ``/metrics`` prints."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "licet_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "licet_request_seconds",
            "Time to answer.",
            ["method", "route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )


class Observed(Litestar):
    """A Litestar application that counts and logs every request, unknown routes and wrong methods too."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, then tell: never the query string or a body, which may hold what is nobody's business."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        await _observe(super().__call__, self.state.meters, cast("HTTPScope", scope), receive, send)


async def _observe(answer: Any, meters: Meters, scope: HTTPScope, receive: Receive, send: Send) -> None:
    # A state of its own: what a request keeps there (who is calling, its id) must never meet another request.
    scope["state"] = dict(scope.get("state") or {})
    status = 500
    started = time.perf_counter()

    async def told(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message["headers"] = [*message["headers"], _NOSNIFF]
        await send(message)

    try:
        await answer(scope, receive, told)
    finally:
        seconds = time.perf_counter() - started
        route = str(scope.get("path_template") or "unknown")
        method = str(scope["method"]) if scope["method"] in {"GET", "HEAD", "POST", "PUT", "DELETE"} else "other"
        meters.requests.labels(method, route, str(status)).inc()
        meters.seconds.labels(method, route).observe(seconds)
        quiet = status < 400 and route.startswith(_QUIET)
        (_log.debug if quiet else _log.info)(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id(cast("Scope", scope)),
        )
