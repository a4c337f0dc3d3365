"""A call: one request to one endpoint as a plain value, and flows: what takes several calls, without saying who waits.

A flow is a generator that yields calls and is sent what they read as. A synchronous and an asynchronous driver run the
same flow, so the two clients cannot differ in what they ask, verify or keep.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from licet.errors import ServiceError
from licet.exchange.retrying import idempotency_key
from licet.misfits import unlike

T = TypeVar("T")

Filters: TypeAlias = Mapping[str, str | int | Sequence[str]]  # several values: the parameter several times
Open: TypeAlias = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a call: its bytes, or a function that opens them anew for each attempt (then ``size`` is known)."""

    content: bytes | Open
    content_type: str = "application/json"
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. ``operation`` is its operationId in the description of the interface.

    ``repeatable``: asking twice has the effect of asking once, so a lost answer is asked for again. ``key`` is the
    Idempotency-Key that makes a POST so. ``scope`` is what a token needs, None for what needs no token.
    """

    operation: str
    method: str
    path: str
    read: Callable[[bytes], T]
    params: Filters = field(default_factory=dict)
    body: Body | None = None
    key: str | None = None
    scope: str | None = None
    repeatable: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


Flow: TypeAlias = Generator[Call[Any], Any, T]


def ask(call: Call[T]) -> Flow[T]:
    """Return what ``call`` reads as, within a flow: ``me = yield from ask(endpoints.me())``."""
    answer: T = yield call
    return answer


def get(
    operation: str, path: str, schema: type[T], params: Filters | None = None, *, scope: str | None = None
) -> Call[T]:
    """Return the call that reads ``path`` as ``schema``."""
    return Call(operation, "GET", path, reader(schema), params=params or {}, scope=scope)


def post(
    operation: str,
    path: str,
    body: msgspec.Struct,
    schema: type[T],
    *,
    scope: str | None = None,
    key: str | None = None,
    reads: bool = False,
) -> Call[T]:
    """Return the call that posts ``body``: keyed by its content, unless ``key`` is given or it only ``reads``."""
    content = msgspec.json.encode(body)
    chosen = None if reads else key or idempotency_key("POST", path, content)
    return Call(operation, "POST", path, reader(schema), body=Body(content), key=chosen, scope=scope)


def reader(schema: type[T]) -> Callable[[bytes], T]:
    """Return what decodes an answer as ``schema``; fields that ``schema`` does not know are passed over.

    It raises ``ServiceError`` for anything else, with ``foreign`` in its details.
    """

    def read(body: bytes) -> T:
        try:
            return msgspec.json.decode(body, type=schema)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ServiceError(f"expected the service's protocol, got {unlike(error)}", foreign=True) from None

    return read


def nothing(_: bytes) -> None:
    """Read an answer that says no more than that it is done."""
