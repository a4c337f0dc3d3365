"""What operators see of requests: one log line each, a count and a duration by route, a span if traces are on."""

from __future__ import annotations

import time
from typing import Any, Final, cast

import structlog
from litestar import Litestar
from litestar.types import HTTPScope, Message, Receive, Scope, Send

import registry
from registry import tracing
from registry.accounts.identity import known_caller
from registry.meters import Meters
from registry.problems import request_id

_QUIET: Final = ("/health/", "/metrics", "/log/")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")  # what we call a tile or a text is never read as a page
_VERSION: Final = (b"licet-version", registry.__version__.encode())  # for clients that miss something here
_log = structlog.get_logger("registry.requests")


class Observed(Litestar):
    """A Litestar application that counts and logs every request, unknown routes and wrong methods too."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, then tell: never a path, a query string or a body, which may hold what is nobody's business."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        http = cast("HTTPScope", scope)
        # A state of its own: what a request keeps there (who is calling, its id) must never meet another request.
        http["state"] = dict(http.get("state") or {})
        with structlog.contextvars.bound_contextvars(request_id=request_id(cast("Scope", http))):
            await _observe(super().__call__, self.state.meters, http, receive, send)


class _Seen:
    """What goes by on the way in and out."""

    def __init__(self) -> None:
        self.status = 500
        self.received = 0
        self.sent = 0


async def _observe(answer: Any, meters: Meters, scope: HTTPScope, receive: Receive, send: Send) -> None:
    seen = _Seen()
    started = time.perf_counter()

    async def heard() -> Any:
        message = await receive()
        if message["type"] == "http.request":
            seen.received += len(message["body"])
        return message

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            message["headers"] = [*message["headers"], _NOSNIFF, _VERSION]
        elif message["type"] == "http.response.body":
            seen.sent += len(message["body"])
        await send(message)

    method = str(scope["method"]) if scope["method"] in _METHODS else "other"
    with tracing.request(method, scope["headers"]) as span:
        try:
            await answer(scope, heard, told)
        finally:
            seconds = time.perf_counter() - started
            route = str(scope.get("path_template") or "unknown")
            if span is not None:
                tracing.answered(span, method, route, seen.status, request_id(cast("Scope", scope)))
            _tell(meters, scope, method, route, seen, seconds)


def _tell(meters: Meters, scope: HTTPScope, method: str, route: str, seen: _Seen, seconds: float) -> None:
    meters.count("licet_requests_total", method, route, str(seen.status))
    meters.observe("licet_request_seconds", method, route, seconds=seconds)
    if seen.status == 429:
        meters.count("licet_quota_refusals_total", route)
    quiet = seen.status < 400 and route.startswith(_QUIET)
    caller = known_caller(scope["state"])
    who = {} if caller is None else {"account": caller.id, "account_kind": caller.kind}
    (_log.debug if quiet else _log.info)(
        "request",
        method=method,
        route=route,
        status=seen.status,
        ms=round(seconds * 1000, 1),
        received=seen.received,
        sent=seen.sent,
        **who,
    )
