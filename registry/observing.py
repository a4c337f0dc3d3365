"""What operators see: one JSON line per event on stderr, and numbers named after the domain at ``/metrics``."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final, cast

import structlog
from litestar import Litestar
from litestar.types import HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from registry.problems import request_id
from registry.settings import Settings

_QUIET: Final = ("/health/", "/metrics", "/log/")
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


def log_to_stderr(settings: Settings, process: str) -> None:
    """Every log line of this process goes to stderr in the form that the settings ask for, and names ``process``."""
    level = logging.getLevelName(settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        lambda _, __, event: {"process": process, **event},
    ]
    last: list[Any]
    if settings.log_format == "json":
        # Without the values of local variables, here and below: some are secrets.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("_granian").setLevel(logging.WARNING)
