"""Rows that are lines of text, CSV or JSON: read a batch at a time, kept ones written as the very bytes they were.

A row that is not of the form is malformed: it is counted, never kept, and told with its line; the rest goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import compress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from licet.datasets.forms.files import Base, File, Packing, packed, unpacked
from licet.datasets.forms.parts import MALFORMED, Copying, Remarks
from licet.datasets.forms.seals import digest_of, sealed
from licet.errors import MalformedError

BATCH_ROWS: Final = 65_536
BATCH_FILES: Final = 256  # rows that name pictures
#: What a row may take: a line, or in CSV a quoted text over several.
MAX_ROW: Final = 16 << 20
MOST_EMPTY: Final = 1_000_000  # lines in a row
BOM: Final = b"\xef\xbb\xbf"
_BATCH_BYTES: Final = 32 << 20
_SAMPLE: Final = 1 << 20
_OTHER_TEXT: Final = (b"\xff\xfe", b"\xfe\xff")
_NAMING: Final = ("url", "path", "key")
_NAMES: Final = ("path", "key")
_ADDRESSES: Final = ("http://", "https://")
_TEXT: Final = pa.large_string()
_IMAGE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

#: The values of a row in the order of the part's columns, None where it has none; or why it is no row.
Row = Sequence[str | None] | str


class Lines(Protocol):
    """What rows are read from."""

    def readline(self, limit: int = -1, /) -> bytes:
        """Return the next line, or its first bytes."""


class Record(NamedTuple):
    """One row: its bytes with their line ending, its first line's number, and what is in it."""

    raw: bytes
    line: int
    row: Row


