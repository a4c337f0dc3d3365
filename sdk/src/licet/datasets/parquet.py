"""Parquet files: rows by their columns, streamed a batch at a time; kept rows are written with the same schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from licet.datasets.columns import find_columns
from licet.errors import MalformedError

BATCH_ROWS: Final = 65_536
BATCH_FILES: Final = 256  # rows that carry or name pictures: each may be megabytes
_GROUP_BYTES: Final = 64 << 20
_GROUP_ROWS: Final = 1 << 18


class ParquetPart:
    """One Parquet file. ``path`` in its rows is relative to the file's own folder.

    Batches never cross row groups, so leaving out the first ones skips whole row groups unread. Memory holds one
    batch, and while writing one row group of the output.
    """

    suffix = ".parquet"

    def __init__(self, file: Path, name: str, mapping: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.base: Path = file.parent
        self._path = file
        metadata = _metadata(file)
        self.schema: pa.Schema = _schema(file)
        self._columns = find_columns(self.schema, str(file), mapping)
        self.holds_files: bool = self._columns.holds_files
        self.rows: int = metadata.num_rows
        self._groups = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        self._codec = _codec(metadata)
        self._batch = BATCH_FILES if self.holds_files else BATCH_ROWS

    @property
    def place(self) -> Path:
        """Where it lies."""
        return self._path

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one without reading its rows: name, size, time, schema."""
        status = self._path.stat()
        return {
            "name": self.name,
            "kind": "parquet",
            "rows": self.rows,
            "batch": self._batch,
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "columns": dict(sorted(self._columns.names.items())),
        }

    def batches(self, skip: int = 0, *, naming: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches of the columns that say what a row is, without the first ``skip`` batches.

        ``naming``: only of those that name it, which are small.
        """
        columns = self._columns.naming() if naming else self._columns
        own = list(dict.fromkeys(columns.names.values()))
        for batch in self._read(own, skip):
            yield columns.select(batch)

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the SHA-256 of the file, hex."""
        with self._path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def write(self, target: Path, kept: Iterable[npt.NDArray[np.bool_]]) -> None:
        """Write the kept rows, all their columns, into the new file ``target`` with the schema of this one."""
        waiting: list[pa.RecordBatch] = []
        size = rows = 0
        with pq.ParquetWriter(target, self.schema, compression=self._codec) as writer:
            for batch, mask in zip(self._read(None, 0), kept, strict=True):
                if not mask.any():
                    continue
                chosen = batch.filter(pa.array(mask))
                waiting.append(chosen)
                size += chosen.nbytes
                rows += len(chosen)
                if size >= _GROUP_BYTES or rows >= _GROUP_ROWS:
                    writer.write_table(pa.Table.from_batches(waiting, self.schema))
                    waiting, size, rows = [], 0, 0
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, self.schema))

    def _read(self, columns: list[str] | None, skip: int) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self._path) as file:
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
                    raise MalformedError(f"{self._path}: row group {group} cannot be read: {error}") from None


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


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise MalformedError(f"{path}: expected a Parquet file, got {error}") from None


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise MalformedError(f"{path}: expected a Parquet file, got {error}") from None


def _codec(metadata: pq.FileMetaData) -> str:
    if metadata.num_row_groups and metadata.num_columns:
        named = str(metadata.row_group(0).column(0).compression).lower()
        return {"uncompressed": "none"}.get(named, named)
    return "zstd"
