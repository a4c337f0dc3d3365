"""What every request must be before a handler sees it, and how long it may take.

A handler says what differs in ``opt``::

    opt={"seconds": 300}     the answer may take five minutes from the end of the body to its first byte
    opt={"body": "…"}        the media types of the body, separated by commas; application/json without

The limit of the body is its ``request_max_body_size``. A body is cut off while it comes: where it grows over the
limit, stands still or drips, and where all bodies together are more than may be held (`holding`). When an answer takes
too long, the handler is cancelled, and with it its statement in the database.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, cast
from urllib.parse import parse_qsl, unquote_to_bytes

from litestar.datastructures.headers import Accept
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.params import BodyKwarg, QueryParameter, RawBody
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from registry.errors import (
    HeadersTooLarge,
    Invalid,
    NotAcceptable,
    SlowBody,
    TimedOut,
    TooLarge,
    UnsupportedMediaType,
    UriTooLong,
)
from registry.http.deadlines import Deadline
from registry.http.holding import Holding
from registry.observing.requests import CALLER, Known

LONGEST_URI: Final = 8_192  # bytes of path and query
LARGEST_HEADERS: Final = 32_768  # bytes of all names and values
SECONDS: Final = 60.0  # from the end of the body to the first byte of the answer
BODY_PAUSE: Final = 15.0  # seconds until the next part of a body
BODY_GRACE: Final = 30.0  # seconds in which a body may be as slow as it likes
BODY_RATE: Final = 4_096  # bytes a second after that, on average
_USUAL: Final = 200  # characters of an Accept header
PROBLEM: Final = "application/problem+json"
_SHARED: Final = frozenset({"log", "snapshots", "terms"})  # tags of what pages of other sites may read
_ANYBODY: Final = (b"access-control-allow-origin", b"*")


class Rules(NamedTuple):
    """What one handler takes."""

    parameters: Mapping[str, bool]  # query parameters; whether it may come several times
    untextual: frozenset[str]  # those whose values are no free text: "null" is none of theirs
    media_types: tuple[str, ...]  # of the body; none where there is no body
    answers: tuple[str, ...]  # media types
    limit: int  # bytes
    seconds: float
    shared: bool


class Admission(ASGIMiddleware):
    """Stands before everything else; see the module."""

    scopes = (ScopeType.HTTP,)

    def __init__(self) -> None:
        self.held = Holding()

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Refuse what no handler should see; else answer, in time."""
        http = cast("HTTPScope", scope)
        rules = rules_of(cast("HTTPRouteHandler", http["route_handler"]))
        headers = {name.lower(): value.decode("latin-1") for name, value in http["headers"]}
        _check_size(http)
        check_query(http["query_string"], rules)
        _check_accept(headers.get(b"accept"), rules.answers)
        _check_body(headers, rules)
        await _in_time(rules, self.held, http, receive, send, next_app)


@functools.cache
def rules_of(handler: HTTPRouteHandler) -> Rules:
    """Return what ``handler`` takes."""
    parameters: dict[str, bool] = {}
    untextual = set()
    media_types: tuple[str, ...] = ()
    for name, field in handler.parsed_fn_signature.parameters.items():
        kwarg = field.kwarg_definition
        if isinstance(kwarg, QueryParameter):
            kinds = [field, *field.inner_types]
            parameters[kwarg.name or name] = any(kind.is_non_string_sequence for kind in kinds)
            if not any(kind.annotation is str for kind in kinds):
                untextual.add(kwarg.name or name)
        elif isinstance(kwarg, BodyKwarg):
            media_types = body_types(handler, "application/json")
        elif field.annotation is RawBody:
            media_types = body_types(handler, "application/octet-stream")
    media = str(getattr(handler.media_type, "value", handler.media_type) or "application/json")
    return Rules(
        parameters,
        frozenset(untextual),
        media_types,
        (media.partition(";")[0].strip(), *handler.opt.get("answers", ())),
        (handler.resolve_request_max_body_size() or 0) if media_types else 0,
        float(handler.opt.get("seconds", SECONDS)),
        bool(_SHARED.intersection(handler.tags or ())),
    )


def body_types(handler: HTTPRouteHandler, default: str) -> tuple[str, ...]:
    """Return the media types of the body that ``handler`` takes, the first being the one to use."""
    return tuple(part.strip() for part in str(handler.opt.get("body", default)).split(","))


def check_query(query: bytes, rules: Rules) -> None:
    """Refuse a query that holds unknown parameters, one twice, or what is no text; raises ``Invalid`` naming it."""
    known = rules.parameters
    if not query:
        return
    try:
        unquote_to_bytes(query.replace(b"+", b" ")).decode("utf-8")
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except (UnicodeDecodeError, ValueError):
        raise Invalid("expected a query of at most 1000 parameters in UTF-8, got something else") from None
    for name, count in Counter(name for name, _ in pairs).items():
        if name not in known:
            taken = ", ".join(known) or "no parameters"
            raise Invalid.field(f"?{name}", f"one of the parameters of this address: {taken}", name)
        if count > 1 and not known[name]:
            raise Invalid.field(f"?{name}", "one value", f"{count} values")
    for name, value in pairs:
        if "\0" in value:
            raise Invalid.field(f"?{name}", "text without the character U+0000", value)
        if value.lower() == "null" and name in rules.untextual:  # the framework would take it for no value
            raise Invalid.field(f"?{name}", "a value, or no such parameter", value)


