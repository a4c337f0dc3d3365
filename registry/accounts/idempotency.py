"""One effect a request: a POST that comes again with its Idempotency-Key gets the answer that it got before.

Every POST needs the header (a quoted string, draft-ietf-httpapi-idempotency-key-header) unless its handler says
otherwise in ``opt``::

    opt=READS       the POST only reads (queries): no key is asked for, nothing is kept
    opt=SECRET      the answer holds a secret and is never kept: the handler itself makes a repetition harmless

A key belongs to one account and one payload. Only answers that tell of an effect (2xx) are kept, for 24 hours; after
any other the key is free again. A request that a crash cut off frees its key after 60 seconds: its handler runs
again, so every domain must find by itself what is already there (the same statement, licence, batch).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from hashlib import sha256
from typing import Any, Final, cast
from uuid import UUID

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from licet.identifiers import new_uuid
from registry.accounts import queries
from registry.accounts.identity import authenticated
from registry.database import Database
from registry.errors import Conflict, Invalid, KeyReused, NotAuthenticated, RegistryError, TooLarge
from registry.services import Services

HEADER: Final = "Idempotency-Key"
READS: Final = {"idempotency": "reads"}
SECRET: Final = {"idempotency": "secret"}
LARGEST_KEPT: Final = 4 << 20

_KEY: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"', re.ASCII)


class InProgress(Conflict):
    """The first request with this key has not been answered yet."""

    slug = "request-in-progress"
    title = "Request in progress"

    def __init__(self) -> None:
        super().__init__("the same request is being worked on; ask again in a moment", headers={"Retry-After": "1"})


def key_of(header: str | None) -> str:
    """Return the key in ``header``; raises ``Invalid`` if it is missing or not a quoted string of 1 to 255."""
    match = _KEY.fullmatch(header.strip()) if header is not None else None
    if match is None:
        raise Invalid.field(HEADER, 'a quoted string of at most 255 ASCII characters, such as "8e03978e"', header)
    return match[1]


class Idempotency(ASGIMiddleware):
    """Stands before every POST handler; see the module."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer from what is kept, or run the handler and keep its answer."""
        http = cast("HTTPScope", scope)
        handler = cast("HTTPRouteHandler", http["route_handler"])
        mode = handler.opt.get("idempotency")
        if http["method"] != "POST" or mode == "reads":
            await next_app(scope, receive, send)
            return
        request: Request[Any, Any, Any] = Request(scope, receive)
        caller = await authenticated(request)
        if caller is None and (mode != "secret" or handler.resolve_guards()):
            raise NotAuthenticated
        if mode == "secret":
            caller = None
        key = key_of(request.headers.get(HEADER))
        if caller is None:
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].state.services
        # Before an answer is replayed: one token of an account may do less than another, and a key opens no doors.
        for guard in handler.resolve_guards():
            verdict = guard(request, handler)
            if verdict is not None:
                await verdict
        body = await _body(receive, handler.resolve_request_max_body_size())
        attempt = _Attempt(services.database, caller.account, key, _digest(http, body))
        kept = await attempt.begin()
        if kept is not None:
            await _replay(kept, send)
            return
        await _run(attempt, scope, body, receive, send, next_app)


class _Attempt:
    """One try at one request: owns the row of its key from `begin` to `keep` or `release`."""

    def __init__(self, database: Database, account: UUID, key: str, request: bytes) -> None:
        self._database = database
        self._account = account
        self._key = key
        self._request = request
        self._id = new_uuid()

    async def begin(self) -> tuple[int, str, bytes] | None:
        """Return the answer kept under this key, None if this attempt now owns it."""
        async with self._database.acquire() as conn:
            if await conn.fetchval(queries.BEGIN_REQUEST, self._account, self._key, self._request, self._id):
                return None
            seen = await conn.fetchrow(queries.SEEN_REQUEST, self._account, self._key)
        if seen is None:
            raise InProgress  # it ended without an effect this very moment
        if seen["request"] != self._request:
            raise KeyReused("this Idempotency-Key was used for another request")
        if seen["status"] is None:
            raise InProgress
        return seen["status"], seen["content_type"], seen["body"]

    async def keep(self, status: int, content_type: str, body: bytes) -> None:
        async with self._database.acquire() as conn:
            await conn.execute(queries.END_REQUEST, self._account, self._key, self._id, status, content_type, body)

    async def release(self) -> None:
        async with self._database.acquire() as conn:
            await conn.execute(queries.DROP_REQUEST, self._account, self._key, self._id)


async def _run(attempt: _Attempt, scope: Scope, body: bytes, receive: Receive, send: Send, next_app: ASGIApp) -> None:
    status = 500
    content_type = ""
    answer = bytearray()
    given = False

    async def given_receive() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def kept_send(message: Message) -> None:
        nonlocal status, content_type
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.lower(): value for name, value in message["headers"]}
            content_type = headers.get(b"content-type", b"").decode("latin-1")
        elif message["type"] == "http.response.body":
            answer.extend(message["body"][: LARGEST_KEPT + 1 - len(answer)])
            if not message.get("more_body", False):
                # Kept BEFORE the last byte leaves: whoever has the answer will get it again, if it could be kept.
                await _finish(attempt, status, content_type, bytes(answer))
        await send(message)

    try:
        await next_app(scope, given_receive, kept_send)
    except BaseException:
        await asyncio.shield(_dropped(attempt))
        raise


async def _finish(attempt: _Attempt, status: int, content_type: str, answer: bytes) -> None:
    # The database is away: what the answer tells of is so all the same, and the row runs out after 60 seconds.
    with contextlib.suppress(RegistryError):
        if 200 <= status < 300 and len(answer) <= LARGEST_KEPT:
            await attempt.keep(status, content_type, answer)
        else:
            await attempt.release()


async def _dropped(attempt: _Attempt) -> None:
    with contextlib.suppress(RegistryError):
        await attempt.release()


async def _replay(kept: tuple[int, str, bytes], send: Send) -> None:
    status, content_type, body = kept
    headers = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
        (b"idempotency-replayed", b"true"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _body(receive: Receive, limit: int | None) -> bytes:
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Invalid("the request ended before its body did")
        parts += message["body"]
        if limit is not None and len(parts) > limit:
            raise TooLarge(f"expected a body of at most {limit} bytes, got more")
        if not message.get("more_body", False):
            return bytes(parts)


def _digest(scope: HTTPScope, body: bytes) -> bytes:
    head = f"{scope['method']} {scope['path']}?".encode() + scope.get("query_string", b"") + b"\n"
    return sha256(head + body).digest()