class LinesPart(ABC):
    """A file of lines. ``path`` in its rows is relative to the file's own folder."""

    bundle = False
    steps = None  # what lies before has to be read
    bound = False
    kind: str

    def __init__(self, file: File, name: str, packing: Packing | None, columns: Sequence[str], *, files: bool) -> None:
        """``columns``: those of our names that its rows may have. ``image`` is text here: a place, or an address."""
        self.name = name
        self.base: Base = file.base
        self.remarks = Remarks()
        self.holds_files = files
        self._names = {name: place for place, name in enumerate(columns)}
        self._file = file
        self._packing = packing
        self._batch = BATCH_FILES if self.holds_files else BATCH_ROWS
        self._digest: str | None = None

    @property
    def shown(self) -> str:
        """How people call it."""
        return self._file.shown

    @property
    def place(self) -> Path | None:
        """Where it lies on this machine."""
        return self._file.path

    @property
    def rows(self) -> int | None:
        """About how many rows there are, by the length of the first; None for a compressed file."""
        if self._packing is not None:
            return None
        with self._file.open() as stream:
            sample = stream.read(_SAMPLE)
        lines = sample.count(b"\n") + (not sample.endswith(b"\n"))
        return max(1, lines * self._file.size // max(1, len(sample)))

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one without reading its rows."""
        return {"name": self.name, "kind": self.kind, "batch": self._batch, **self._file.stamp()}

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches, without the first ``skip`` batches."""
        with unpacked(self._file, self._packing) as stream:
            for number, records in enumerate(self._gathered(stream)):
                if number >= skip:
                    yield self._sealed(self._batch_of(records, naming=False), records)

    def write(self, target: Path | None) -> Copying:
        """Yield the rows once more by their names alone; write those that are kept, byte for byte."""
        self.remarks = Remarks()
        with ExitStack() as stack:
            stream = stack.enter_context(_Hashing(unpacked(self._file, self._packing)))
            out = None if target is None else stack.enter_context(packed(target, self._packing))
            if out is not None:
                out.write(self.preamble)
            for records in self._gathered(stream):
                for record in records:
                    why = record.row if isinstance(record.row, str) else self._torn(record.row)
                    if why is not None:
                        self.remarks.add(f"{self._file.shown}, line {record.line}: {why}")
                mask = yield self._sealed(self._batch_of(records, naming=True), records)
                if out is not None:
                    out.writelines(compress((record.raw for record in records), mask.tolist()))
            self._digest = stream.digest

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the SHA-256 of what is in the file (unpacked), hex, once it was copied."""
        assert self._digest is not None
        return self._digest

    @property
    @abstractmethod
    def preamble(self) -> bytes:
        """What stands before the first row, and in every copy."""

    @abstractmethod
    def records(self, stream: Lines) -> Iterator[Record]:
        """Yield the rows of ``stream``, in order."""

    def _gathered(self, stream: Lines) -> Iterator[list[Record]]:
        gathered: list[Record] = []
        size = 0
        for record in self.records(stream):
            gathered.append(record)
            size += len(record.raw)
            if len(gathered) == self._batch or size >= _BATCH_BYTES:
                yield gathered
                gathered, size = [], 0
        if gathered:
            yield gathered

    def _sealed(self, batch: pa.RecordBatch, records: Iterable[Record]) -> pa.RecordBatch:
        """Return ``batch`` with the digest of its lines, under a header that says what is in them."""
        return sealed(batch, digest_of((self.preamble, b"".join(record.raw for record in records))))

    def _torn(self, row: Sequence[str | None]) -> str | None:
        """Return why it is not known which picture the row names: ``image`` says another than its own column."""
        image = row[self._names["image"]] if "image" in self._names else None
        if not image:
            return None
        name = "url" if image.startswith(_ADDRESSES) else "path"
        other = row[self._names[name]] if name in self._names else None
        if not other or other == image:
            return None
        return f"expected one picture, got two: {name} and image differ; --columns image=- or {name}=- chooses"

    def _batch_of(self, records: Sequence[Record], *, naming: bool) -> pa.RecordBatch:
        nothing: Row = (None,) * len(self._names)
        wrong = np.array([isinstance(each.row, str) or self._torn(each.row) is not None for each in records], np.bool_)
        rows = [nothing if isinstance(record.row, str) else record.row for record in records]
        lists = {name: [row[place] for row in rows] for name, place in self._names.items()}
        images = lists.pop("image", None)
        if images is not None:
            _fuse(lists, images)
        columns = {name: _column(name, values) for name, values in lists.items() if not naming or name in _NAMING}
        columns["problem"] = pa.array(np.where(wrong, MALFORMED, 0).astype(np.uint8))
        return pa.RecordBatch.from_pydict(columns)


def _fuse(lists: dict[str, list[str | None]], images: list[str | None]) -> None:
    """Put what ``image`` says where a row has no place or no address of its own."""
    nothing: list[str | None] = [None] * len(images)
    paths, urls = lists.get("path", nothing), lists.get("url", nothing)
    remote = [image is not None and image.startswith(_ADDRESSES) for image in images]
    placed = zip(paths, images, remote, strict=True)
    addressed = zip(urls, images, remote, strict=True)
    lists["path"] = [path or (None if away else image) for path, image, away in placed]
    lists["url"] = [url or (image if away else None) for url, image, away in addressed]


def _column(name: str, values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, _TEXT)
    except UnicodeEncodeError:
        # Bytes that are no text: a name keeps the look of it, an address or a digest becomes one that does not parse.
        keep = name in _NAMES
        return pa.array([None if value is None else _clean(value, keep=keep) for value in values], _TEXT)


def _clean(value: str, *, keep: bool) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="surrogateescape").decode(errors="replace") if keep else ""
    return value


def text_schema(names: Sequence[str], mapping: Mapping[str, str] | None) -> pa.Schema:
    """Return the schema of columns of text: a text cannot hold a picture, but ``image`` may name one."""
    image = (mapping or {}).get("image")
    return pa.schema([(name, _IMAGE if name == image or name.lower() == "image" else pa.string()) for name in names])


def is_other_text(start: bytes) -> bool:
    """Return whether a file that starts so is text in an encoding that we do not read."""
    return start.startswith(_OTHER_TEXT) or b"\0" in start[:4]


def read_line(stream: Lines, shown: str, line: int) -> bytes:
    """Return the next line with its ending, empty at the end; raises ``MalformedError`` for one over the limit."""
    raw = stream.readline(MAX_ROW + 1)
    if len(raw) > MAX_ROW:
        raise MalformedError(f"{shown}, line {line}: expected a row of at most {MAX_ROW:,} bytes, got more")
    return raw


def one_more_empty(empty: int, shown: str, line: int) -> int:
    """Return how many empty lines came one after the other; raises ``MalformedError`` for more than anybody leaves: a
    packed megabyte of them would take hours."""
    if empty >= MOST_EMPTY:
        raise MalformedError(f"{shown}, line {line}: expected a row after {MOST_EMPTY:,} empty lines, got another one")
    return empty + 1


class _Hashing:
    """A stream that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def readline(self, limit: int = -1) -> bytes:
        data = self._stream.readline(limit)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def __enter__(self) -> _Hashing:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