def _check_size(scope: HTTPScope) -> None:
    length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if length > LONGEST_URI:
        raise UriTooLong(f"expected path and query of at most {LONGEST_URI} bytes, got {length}")
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size > LARGEST_HEADERS:
        raise HeadersTooLarge(f"expected headers of at most {LARGEST_HEADERS} bytes, got {size}")


def _check_accept(accept: str | None, answers: tuple[str, ...]) -> None:
    if not accept or "*/*" in accept:
        return
    if not (_takes if len(accept) <= _USUAL else _takes.__wrapped__)(accept, answers):
        raise NotAcceptable(f"expected an Accept header with {' or '.join(answers)}, got {accept[:200]}")


@functools.lru_cache(maxsize=256)  # programs say the same each time
def _takes(accept: str, answers: tuple[str, ...]) -> bool:
    try:
        return Accept(accept).best_match([*answers, PROBLEM]) is not None
    except ValueError:
        return True  # it says nothing that can be held to


def _check_body(headers: Mapping[bytes, str], rules: Rules) -> None:
    length = headers.get(b"content-length")
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 19):
        raise Invalid.field("header:Content-Length", "a number of bytes", length)
    sent = int(length or 0)
    if not rules.media_types:
        if sent:
            raise TooLarge(f"expected no body, got {sent} bytes")
        return
    if sent > rules.limit:
        raise TooLarge(f"expected a body of at most {rules.limit} bytes, got {sent}")
    if headers.get(b"content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("expected a body without Content-Encoding, got one that is encoded")
    given = headers.get(b"content-type")
    if given is not None and not _fits(given, rules.media_types):
        raise UnsupportedMediaType(f"expected a body of {' or '.join(rules.media_types)}, got {given[:200]}")


def _fits(given: str, wanted: tuple[str, ...]) -> bool:
    kind = given.partition(";")[0].strip().lower()
    return any(kind == each or (each.endswith("/*") and kind.startswith(each[:-1])) for each in wanted)


def _without_allow(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() != b"allow"]


def _allowed(scope: HTTPScope) -> str:
    """Return every method of the route: the framework's own answer knows those of the first handler only."""
    routes = [route for route in scope["litestar_app"].routes if route.path_format == scope["path_template"]]
    return allowed(method for route in routes for method in getattr(route, "methods", ()))


def allowed(methods: Iterable[str]) -> str:
    """Return ``methods`` as ``Allow`` has them: HEAD is answered wherever GET is."""
    found = set(methods)
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def _sender(scope: HTTPScope) -> str:
    caller: Known | None = scope["state"].get(CALLER)
    return (scope.get("client") or ("", 0))[0] if caller is None else caller.id


async def _in_time(
    rules: Rules, held: Holding, scope: HTTPScope, receive: Receive, send: Send, next_app: ASGIApp
) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    size, whole, reading, answering = 0, False, False, False
    sender = ""

    async def hurried_receive() -> Any:
        nonlocal size, whole, reading, sender
        if answering or whole:
            return await receive()  # waits for the end of the connection
        reading = True
        deadline.move(loop.time() + BODY_PAUSE)
        message = await receive()
        reading = False
        if message["type"] == "http.disconnect":  # or what came was no chunk: the framework would call it our fault
            raise Invalid("expected the whole body, got the end of the connection")
        if message["type"] == "http.request":
            sender = sender or _sender(scope)
            held.take(sender, len(message["body"]))
            size += len(message["body"])
            if size > rules.limit:
                raise TooLarge(f"expected a body of at most {rules.limit} bytes, got more")
            spent = loop.time() - started
            if message.get("more_body") and spent > BODY_GRACE and size < (spent - BODY_GRACE) * BODY_RATE:
                raise SlowBody(f"expected a body at {BODY_RATE} bytes a second or more, got {size} in {spent:.0f} s")
            whole = not message.get("more_body")
        if whole:
            deadline.move(loop.time() + rules.seconds)
        return message

    async def told(message: Message) -> None:
        nonlocal answering
        if message["type"] == "http.response.start":
            answering = True
            deadline.move(None)
            if scope["method"] == "OPTIONS":
                message["headers"] = [*_without_allow(message["headers"]), (b"allow", _allowed(scope).encode())]
            if rules.shared:
                message["headers"] = [*message["headers"], _ANYBODY]
        await send(message)

    try:
        async with asyncio.timeout(None) as clock:
            deadline = Deadline(clock, started + rules.seconds, started + BODY_PAUSE)
            await next_app(scope, hurried_receive, told)
    except TimeoutError:
        if not clock.expired():
            raise
        if reading:
            raise SlowBody(f"expected a part of the body within {BODY_PAUSE:.0f} s, got nothing") from None
        raise TimedOut(f"expected to answer within {rules.seconds:.0f} s; what was under way was stopped") from None
    finally:
        deadline.end()
        if size:
            held.give(sender, size)
