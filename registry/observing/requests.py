"""What operators see of requests: one log line each, a count and a duration by route, a span if traces are on."""

from __future__ import annotations

import re
import time
from typing import Any, Final, Protocol, cast

import structlog
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Message, Receive, Scope, Send

import registry
from licet.identifiers import new_uuid
from registry.observing import tracing
from registry.observing.meters import Meters

_QUIET: Final = ("/health/", "/metrics", "/log/")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")  # what we call a tile or a text is never read as a page
# What an answer says of itself stays; of one that says nothing no copy is kept, and no page is made of it or around it.
_UNSAID: Final = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
_VERSION: Final = (b"licet-version", registry.__version__.encode())  # for clients that miss something here
_HEADER: Final = b"x-request-id"
_STATE: Final = "licet_request_id"
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
CALLER: Final = "licet_caller"  # where the state of a request keeps for whom it speaks, once somebody asked
_log = structlog.get_logger("registry.requests")


class Known(Protocol):
    """For whom a request speaks, as far as a log tells."""

    @property
    def id(self) -> str:
        """The account."""

    @property
    def kind(self) -> str:
        """Its kind."""


def request_id(scope: Scope) -> str:
    """Return the id of this request: the caller's ``X-Request-Id`` if it is a plain word, else a fresh one."""
    state: dict[str, Any] = scope["state"]
    known = state.get(_STATE)
    if known is None:
        given = next((value for name, value in scope["headers"] if name.lower() == _HEADER), b"")
        known = state[_STATE] = given.decode() if _GIVEN.fullmatch(given) else f"req_{new_uuid().hex}"
    return str(known)


async def send_request_id(message: Message, scope: Scope) -> None:
    """Add ``X-Request-Id`` to every response; a ``before_send`` hook, so that it reaches 404 and 405 too."""
    if message["type"] == "http.response.start" and scope["type"] == ScopeType.HTTP:
        headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != _HEADER]
        message["headers"] = [*headers, (_HEADER, request_id(scope).encode())]


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
            said = {name.lower() for name, _ in message["headers"]}
            unsaid = [each for each in _UNSAID.items() if each[0] not in said]
            message["headers"] = [*message["headers"], *unsaid, _NOSNIFF, _VERSION]
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
    caller: Known | None = scope["state"].get(CALLER)
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
