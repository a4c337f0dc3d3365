"""Parquet files: rows by their columns, streamed a batch at a time; kept rows are written with the same schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from licet.datasets.forms.columns import find_columns
from licet.datasets.forms.files import Base, File
from licet.datasets.forms.parts import Copying, Remarks
from licet.datasets.forms.seals import digest_of_columns, sealed
from licet.errors import MalformedError

BATCH_ROWS: Final = 65_536
BATCH_FILES: Final = 256  # rows that carry or name pictures: each may be megabytes
_GROUP_BYTES: Final = 64 << 20
_GROUP_ROWS: Final = 1 << 18
_BUFFER: Final = 1 << 20
_BUFFER_FAR: Final = 4 << 20


class ParquetPart:
    """One Parquet file. ``path`` in its rows is relative to the file's own folder.

    Batches never cross row groups, so leaving out the first ones skips whole row groups unread. Memory holds one
    batch, and while writing one row group of the output.
    """

    bundle = False
    bound = False

    def __init__(self, file: File, name: str, mapping: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.base: Base = file.base
        self.remarks = Remarks()
        self._file = file
        metadata, self.schema, self._codec = about(file)
        self._columns = find_columns(self.schema, file.shown, mapping)
        self.holds_files: bool = self._columns.holds_files
        self.rows: int = metadata.num_rows
        self._groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        self._batch = BATCH_FILES if self.holds_files else BATCH_ROWS

    @property
    def place(self) -> Path | None:
        """Where it lies on this machine."""
        return self._file.path

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one without reading its rows: name, size, time, schema."""
        return {
            "name": self.name,
            "kind": "parquet",
            "rows": self.rows,
            "batch": self._batch,
            **self._file.stamp(),
            "columns": dict(sorted(self._columns.names.items())),
        }

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches of the columns that say what a row is, without the first ``skip`` batches."""
        for batch in self._read(list(dict.fromkeys(self._columns.names.values())), skip):
            rows = self._columns.select(batch)
            yield sealed(rows, digest_of_columns(rows))

    def write(self, target: Path | None) -> Copying:
        """Yield the rows by their names; write those that are kept, all their columns, with the schema of this file."""
        columns = self._columns.naming()
        with ExitStack() as stack:
            writer = None if target is None else stack.enter_context(GroupWriter(target, self.schema, self._codec))
            read = list(dict.fromkeys(columns.names.values())) if writer is None else None
            for batch in self._read(read, 0):
                rows = columns.select(batch)
                if writer is None:
                    yield rows
                    continue
                mask = yield sealed(rows, digest_of_columns(self._columns.select(batch)))
                if mask.any():
                    writer.add(batch if mask.all() else batch.filter(pa.array(mask)))

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the SHA-256 of the file, hex; of one in a store, of what tells it from every other version of it."""
        if self._file.path is None:
            return sha256(msgspec.json.encode([self._file.shown, self._file.stamp()], order="sorted")).hexdigest()
        with self._file.open() as file:
            return file_digest(file, "sha256").hexdigest()

    def _read(self, columns: list[str] | None, skip: int) -> Iterator[pa.RecordBatch]:
        with ExitStack() as stack:
            file = opened(self._file, stack)
            for group, rows in enumerate(self._groups):
                count = -(-rows // self._batch)
                if skip >= count:
                    skip -= count
                    continue
                try:
                    found = file.iter_batches(self._batch, row_groups=[group], columns=columns)
                    for batch in _even(found, self._batch):
                        if skip:
                            skip -= 1
                        else:
                            yield batch
                except (pa.ArrowException, OSError) as error:
                    raise MalformedError(f"{self._file.shown}: row group {group} cannot be read: {error}") from None


def _even(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of exactly ``size``, but for the last: whatever columns are read, batch n of a
    file holds the same rows."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        while rows >= size:
            whole = waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)
            yield whole.slice(0, size)
            rows -= size
            waiting = [whole.slice(size)] if rows else []
    if rows:
        yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)


class GroupWriter:
    """Writes rows in groups of a bounded size."""

    def __init__(self, target: Path, schema: pa.Schema, codec: str) -> None:
        self._writer = pq.ParquetWriter(target, schema, compression=codec)
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._size = self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take more rows."""
        self._waiting.append(batch)
        self._size += batch.nbytes
        self._rows += len(batch)
        if self._size >= _GROUP_BYTES or self._rows >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
            self._waiting, self._size, self._rows = [], 0, 0

    def __enter__(self) -> GroupWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def opened(file: File, stack: ExitStack) -> pq.ParquetFile:
    """Return ``file`` opened until ``stack`` ends; raises ``MalformedError`` for what is no Parquet."""
    # Buffered: a column chunk is read piece by piece, not whole; one of pictures may be larger than the memory.
    buffer = _BUFFER if file.path is not None else _BUFFER_FAR
    try:
        source = file.path if file.path is not None else pa.PythonFile(stack.enter_context(file.ranges()), mode="r")
        return stack.enter_context(pq.ParquetFile(source, buffer_size=buffer, pre_buffer=False))
    except pa.ArrowException as error:
        raise MalformedError(f"{file.shown}: expected a Parquet file, got {error}") from None
    except OSError as error:
        # What is not Parquet is an OSError to Arrow too, but one without a number.
        if error.errno is not None:
            raise
        raise MalformedError(f"{file.shown}: expected a Parquet file, got {error}") from None


def about(file: File) -> tuple[pq.FileMetaData, pa.Schema, str]:
    """Return what a Parquet file says of itself, its schema, and how it is compressed."""
    with ExitStack() as stack:
        found = opened(file, stack)
        return found.metadata, found.schema_arrow, _codec(found.metadata)


def _codec(metadata: pq.FileMetaData) -> str:
    if metadata.num_row_groups and metadata.num_columns:
        named = str(metadata.row_group(0).column(0).compression).lower()
        return {"uncompressed": "none"}.get(named, named)
    return "zstd"
