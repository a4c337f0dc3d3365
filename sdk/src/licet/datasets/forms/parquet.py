"""Parquet files: rows by their columns, streamed a batch at a time; kept rows are written with the same schema."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from hashlib import file_digest, sha256
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from licet.datasets.forms.choosing import chosen
from licet.datasets.forms.columns import find_columns
from licet.datasets.forms.files import Base, File
from licet.datasets.forms.groups import Groups, opened
from licet.datasets.forms.parts import Copying, Mask, Remarks, Stretch
from licet.datasets.forms.seals import changed, digest_of_columns, sealed

BATCH_ROWS: Final = 65_536
BATCH_FILES: Final = 256  # rows that carry or name pictures: each may be megabytes
PIECE: Final = 16  # batches of addresses that are worth being a piece of work: a million, a few seconds
PIECES_OF_A_GROUP: Final = 8  # at most: whoever begins in the middle of a row group reads what is before it
_GROUP_BYTES: Final = 64 << 20
_GROUP_ROWS: Final = 1 << 18
_Batches = Iterator[tuple[int, pa.RecordBatch]]  # each with its row group
_CODE_BYTES: Final = 6  # of a value in a column that is coded, and of its part in the dictionary


class ParquetPart:
    """One Parquet file. ``path`` in its rows is relative to the file's own folder.

    Batches never cross row groups, so leaving out the first ones skips whole row groups unread. Memory holds one
    batch of the columns that say what a row is, and while writing one row group of the output.
    """

    bundle = False
    bound = False

    def __init__(self, file: File, name: str, mapping: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.base: Base = file.base
        self.remarks = Remarks()
        self._file = file
        metadata, self.schema, self._codec = about(file)
        self._repeating = repeating(metadata)
        self._columns = find_columns(self.schema, file.shown, mapping)
        self.holds_files: bool = self._columns.holds_files
        self.rows: int = metadata.num_rows
        groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
        self._groups: list[int] = [each.num_rows for each in groups]
        self._sizes: list[int] = [each.total_byte_size for each in groups]
        self._batch = BATCH_FILES if self.holds_files else BATCH_ROWS
        self.steps: int = sum(-(-rows // self._batch) for rows in self._groups)

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

    def stretches(self) -> list[Stretch]:
        """Return its rows in stretches that are worth a worker each, at least one; where they begin and end is always
        the same."""
        if self.holds_files:
            return [Stretch(0, self.steps, 0, self.rows)]
        most, found = PIECE * self._batch, [Stretch()]
        for rows in self._groups:
            whole = -(-rows // self._batch)
            pieces = min(PIECES_OF_A_GROUP, max(1, -(-rows // most)))
            size = -(-whole // pieces) or 1
            for first in range(0, whole, size):
                batches, now = min(size, whole - first), min(size * self._batch, rows - first * self._batch)
                last = found[-1]
                if last.rows and last.rows + now > most:
                    found.append(Stretch(last.first + last.batches, batches, last.row + last.rows, now))
                else:
                    found[-1] = last._replace(batches=last.batches + batches, rows=last.rows + now)
        return found

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches of the columns that say what a row is, without the first ``skip`` batches."""
        with ExitStack() as stack:
            for _, batch in self._read(Groups(self._file, stack), self._read_names(), skip):
                rows = self._columns.select(batch)
                yield sealed(rows, digest_of_columns(rows))

    def write(self, target: Path | None, stretch: Stretch | None = None) -> Copying:
        """Yield the rows by their names; write those that are kept, all their columns, with the schema of this file.

        With a ``stretch``, of it alone.
        """
        naming = self._columns.naming()
        if target is None:
            with ExitStack() as stack:
                names = [*dict.fromkeys(naming.names.values())]
                for _, batch in self._read(Groups(self._file, stack), names, 0):
                    yield naming.select(batch)
            return
        with closing(self._copy(target, stretch, lambda batches: batches)) as copying, suppress(StopIteration):
            rows = next(copying)
            while True:
                mask = yield sealed(rows.select(list(naming.names)), digest_of_columns(rows))
                rows = copying.send(mask)

    def copy(self, target: Path, stretch: Stretch | None = None) -> Copying:
        """Do what `write` does, and yield the rows by all columns that say what they are: to examine them meanwhile.

        Rows of small row groups come together, where little is in them; how many is not what `batches` yields.
        """
        return self._copy(target, stretch, _gathered)

    def _copy(self, target: Path, stretch: Stretch | None, gather: Callable[[_Batches], _Batches]) -> Copying:
        stretch = stretch or Stretch(0, self.steps, 0, self.rows)
        with ExitStack() as stack:
            writer = stack.enter_context(GroupWriter(target, self.schema, self._codec, self._repeating))
            # Pictures are read once, in small batches, and so are tables of small rows; what else a table has beside
            # addresses, a few rows at a time.
            touched = self._groups_of(stretch)
            groups = Groups(self._file, stack, share=self._share(touched))
            once = self.holds_files or all(groups.fits(each, BATCH_ROWS) for each in touched)
            whole = None if once else _Whole(groups, stretch.row - sum(self._groups[: touched.start]))
            names = None if whole is None else self._read_names()
            batches = islice(self._read(groups, names, stretch.first), stretch.batches)
            for group, batch in batches if whole is not None else gather(batches):
                rows = self._columns.select(batch)
                mask = yield rows
                for step, kept in [(batch, mask)] if whole is None else whole.beside(group, mask):
                    if whole is not None and not self._columns.select(step).equals(rows.slice(0, len(step))):
                        raise changed(self._file.shown)
                    rows = rows.slice(len(step))
                    if kept.any():
                        writer.add(step if kept.all() else chosen(step, kept))

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the SHA-256 of the file, hex; of one in a store, of what tells it from every other version of it."""
        if self._file.path is None:
            return sha256(msgspec.json.encode([self._file.shown, self._file.stamp()], order="sorted")).hexdigest()
        with self._file.open() as file:
            return file_digest(file, "sha256").hexdigest()

    def _read_names(self) -> list[str]:
        return list(dict.fromkeys(self._columns.names.values()))

    def _read(self, groups: Groups, columns: list[str] | None, skip: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield batches of some columns, or of all, each with its row group."""
        if groups.sizes != self._groups:
            raise changed(self._file.shown)
        for group, rows in enumerate(self._groups):
            count = -(-rows // self._batch)
            if skip >= count:
                skip -= count
                continue
            for batch in groups.batches(group, columns, self._batch):
                if skip:
                    skip -= 1
                else:
                    yield group, batch

    def _groups_of(self, stretch: Stretch) -> range:
        """Return the row groups that rows of a stretch are in."""
        ends = list(accumulate(self._groups))
        return range(
            bisect_right(ends, stretch.row), bisect_left(ends, stretch.row + stretch.rows) + bool(stretch.rows)
        )

    def _share(self, groups: range) -> float:
        """Return the share of the file, by rows or by bytes, that some of its row groups are."""
        shares = (sum(each[groups.start : groups.stop]) / max(1, sum(each)) for each in (self._groups, self._sizes))
        return max(shares)


def _gathered(batches: _Batches) -> _Batches:
    """Yield rows of small batches together: each batch costs something, however few its rows are."""
    waiting: list[pa.RecordBatch] = []
    rows = last = 0
    for group, batch in batches:
        if waiting and rows + len(batch) > BATCH_ROWS:
            yield last, pa.concat_batches(waiting)
            waiting, rows = [], 0
        waiting.append(batch)
        rows, last = rows + len(batch), group
    if waiting:
        yield last, pa.concat_batches(waiting)


class _Whole:
    """The rows of a file with all their columns, a step at a time, beside batches of a few of them."""

    def __init__(self, groups: Groups, before: int) -> None:
        """``before``: rows of the first group that are passed over."""
        self._groups = groups
        self._before = before
        self._group = -1
        self._steps: Iterator[pa.RecordBatch] = iter(())
        self._left: pa.RecordBatch | None = None

    def beside(self, group: int, mask: Mask) -> Iterator[tuple[pa.RecordBatch, Mask]]:
        """Yield the next rows of a group, as many as the mask has, in steps, each with its part of the mask."""
        if group != self._group:
            self._group, self._left = group, None
            self._steps = self._groups.steps(group, None, BATCH_ROWS)
            for _ in self._next(self._before):
                pass
            self._before = 0
        for step in self._next(len(mask)):
            yield step, mask[: len(step)]
            mask = mask[len(step) :]

    def _next(self, rows: int) -> Iterator[pa.RecordBatch]:
        while rows:
            step = self._left or next(self._steps, None)
            if step is None:
                raise changed(self._groups.shown)
            now = min(len(step), rows)
            self._left = step.slice(now) if now < len(step) else None
            rows -= now
            yield step.slice(0, now)


class GroupWriter:
    """Writes rows in groups of a bounded size."""

    def __init__(self, target: Path, schema: pa.Schema, codec: str, repeating: Sequence[str] | bool) -> None:
        """``repeating`` names the columns whose values are worth a dictionary."""
        self._writer = pq.ParquetWriter(target, schema, compression=codec, use_dictionary=repeating)
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


def about(file: File) -> tuple[pq.FileMetaData, pa.Schema, str]:
    """Return what a Parquet file says of itself, its schema, and how it is compressed."""
    with ExitStack() as stack:
        found = opened(file, stack)
        return found.metadata, found.schema_arrow, _codec(found.metadata)


def repeating(metadata: pq.FileMetaData) -> Sequence[str] | bool:
    """Return the columns of a Parquet file whose values repeat themselves, or whether all do.

    Whoever wrote it may have begun a dictionary of every column and ended with the values themselves.
    """
    if not metadata.num_row_groups:
        return True
    first = metadata.row_group(0)
    chunks = [first.column(place) for place in range(first.num_columns)]
    return [
        each.path_in_schema
        for each in chunks
        if each.has_dictionary_page and each.total_uncompressed_size <= _CODE_BYTES * max(1, each.num_values)
    ] or False


def _codec(metadata: pq.FileMetaData) -> str:
    if metadata.num_row_groups and metadata.num_columns:
        named = str(metadata.row_group(0).column(0).compression).lower()
        return {"uncompressed": "none"}.get(named, named)
    return "zstd"
