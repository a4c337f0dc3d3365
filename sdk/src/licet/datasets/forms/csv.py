"""CSV and TSV with a header: quoted as in RFC 4180, in whichever of four delimiters, UTF-8 with or without a mark.

Only the columns that say what a row is are looked at. Other columns may hold any bytes, and come out as they were.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from licet.datasets.forms.columns import Columns, find_columns
from licet.datasets.forms.files import File, Packing, unpacked
from licet.datasets.forms.lines import (
    BOM,
    MAX_ROW,
    Lines,
    LinesPart,
    Record,
    Row,
    is_other_text,
    one_more_empty,
    read_line,
    text_schema,
)
from licet.errors import InputError, MalformedError

_DELIMITERS: Final = (",", "\t", ";", "|")


class CsvPart(LinesPart):
    """One file with a row a record. A row is malformed that has more or fewer fields than the header, or that cannot
    be told apart from the next one."""

    kind = "csv"

    def __init__(self, file: File, name: str, packing: Packing | None, mapping: Mapping[str, str] | None) -> None:
        with unpacked(file, packing) as stream:
            self._header = _header(stream, file.shown)
        self._delimiter, self._fields = _dialect(self._header, file.shown, mapping)
        columns = _columns(self._fields, file.shown, mapping)
        self._places = [self._fields.index(own) for own in columns.names.values()]
        super().__init__(file, name, packing, list(columns.names), files=columns.holds_files)

    def stamp(self) -> dict[str, object]:
        """Return what tells this input from a changed one: also which columns are read."""
        read = {name: self._fields[place] for name, place in zip(self._names, self._places, strict=True)}
        return {**super().stamp(), "columns": dict(sorted(read.items())), "delimiter": self._delimiter}

    @property
    def preamble(self) -> bytes:
        """The header, byte for byte."""
        return self._header

    def records(self, stream: Lines) -> Iterator[Record]:
        """Yield the records after the header. Empty lines are none."""
        stream.readline(len(self._header))
        reading = _Reading(stream, self.shown, self._header.count(b"\n") + 1)
        # Fields may be as long as rows; the limit is the process's, and is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
        reader = csv.reader(reading, delimiter=self._delimiter)
        pick = _picker(self._places)
        width, empty = len(self._fields), 0
        while True:
            line = reading.line
            row: Row
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                row = f"expected fields of CSV, got {error}"
            else:
                if reading.open:
                    row = "expected a closing quote, got the end of the file"
                elif len(fields) != width:
                    if not fields:
                        reading.take()
                        empty = one_more_empty(empty, self.shown, line)
                        continue
                    row = f"expected {width} fields, got {len(fields)}"
                else:
                    row = pick(fields)
            yield Record(reading.take(), line, row)
            empty = 0


class _Reading:
    """The lines as text for the CSV reader, and the bytes of those that it took for one record."""

    def __init__(self, stream: Lines, shown: str, line: int) -> None:
        self.line = line
        self.open = False  # the file ended within a record
        self._stream = stream
        self._shown = shown
        self._taken: list[bytes] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        while raw := read_line(self._stream, self._shown, self.line):
            self._taken.append(raw)
            self._size += len(raw)
            self.line += 1
            if self._size > MAX_ROW:
                first = self.line - len(self._taken)
                raise MalformedError(
                    f"{self._shown}, line {first}: expected a row of at most {MAX_ROW:,} bytes, got more;"
                    " perhaps a quote is not closed"
                )
            yield raw.decode("utf-8", "surrogateescape")
        self.open = bool(self._taken)

    def take(self) -> bytes:
        """Return the bytes of the record, and begin the next."""
        taken, self._taken, self._size = self._taken, [], 0
        return taken[0] if len(taken) == 1 else b"".join(taken)


def _picker(places: Sequence[int]) -> Callable[[list[str]], list[str | None]]:
    return lambda fields: [fields[place] or None for place in places]


def _header(stream: Lines, shown: str) -> bytes:
    """Return the bytes of the header record, its mark and line ending included."""
    reading = _Reading(stream, shown, 1)
    try:
        fields = next(csv.reader(reading))
    except StopIteration:
        raise InputError.field(shown, "a header that names the columns", "an empty file") from None
    except csv.Error as error:
        raise MalformedError(f"{shown}: expected CSV, got {error}") from None
    header = reading.take()
    if is_other_text(header) or b"\0" in header:
        raise MalformedError(f"{shown}: expected CSV in UTF-8, got bytes of another encoding")
    if not fields or reading.open or not header.removeprefix(BOM).strip():
        raise InputError.field(shown, "a header that names the columns", header[:80].decode(errors="replace"))
    return header


def _dialect(header: bytes, shown: str, mapping: Mapping[str, str] | None) -> tuple[str, list[str]]:
    """Return the delimiter under which the header has columns that we read, else the most; and its fields."""
    text = header.removeprefix(BOM).decode("utf-8", "surrogateescape")
    lines = [line + "\n" for line in text.split("\n")]  # as `_Reading` tells them apart, and nothing else
    tries = []
    for delimiter in _DELIMITERS:
        try:
            fields = next(csv.reader(lines, delimiter=delimiter))
        except csv.Error as error:
            raise MalformedError(f"{shown}: expected CSV, got {error}") from None
        try:
            _columns(fields, shown, mapping)
        except InputError:
            tries.append((delimiter, fields))
        else:
            return delimiter, fields
    return max(tries, key=lambda each: len(each[1]))


def _columns(fields: Sequence[str], shown: str, mapping: Mapping[str, str] | None) -> Columns:
    names = [field.encode("utf-8", "surrogateescape").decode(errors="replace") for field in fields]
    return find_columns(text_schema(names, mapping), shown, mapping)
