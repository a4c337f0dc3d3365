"""Rows for ``COPY … (format binary)``, put together a column at a time: no object for each value, no text to parse.

Rows of one shape (the same lengths, the same nulls) are one matrix of bytes, so they are written shape by shape: the
order of rows is kept within a shape, and most tables have few. Source: PostgreSQL's documentation of COPY, "Binary
Format".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_MICROSECONDS: Final = 946_684_800_000_000
_PIECE: Final = 8_192  # rows at once, so that memory is bounded however many there are

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class Fixed(NamedTuple):
    """A column whose values have one width and are never null: a row of bytes each."""

    rows: Bytes


class Shared(NamedTuple):
    """A column of few values: each once, and of every row the place of its own; -1 for a null."""

    values: Sequence[bytes]
    codes: np.ndarray[Any, Any]


def numbers(values: np.ndarray[Any, Any]) -> Fixed:
    """Return a column of ``bigint``."""
    return Fixed(values.astype(">i8").view(np.uint8).reshape(len(values), 8))


def moments(microseconds: np.ndarray[Any, Any]) -> Fixed:
    """Return a column of ``timestamptz``, of microseconds since 1970."""
    return numbers(microseconds - _EPOCH_MICROSECONDS)


def moment(value: datetime) -> bytes:
    """Return one ``timestamptz``."""
    since = value - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).to_bytes(8, "big", signed=True)


def truths(values: np.ndarray[Any, Any]) -> Fixed:
    """Return a column of ``boolean``."""
    return Fixed(values.astype(np.uint8).reshape(len(values), 1))


def digests(values: Sequence[bytes]) -> Fixed:
    """Return a column of ``bytea``, all of one length."""
    return Fixed(np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1))


def one(value: bytes | None, rows: int) -> Shared:
    """Return a column in which all ``rows`` hold the same."""
    return Shared((value or b"",), np.full(rows, -1 if value is None else 0, np.int8))


async def binary(columns: Sequence[Fixed | Shared]) -> AsyncIterator[bytes]:
    """Yield the bytes of all rows, as asyncpg's ``copy_to_table`` takes them."""
    yield _HEAD
    for piece in pieces(columns):
        yield piece
    yield _END


def pieces(columns: Sequence[Fixed | Shared]) -> Iterator[bytes]:
    """Yield the rows without head and end."""
    shape = np.zeros(_count(columns[0]), np.int64)
    for column in columns:
        if isinstance(column, Shared):
            lengths = np.array([*(len(value) for value in column.values), -1], np.int64)[column.codes]
            _, lengths = np.unique(lengths, return_inverse=True)
            _, shape = np.unique(shape * (int(lengths.max(initial=0)) + 1) + lengths, return_inverse=True)
    order = np.argsort(shape, kind="stable")
    ends = np.flatnonzero(np.diff(shape[order])) + 1
    for rows in np.split(order, ends):
        for start in range(0, len(rows), _PIECE):
            yield _matrix(columns, rows[start : start + _PIECE])


def _count(column: Fixed | Shared) -> int:
    return len(column.rows) if isinstance(column, Fixed) else len(column.codes)


def _matrix(columns: Sequence[Fixed | Shared], rows: np.ndarray[Any, Any]) -> bytes:
    """Return rows of one shape."""
    widths = [_width(column, int(rows[0])) for column in columns]
    matrix = np.empty((len(rows), 2 + sum(4 + max(width, 0) for width in widths)), np.uint8)
    matrix[:, :2] = np.frombuffer(len(columns).to_bytes(2, "big"), np.uint8)
    at = 2
    for column, width in zip(columns, widths, strict=True):
        matrix[:, at : at + 4] = np.frombuffer(width.to_bytes(4, "big", signed=True), np.uint8)
        at += 4
        if width > 0:
            matrix[:, at : at + width] = _values(column, rows, width)
            at += width
    return matrix.tobytes()


def _width(column: Fixed | Shared, row: int) -> int:
    if isinstance(column, Fixed):
        return int(column.rows.shape[1])
    code = int(column.codes[row])
    return -1 if code < 0 else len(column.values[code])


def _values(column: Fixed | Shared, rows: np.ndarray[Any, Any], width: int) -> Bytes:
    if isinstance(column, Fixed):
        own: Bytes = column.rows[rows]
        return own
    codes, places = np.unique(column.codes[rows], return_inverse=True)
    known = np.frombuffer(b"".join([column.values[code] for code in codes.tolist()]), np.uint8).reshape(-1, width)
    found: Bytes = known[places]
    return found
