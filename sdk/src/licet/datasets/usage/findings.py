"""What a re-check finds, as many rows as there may be: few are held in memory, many in a file without a name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, Final, overload
from weakref import finalize

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

#: Rows that are held as objects, and what a batch of the file has.
BATCH: Final = 8192
#: Bytes after which they go to the disk, in the folder for temporary files.
HELD: Final = 4 << 20


class Finding(msgspec.Struct, frozen=True):
    """One row and what is found out about it now. For a row to drop, ``reason`` says why; ``was`` what it was."""

    part: str
    row: int
    path: str | None
    url: str | None
    key: str | None
    verdict: str
    reason: str
    work: str | None
    statement: str | None
    licence: str | None
    match: str | None
    distance: int | None
    was: str


SCHEMA: Final = pa.schema(
    [(name, {"row": pa.int64(), "distance": pa.int16()}.get(name, pa.string())) for name in Finding.__struct_fields__]
)


class Findings(Sequence[Finding]):
    """Findings in the order in which they were found, read again as often as wanted; equal to a list of the same.

    They are kept as Arrow batches, which lie on the disk beyond `HELD` bytes and are gone with this object.
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._file = SpooledTemporaryFile(HELD)  # noqa: SIM115 - closed with this object
        finalize(self, self._file.close)
        self._offsets = [0]  # where each batch begins in the file, and where the next one will
        self._begins = [0]  # the number of its first row, likewise
        self._rest: list[Finding] = []
        self.extend(found)

    def extend(self, found: Iterable[Finding]) -> None:
        """Add ``found`` at the end."""
        for each in found:
            self._rest.append(each)
            if len(self._rest) == BATCH:
                self._store()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield them as Arrow, a column for each field."""
        for number in range(len(self._begins) - 1):
            yield self._stored(number)
        if self._rest:
            yield _batch(self._rest)

    def encoded(self) -> bytes:
        """Return them as the bytes of an Arrow stream, for `add_encoded` of others."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            for batch in self.batches():
                writer.write_batch(batch)
        return bytes(sink.getvalue())

    def add_encoded(self, data: bytes) -> None:
        """Add the findings of another; raises ``ArrowException`` for other bytes."""
        with pa.ipc.open_stream(data) as reader:
            if reader.schema != SCHEMA:
                raise pa.ArrowInvalid(f"expected findings, got {', '.join(reader.schema.names)}")
            for batch in reader:
                if len(batch) < BATCH:
                    self.extend(_findings(batch))
                else:
                    self._store()
                    self._put(batch)

    def __len__(self) -> int:
        return self._begins[-1] + len(self._rest)

    def __iter__(self) -> Iterator[Finding]:
        return self._from(0)

    @overload
    def __getitem__(self, at: int) -> Finding: ...

    @overload
    def __getitem__(self, at: slice) -> list[Finding]: ...

    def __getitem__(self, at: int | slice) -> Finding | list[Finding]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step == 1:
                return list(islice(self._from(start), max(0, stop - start)))
            return [self[number] for number in range(start, stop, step)]
        number = at + len(self) if at < 0 else at
        if not 0 <= number < len(self):
            raise IndexError(f"expected a number below {len(self)}, got {at}")
        if number >= self._begins[-1]:
            return self._rest[number - self._begins[-1]]
        place = bisect_right(self._begins, number) - 1
        return next(_findings(self._stored(place).slice(number - self._begins[place], 1)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it grows, and equals lists

    def __repr__(self) -> str:
        return f"<{len(self):,} findings>" if len(self) > 20 else repr(list(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Findings, (list(self),)

    def _from(self, start: int) -> Iterator[Finding]:
        at = start
        while at < len(self):  # asked anew: it may grow meanwhile
            if at < self._begins[-1]:
                place = bisect_right(self._begins, at) - 1
                batch = self._stored(place).slice(at - self._begins[place])
            else:
                batch = _batch(self._rest[at - self._begins[-1] :])
            yield from _findings(batch)
            at += len(batch)

    def _store(self) -> None:
        if self._rest:
            self._put(_batch(self._rest))
            self._rest = []

    def _put(self, batch: pa.RecordBatch) -> None:
        self._file.seek(self._offsets[-1])
        self._file.write(batch.serialize().to_pybytes())
        self._offsets.append(self._file.tell())
        self._begins.append(self._begins[-1] + len(batch))

    def _stored(self, number: int) -> pa.RecordBatch:
        begin, end = self._offsets[number : number + 2]
        self._file.seek(begin)
        return pa.ipc.read_record_batch(pa.py_buffer(self._file.read(end - begin)), SCHEMA)


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write ``findings`` into a Parquet file, a row each."""
    found = findings if isinstance(findings, Findings) else Findings(findings)
    part = path.with_name(f".{path.name}.part")
    with pq.ParquetWriter(part, SCHEMA) as writer:
        for batch in found.batches():
            writer.write_batch(batch)
    part.replace(path)


def _batch(found: list[Finding]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([getattr(each, field.name) for each in found], field.type) for field in SCHEMA], schema=SCHEMA
    )


def _findings(batch: pa.RecordBatch) -> Iterator[Finding]:
    return map(Finding, *(column.to_pylist() for column in batch.columns))
