"""Rows for ``COPY … (format binary)``, put together a column at a time: no object for each value, no text to parse.

Rows of one shape (the same lengths, the same nulls) are one matrix of bytes, so they are written shape by shape: the
order of rows is kept within a shape, and most tables have few. `Values` reads what a COPY of one column brings.
Source: PostgreSQL's documentation of COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_MICROSECONDS: Final = 946_684_800_000_000
_VALUE: Final = struct.Struct("!hi")  # how many columns a row has, and the length of its one value
_COUNT_SIZE: Final = 2
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
    kinds = [_Same(column.rows) if isinstance(column, Fixed) else _Few(column) for column in columns]
    shape = np.zeros(kinds[0].count, np.int64)
    for kind in kinds:
        if (lengths := kind.lengths) is not None:
            _, shape = np.unique(shape * (int(lengths.max()) + 2) + lengths + 1, return_inverse=True)
    order = np.argsort(shape, kind="stable")
    ends = np.flatnonzero(np.diff(shape[order])) + 1
    for rows in np.split(order, ends):
        if len(rows):
            yield from _alike(kinds, rows)


class Values:
    """The values of a binary COPY of one column, none of them null, however it is cut: each behind its length."""

    def __init__(self) -> None:
        self._left, self._at = b"", len(_HEAD)

    def of(self, data: bytes) -> Iterator[memoryview]:
        """Yield what is whole now that ``data`` came, a view of it."""
        data = self._left + data
        whole, at, length_of = memoryview(data), self._at, _VALUE.unpack_from
        while at + _VALUE.size <= len(data):
            stop = at + _VALUE.size + length_of(data, at)[1]
            if stop > len(data):
                break
            yield whole[at + _COUNT_SIZE : stop]
            at = stop
        self._left, self._at = data[at:], max(0, at - len(data))


class _Same:
    """A column whose values have one width."""

    lengths = None

    def __init__(self, rows: Bytes) -> None:
        self.count, self._width = len(rows), int(rows.shape[1])
        self._rows = rows

    def width(self, row: int) -> int:  # of every row the same
        return self._width

    def values(self, rows: Any, width: int) -> Bytes:
        found: Bytes = self._rows[rows]
        return found


class _Few:
    """A column of few values: those of one length are a matrix, which is made once."""

    def __init__(self, column: Shared) -> None:
        self.count = len(column.codes)
        self._codes, self._given = column.codes, column.values
        self._widths = np.array([*map(len, column.values), -1], np.int64)  # a null, -1, is the last
        self._known: dict[int, tuple[Bytes, Any]] = {}

    @property
    def lengths(self) -> Any:
        """Of each row; None where all rows have one, so that most columns are not looked through."""
        first, last = int(self._codes.min(initial=0)), int(self._codes.max(initial=-1))
        if last < 0 or (first >= 0 and (self._widths[:-1] == self._widths[0]).all()):
            return None
        return self._widths[self._codes]

    def width(self, row: int) -> int:
        return int(self._widths[self._codes[row]])

    def values(self, rows: Any, width: int) -> Bytes:
        if width not in self._known:
            own = self._widths[:-1] == width
            chosen = b"".join([self._given[place] for place in np.flatnonzero(own).tolist()])
            self._known[width] = np.frombuffer(chosen, np.uint8).reshape(-1, width), np.cumsum(own) - 1
        known, places = self._known[width]
        if len(known) == 1:
            return known  # for all rows
        found: Bytes = known[places[self._codes[rows]]]
        return found


def _alike(kinds: Sequence[_Same | _Few], rows: np.ndarray[Any, Any]) -> Iterator[bytes]:
    """Yield ``rows``, all of one shape."""
    widths = [kind.width(int(rows[0])) for kind in kinds]
    lengths = [width.to_bytes(4, "big", signed=True) + bytes(max(width, 0)) for width in widths]
    whole = np.frombuffer(len(kinds).to_bytes(2, "big") + b"".join(lengths), np.uint8)
    ends = np.cumsum([2, *map(len, lengths)]).tolist()[1:]
    for start in range(0, len(rows), _PIECE):
        own = rows[start : start + _PIECE]
        matrix = np.tile(whole, (len(own), 1))
        for kind, width, end in zip(kinds, widths, ends, strict=True):
            if width > 0:
                matrix[:, end - width : end] = kind.values(own, width)
        yield matrix.tobytes()
