"""Lists: one way to page, filter and sort them, wherever their rows are.

A list is a statement without ORDER BY, and the orders that it may be asked for in. Each order is a key of columns that
ends in a unique one, so a page begins behind the key at which the page before ended: no OFFSET, and rows that come in
meanwhile neither repeat nor hide one that was there. The first page and those behind it are two statements, so that
the row comparison is a condition of the index whatever plan the server keeps.

A cursor is that key, bound to the list, its order and its filters: it carries no right (who may see a row is decided
by the statement), and one of another question, or an edited one, is refused instead of giving a wrong page.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from licet.wire.common import Page
from registry.database import Connection, Row
from registry.errors import Invalid

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 200
LONGEST_SEARCH: Final = 200
_MAX_CURSOR: Final = 4096
_CHECK: Final = 12  # characters of the digest that binds a cursor to its question
_EXPECTED: Final = "the cursor of the page before, with the same sort and filters"
_TYPES: Final[dict[type, str]] = {UUID: "uuid", str: "text", int: "bigint", datetime: "timestamptz"}

Limit = Annotated[
    int, QueryParameter(ge=1, le=LARGEST_LIMIT, description=f"Rows of a page, 1 to {LARGEST_LIMIT}; fewer at the end.")
]
Cursor = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[A-Za-z0-9_-]+$",
        min_length=1,
        max_length=_MAX_CURSOR,
        description="`next` of the page before, asked with the same sort and filters.",
    ),
]
Search = Annotated[
    str | None, QueryParameter(max_length=LONGEST_SEARCH, description="Words or parts of words to look for.")
]

T = TypeVar("T")


class Key(NamedTuple):
    """One column of an order: how the statement names it, how its rows do, and the type of its values."""

    expression: str
    column: str
    kind: type


class Order(NamedTuple):
    """One order of a list: its first page, the pages behind it, and the columns whose values say where one ended."""

    first: str
    after: str
    keys: tuple[Key, ...]


class Asked(NamedTuple):
    """What a caller asks of a list, beside the values of its filters: ``question`` is what a cursor is bound to."""

    path: str
    sort: str
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    question: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, request: Request[Any, Any, Any], sort: str, limit: int, cursor: str | None) -> Asked:
        """Return what ``request`` asks for."""
        filters = sorted(
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in {"sort", "limit", "cursor"}
        )
        return cls(request.url.path, sort, limit, cursor, tuple(filters))


def orders(statement: str, **keys: tuple[Key, ...]) -> dict[str, Order]:
    """Return the orders ``name`` and ``-name`` of ``statement``, which ends in a WHERE, for each of ``keys``.

    The parameters of ``statement`` come first; the limit follows, then the key at which the page before ended.
    """
    last = max((int(number) for number in re.findall(r"\$([0-9]+)", statement)), default=0)
    found = {}
    for name, parts in keys.items():
        columns = ", ".join(key.expression for key in parts)
        place = ", ".join(f"${last + 2 + n}::{_TYPES[key.kind]}" for n, key in enumerate(parts))
        for sort, sign, way in ((name, ">", "asc"), (f"-{name}", "<", "desc")):
            behind = f"    and ({columns}) {sign} ({place})\n"
            order = ", ".join(f"{key.expression} {way}" for key in parts)
            end = f"order by {order} limit ${last + 1}"
            found[sort] = Order(statement + end, statement + behind + end, parts)
    return found


async def page_of(
    conn: Connection, listing: Mapping[str, Order], asked: Asked, *args: object
) -> tuple[list[Row], str | None]:
    """Return the rows of the page that is asked for, and the cursor of the next one, None at the end.

    ``args`` are the parameters of the list's statement. Raises ``Invalid`` naming the parameter.
    """
    order = listing.get(asked.sort)
    if order is None:
        raise Invalid.field("?sort", " or ".join(sorted(listing)), asked.sort)
    if not 1 <= asked.limit <= LARGEST_LIMIT:
        raise Invalid.field("?limit", f"1 to {LARGEST_LIMIT}", asked.limit)
    if asked.cursor is None:
        rows = await conn.fetch(order.first, *args, asked.limit + 1)
    else:
        rows = await conn.fetch(order.after, *args, asked.limit + 1, *_place(asked, order))
    if len(rows) <= asked.limit:
        return rows, None
    return rows[: asked.limit], to_cursor(asked, order, rows[asked.limit - 1])


def slice_of(items: Sequence[T], asked: Asked) -> Page[T]:
    """Return the page that is asked for of a list that was computed, in the order that it is in.

    Raises ``Invalid`` naming the parameter.
    """
    order = Order("", "", (Key("place", "place", int),))
    start = 0 if asked.cursor is None else _place(asked, order)[0] + 1
    found = list(items[start : start + asked.limit])
    last = start + len(found) - 1
    more = last + 1 < len(items)
    return Page(found, to_cursor(asked, order, {"place": last}) if more else None)


def to_cursor(asked: Asked, order: Order, row: Mapping[str, Any] | Row) -> str:
    """Return the cursor of the page behind ``row``."""
    place = [_text(row[key.column], key.kind) for key in order.keys]
    return base64.urlsafe_b64encode(msgspec.json.encode([_bound(asked, place), *place])).decode().rstrip("=")


def linked(request: Request[Any, Any, Any], page: Page[T]) -> Response[Page[T]]:
    """Return the answer with ``page``, and a ``Link`` (RFC 8288) to the next one with all that was asked."""
    if page.next is None:
        return Response(page)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    link = f"<{request.url.path}?{urlencode([*asked, ('cursor', page.next)])}>"
    return Response(page, headers={"Link": f'{link}; rel="next"'})


def _place(asked: Asked, order: Order) -> list[Any]:
    try:
        place = _decoded(asked.cursor or "")
        if len(place) != len(order.keys) + 1 or place[0] != _bound(asked, place[1:]):
            raise ValueError
        return [_value(text, key.kind) for text, key in zip(place[1:], order.keys, strict=True)]
    except (ValueError, OverflowError, binascii.Error, msgspec.MsgspecError):
        raise Invalid.field("?cursor", _EXPECTED, asked.cursor) from None


def _decoded(cursor: str) -> list[str]:
    if len(cursor) > _MAX_CURSOR:
        raise ValueError
    data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    return msgspec.json.decode(data, type=list[str])


def _bound(asked: Asked, place: list[str]) -> str:
    about = msgspec.json.encode([asked.path, asked.sort, asked.question, place])
    return sha256(about).hexdigest()[:_CHECK]


def _text(value: Any, kind: type) -> str:
    if kind is datetime:
        return str(value.isoformat())
    return "" if value is None and kind is str else str(value)


def _value(text: str, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    value = kind(text)
    # What the database has no value for is in no row of it either.
    if (kind is str and "\0" in text) or (kind is int and not -(1 << 63) <= value < 1 << 63):
        raise ValueError
    return value
