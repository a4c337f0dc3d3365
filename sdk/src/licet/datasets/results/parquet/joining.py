"""Parquet files put end to end into one: the bytes of their columns are copied, and only the footer is written anew.

Row groups do not know of each other, so nothing is decoded and encoded again. All that depends on where they lie in the
file are the places that the footer states. Neither Arrow nor another library that is kept up does that from Python.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO, Final

from licet.datasets.results.parquet.thrift import Value, fields_of, i64, listed, number_of, struct, values_of
from licet.errors import MalformedError

_MAGIC: Final = b"PAR1"
_END: Final = 8  # bytes: the footer's length, and what a file ends with
_COPIED: Final = 1 << 20  # bytes at a time
# Fields of the footer by their ids in the format's own description.
_VERSION, _SCHEMA, _ROWS, _GROUPS, _ABOUT, _CREATED_BY, _ORDERS = range(1, 8)
_COLUMNS, _GROUP_AT, _ORDINAL = 1, 5, 7  # of a row group
_ELSEWHERE, _CHUNK_AT, _META, _OFFSETS_AT, _INDEX_AT = 1, 2, 3, 4, 6  # of one of its columns
_PLACES: Final = (9, 10, 11, 14)  # of that column's metadata: pages of data, of an index, dictionary, Bloom filter
_SAME: Final = (_VERSION, _SCHEMA, _ABOUT, _ORDERS)  # what all files have in common


class Joined:
    """One Parquet file of the row groups of several, in their order; it is whole once it is closed.

    At least one has to be appended, and all have one schema and say the same of themselves.
    """

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file: Final = path.open("wb")
        self._file.write(_MAGIC)
        self._stated: dict[int, Value] = {}
        self._groups: list[Value] = []

    def append(self, path: Path) -> None:
        """Append the row groups of a file; raises ``MalformedError`` for one that does not fit those before it."""
        with path.open("rb") as file:
            try:
                end = self._state(*_footer(file))
            except (IndexError, KeyError, ValueError) as error:
                raise MalformedError(f"{path}: expected a Parquet file to go on with, got {error}") from None
            file.seek(len(_MAGIC))
            while (left := end - file.tell()) > 0:
                piece = file.read(min(left, _COPIED))
                if not piece:
                    raise MalformedError(f"{path}: expected {left:,} more bytes, got its end")
                self._file.write(piece)

    def close(self) -> None:
        """Write what the file says of itself, and close it."""
        stated = self._stated | {_ROWS: i64(self.rows), _GROUPS: listed(self._groups)}
        footer = struct(dict(sorted(stated.items()))).data
        self._file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        self._file.close()

    def _state(self, footer: dict[int, Value], end: int) -> int:
        """Take what a file says of itself, for its bytes to come here; return where in it the footer begins."""
        self._stated = self._stated or footer
        for each in _SAME:
            if footer.get(each) != self._stated.get(each):
                raise ValueError("another schema, or other metadata, than those before it")
        if set(footer) - {*_SAME, _ROWS, _GROUPS, _CREATED_BY}:
            raise ValueError("one that is encrypted")
        by = self._file.tell() - len(_MAGIC)
        self._groups.extend(_moved(group, by) for group in values_of(footer[_GROUPS]))
        self.rows += number_of(footer[_ROWS])
        return end

    def __enter__(self) -> Joined:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()


def _footer(file: IO[bytes]) -> tuple[dict[int, Value], int]:
    """Return the fields of a file's footer, and where it begins."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END))
    length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    end = size - _END - length
    if magic != _MAGIC or end < len(_MAGIC):
        raise ValueError("other bytes")
    file.seek(end)
    return fields_of(file.read(length)), end


def _moved(group: Value, by: int) -> Value:
    """Return what a footer says of a row group, for one that lies ``by`` bytes further on."""
    fields = fields_of(group.data)
    columns = []
    for column in values_of(fields[_COLUMNS]):
        chunk = fields_of(column.data)
        if _ELSEWHERE in chunk or _META not in chunk:
            raise ValueError("columns that are elsewhere, or encrypted")
        about = fields_of(chunk[_META].data)
        chunk[_META] = struct(about | _shifted(about, _PLACES, by))
        columns.append(struct(chunk | _shifted(chunk, (_CHUNK_AT, _OFFSETS_AT, _INDEX_AT), by)))
    fields |= {_COLUMNS: listed(columns)} | _shifted(fields, (_GROUP_AT,), by)
    fields.pop(_ORDINAL, None)  # may be left out, and is another one now
    return struct(fields)


def _shifted(fields: dict[int, Value], places: tuple[int, ...], by: int) -> dict[int, Value]:
    """Return those of some fields that name a place in the file; 0 names none."""
    found = ((each, number_of(fields[each])) for each in places if each in fields)
    return {each: i64(at + by) for each, at in found if at}
