"""Messages of PostgreSQL's logical decoding (pgoutput, protocol 1, binary values), read one by one.

Source: PostgreSQL documentation, "Logical Replication Message Formats". A message comes from an archive that was sealed
by us, and is still read as foreign bytes: lengths are checked before they are believed, and whatever does not fit is a
``MalformedError``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from licet.errors import MalformedError

MAX_COLUMNS: Final = 1600  # PostgreSQL's own limit
MAX_MESSAGE: Final = 1 << 30  # PostgreSQL's own limit of a value
_MAX_NAME: Final = 64

_FRAME: Final = struct.Struct("!I")
_BEGIN: Final = struct.Struct("!QqI")
_COMMIT: Final = struct.Struct("!BQQq")
_RELATION: Final = struct.Struct("!I")
_COUNT: Final = struct.Struct("!H")
_TYPE: Final = struct.Struct("!Ii")


class Unchanged(Enum):
    """Stands for a large value that an update leaves as it was."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
Value = bytes | Unchanged | None  # in its type's binary form, left as it was, or null
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the source had it: its name, its type's number, and whether it is part of the identity."""

    name: str
    type: int
    key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the source had it when the changes that follow were made."""

    number: int
    schema: str
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction starts, whose commit is at ``lsn``."""

    lsn: int
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction is complete."""

    lsn: int


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    relation: int
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """A row changed; ``old`` holds its former key, if that changed."""

    relation: int
    old: Row | None
    new: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """The row with the key in ``old`` went."""

    relation: int
    old: Row


@dataclass(frozen=True, slots=True)
class Truncate:
    """All rows of these tables went."""

    relations: tuple[int, ...]


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate


def frames(body: bytes) -> Iterator[memoryview]:
    """Yield the messages in ``body``, one behind the other; raises ``MalformedError`` for a cut one."""
    view, place = memoryview(body), 0
    while place < len(view):
        if len(view) - place < _FRAME.size:
            raise MalformedError("message: expected a length, got the end")
        (size,) = _FRAME.unpack_from(view, place)
        place += _FRAME.size
        if size == 0 or size > MAX_MESSAGE or size > len(view) - place:
            raise MalformedError(f"message: expected {size} bytes, got {len(view) - place}")
        yield view[place : place + size]
        place += size


def parse(message: bytes | memoryview) -> Message | None:
    """Return what ``message`` says; None for one that changes no row (origin, type). Raises ``MalformedError``."""
    reader = _Reader(memoryview(message))
    kind = reader.take(1)
    try:
        found = _READ[kind](reader)
    except KeyError:
        raise MalformedError(f"message: expected a kind that is known, got {kind!r}") from None
    except UnicodeDecodeError:
        raise MalformedError("message: expected names in UTF-8") from None
    if found is not None and reader.left:
        raise MalformedError(f"message {kind!r}: expected its end, got {reader.left} more bytes")
    return found


class _Reader:
    """Takes bytes from the front; never past the end."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._place = 0

    @property
    def left(self) -> int:
        return len(self._view) - self._place

    def take(self, size: int) -> bytes:
        if size < 0 or size > self.left:
            raise MalformedError(f"message: expected {size} more bytes, got {self.left}")
        start, self._place = self._place, self._place + size
        return bytes(self._view[start : self._place])

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size))

    def text(self) -> str:
        ahead = bytes(self._view[self._place : self._place + _MAX_NAME])
        end = ahead.find(b"\0")
        if end < 0:
            raise MalformedError(f"message: expected a name of less than {_MAX_NAME} bytes")
        self._place += end + 1
        return ahead[:end].decode()

    def row(self) -> Row:
        (count,) = self.unpack(_COUNT)
        if count > MAX_COLUMNS:
            raise MalformedError(f"row: expected at most {MAX_COLUMNS} columns, got {count}")
        return tuple(self._value() for _ in range(count))

    def _value(self) -> Value:
        kind = self.take(1)
        if kind == b"b":
            (size,) = self.unpack(_FRAME)
            return self.take(size)
        if kind == b"n":
            return None
        if kind == b"u":
            return UNCHANGED
        raise MalformedError(f"row: expected a value in binary form, null or unchanged, got {kind!r}")


def _begin(reader: _Reader) -> Begin:
    lsn, _, xid = reader.unpack(_BEGIN)
    return Begin(lsn, xid)


def _commit(reader: _Reader) -> Commit:
    _, lsn, _, _ = reader.unpack(_COMMIT)
    return Commit(lsn)


def _relation(reader: _Reader) -> Relation:
    (number,) = reader.unpack(_RELATION)
    schema, name = reader.text(), reader.text()
    reader.take(1)
    (count,) = reader.unpack(_COUNT)
    if count > MAX_COLUMNS:
        raise MalformedError(f"relation {name}: expected at most {MAX_COLUMNS} columns, got {count}")
    columns = []
    for _ in range(count):
        key = reader.take(1) == b"\1"
        column = reader.text()
        type_number, _ = reader.unpack(_TYPE)
        columns.append(Column(column, type_number, key))
    return Relation(number, schema, name, tuple(columns))


def _insert(reader: _Reader) -> Insert:
    (relation,) = reader.unpack(_RELATION)
    _expect(reader, b"N")
    return Insert(relation, _whole(reader.row()))


def _update(reader: _Reader) -> Update:
    (relation,) = reader.unpack(_RELATION)
    kind, old = reader.take(1), None
    if kind in {b"K", b"O"}:
        old, kind = reader.row(), reader.take(1)
    if kind != b"N":
        raise MalformedError(f"update: expected the new row, got {kind!r}")
    return Update(relation, old, reader.row())


def _delete(reader: _Reader) -> Delete:
    (relation,) = reader.unpack(_RELATION)
    kind = reader.take(1)
    if kind not in {b"K", b"O"}:
        raise MalformedError(f"delete: expected the key of a row, got {kind!r}")
    return Delete(relation, reader.row())


def _truncate(reader: _Reader) -> Truncate:
    (count,) = reader.unpack(_FRAME)
    reader.take(1)
    if count * _RELATION.size != reader.left:
        raise MalformedError(f"truncate: expected {count} tables, got {reader.left} bytes")
    return Truncate(tuple(reader.unpack(_RELATION)[0] for _ in range(count)))


def _nothing(_reader: _Reader) -> None:
    return None


def _expect(reader: _Reader, kind: bytes) -> None:
    if (got := reader.take(1)) != kind:
        raise MalformedError(f"message: expected {kind!r}, got {got!r}")


def _whole(row: Sequence[Value]) -> Row:
    if any(value is UNCHANGED for value in row):
        raise MalformedError("insert: expected every value of the row, got one that is left as it was")
    return tuple(row)


_READ: Final[Mapping[bytes, Callable[[_Reader], Message | None]]] = {
    b"B": _begin,
    b"C": _commit,
    b"R": _relation,
    b"I": _insert,
    b"U": _update,
    b"D": _delete,
    b"T": _truncate,
    b"O": _nothing,
    b"Y": _nothing,
}
