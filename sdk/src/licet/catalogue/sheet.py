"""CSV files of works: what people export from spreadsheets and archives, read strictly and written safely.

UTF-8, with or without a byte order mark; fields between commas, semicolons or tabs, whichever the header fits; quotes,
and line ends inside quotes, as in RFC 4180. A file is read through once before anything is done with it, so that what
is wrong with its form is said before anything is sent. Rows keep the cells that they came with.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, and read without it.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from licet.errors import InputError, MalformedError
from licet.home import write_whole

COLUMNS: Final = (
    "path", "url", "site", "sha256", "title", "creator", "created", "tags", "external_id",
    "preset", "price", "currency", "price_model", "terms", "on_behalf_of", "work",
)  # fmt: skip
NAMING: Final = ("path", "url", "site", "sha256", "external_id", "work")  # a row says with these which work it is about
OURS: Final = ("error_field", "error", "state", "statement", "log_index", "registered_at")  # written, not read
MAX_ROWS: Final = 1_000_000
MAX_BYTES: Final = 1 << 30
MAX_LINE: Final = 1 << 20  # characters
MAX_HEADER: Final = 100

_MAX_CELL: Final = 131_072  # characters, as the csv library has it by itself
_DELIMITERS: Final = (",", ";", "\t")
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_QUOTED_FORMULA: Final = re.compile(r"'+[=+\-@\t\r]")
_MARKS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Sheet:
    """A CSV file whose every row can be read. ``rows`` counts them, without the header and without empty ones."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.delimiter, self.header = _header(path)
        self.columns = _columns(path, self.header)
        self.rows = sum(1 for _ in self)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (number of the row in a spreadsheet, its cells as they are); raises ``MalformedError``."""
        for number, cells in enumerate(_records(self.path, self.delimiter), 1):
            if number > MAX_ROWS + 1:
                raise MalformedError(f"{self.path}: expected at most {MAX_ROWS:,} rows, got more; split it")
            if number > 1 and any(cell.strip() for cell in cells):
                yield number, cells

    def named(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the cells of a row that are not empty, by column; raises ``InputError`` for too many or too few."""
        if len(cells) != len(self.header):
            raise InputError.field("row", f"{len(self.header)} cells as in the header", f"{len(cells)} cells")
        found = {name: plain(cell).strip() for name, cell in zip(self.columns, cells, strict=True) if name}
        return {name: cell for name, cell in found.items() if cell}


def write_errors(sheet: Sheet, target: Path, refused: Mapping[int, tuple[str, str]]) -> None:
    """Replace ``target`` by the rows of ``sheet`` that were refused, as they were, each with its field and error."""
    keep = [place for place, name in enumerate(sheet.header) if name.strip().lower() not in ("error_field", "error")]

    def rows() -> Iterator[list[str]]:
        yield [*(sheet.header[place] for place in keep), "error_field", "error"]
        for number, cells in sheet:
            if number in refused:
                whole = cells if len(cells) != len(sheet.header) else [cells[place] for place in keep]
                yield [*whole, *refused[number]]

    write_rows(target, rows(), sheet.delimiter, guarded_already=True)


def write_rows(
    target: Path, rows: Iterable[Sequence[str]], delimiter: str = ",", *, guarded_already: bool = False
) -> None:
    """Replace ``target`` by ``rows`` in one step, as spreadsheets open it: UTF-8 with a byte order mark."""
    with write_whole(target) as file:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
        for row in rows:
            writer.writerow([guarded(plain(cell) if guarded_already else cell) for cell in row])
        text.flush()
        text.detach()


def guarded(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet takes it for a formula; `plain` gives it back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """Return ``cell`` without the apostrophe that `guarded` put before it."""
    return cell[1:] if _QUOTED_FORMULA.match(cell) else cell


def _header(path: Path) -> tuple[str, list[str]]:
    best: tuple[int, str, list[str]] = (-1, ",", [])
    for delimiter in _DELIMITERS:
        with contextlib.closing(_records(path, delimiter)) as records:
            header = next(records, [])
        known = sum(name.strip().lower() in COLUMNS for name in header)
        if known > best[0]:
            best = known, delimiter, header
    if not any(name.strip() for name in best[2]):
        raise MalformedError(f"{path}: expected a first row with the names of columns, got none")
    return best[1], best[2]


def _columns(path: Path, header: Sequence[str]) -> list[str]:
    if len(header) > MAX_HEADER:
        raise MalformedError(f"{path}: expected at most {MAX_HEADER} columns, got {len(header)}")
    found: list[str] = []
    for name in header:
        column = name.strip().lower()
        if column in OURS or not column:
            found.append("")
        elif column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, 2, 0.6)
            meant = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(COLUMNS)}"
            raise InputError(f"{path}: unknown column {name!r:.80}; {meant}", field=name[:80])
        elif column in found:
            raise InputError(f"{path}: expected column {column} once, got it twice", field=column)
        else:
            found.append(column)
    if not set(found) & set(NAMING):
        raise InputError(
            f"{path}: expected a column path, url, site, sha256, external_id or work, got {', '.join(found)}"
        )
    return found


def _records(path: Path, delimiter: str) -> Generator[list[str], None, None]:
    try:
        with path.open("rb") as file:
            if file.seek(0, io.SEEK_END) > MAX_BYTES:
                raise MalformedError(f"{path}: expected at most {MAX_BYTES >> 20} MiB, got more; split it")
            file.seek(0)
            mark = file.read(2)
            if mark in _MARKS:
                raise MalformedError(f"{path}: expected UTF-8, got {_MARKS[mark]}; save it as “CSV UTF-8”")
            file.seek(0)
            with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
                yield from _parsed(path, text, delimiter)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}", field="--from") from None


def _parsed(path: Path, text: TextIO, delimiter: str) -> Iterator[list[str]]:
    reader: Any = csv.reader(_lines(path, text), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise MalformedError(f"{path}: line {reader.line_num}: expected CSV, got {error}") from None
        except UnicodeDecodeError as error:
            wrong = error.object[error.start]
            what = f"expected UTF-8, got byte 0x{wrong:02x}; save it as “CSV UTF-8”"
            raise MalformedError(f"{path}: at or after line {reader.line_num + 1}: {what}") from None
        if cells is None:
            return
        if any(len(cell) > _MAX_CELL for cell in cells):  # the library's own limit belongs to the whole process
            raise MalformedError(
                f"{path}: line {reader.line_num}: expected CSV with cells of at most {_MAX_CELL} characters, got more"
            )
        if any("\0" in cell for cell in cells):
            raise MalformedError(f"{path}: line {reader.line_num}: expected text, got a zero byte")
        yield cells


def _lines(path: Path, text: TextIO) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            raise MalformedError(f"{path}: expected lines of at most {MAX_LINE:,} characters, got a longer one")
        yield line
