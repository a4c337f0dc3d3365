"""Row groups of a Parquet file, read a step at a time: how many rows a step takes goes by what they may come to.

A dictionary states a value once, and a few bytes repeat it a million times: 47 kB on disk may be 200 GB in memory. So
the longest value of each dictionary is looked at before the rows are, and steps are as small as it asks. What one row
holds is held whole, as is a page of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from licet.datasets.forms.files import File
from licet.errors import MalformedError

#: What a step may come to by the longest values of its columns.
STEP_BYTES: Final = 64 << 20
#: What rows may come to by the longest values that are held at once although they need not be.
HELD_BYTES: Final = 256 << 20
#: What the rows that are examined together may come to, unless the file itself is that large.
MOST_BYTES: Final = 512 << 20
#: What all rows of a file may come to: so much, or so many times its size.
MOST_READ: Final = 16 << 30
MOST_EXPANSION: Final = 1000
_STEP_ROWS: Final = 8192  # more are hardly faster
_EXPANSION: Final = 64  # to one: beyond it, and beyond the above, rows are no longer what anybody would have written
_BUFFER: Final = 1 << 20
#: Encodings of columns that are read as dictionaries.
_CODES: Final = frozenset({"PLAIN", "RLE", "BIT_PACKED", "RLE_DICTIONARY", "PLAIN_DICTIONARY"})
_BUFFER_FAR: Final = 4 << 20


class Groups:
    """One Parquet file, opened until ``stack`` ends. Columns are named as in the file, or by a path within one of them
    (``matches.list.element.work``); a step has at most ``step`` rows. Texts of ``coded`` come as dictionaries where the
    file has them so throughout."""

    def __init__(
        self, file: File, stack: ExitStack, step: int = _STEP_ROWS, coded: Sequence[str] = (), *, share: float = 1
    ) -> None:
        """``share`` of what all rows may come to is what those that are read here may."""
        self.shown: str = file.shown
        self._step = step
        self._open = opened(file, stack)
        if coded := _coded_throughout(self._open.metadata, coded):
            self._open = opened(file, stack, coded)
        self._file, self._stack = file, stack
        self._coded: pq.ParquetFile | None = None
        self._left = self._most = int(share * max(MOST_READ, MOST_EXPANSION * file.size))

    def batches(self, group: int, columns: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a group in batches of exactly ``size``, but for the last: whatever columns are read, batch
        n of a file holds the same rows. Raises ``MalformedError`` for rows that come to far more than the file."""
        about = self._open.metadata.row_group(group)
        read = set(self.names if columns is None else columns)
        chunks = [about.column(place) for place in range(about.num_columns)]
        stored = sum(each.total_compressed_size for each in chunks if _among(each.path_in_schema, read))
        most = max(MOST_BYTES, _EXPANSION * stored)
        waiting: list[pa.RecordBatch] = []
        rows = held = 0
        for step in self.steps(group, columns, size):
            waiting.append(step)
            rows += len(step)
            held += step.nbytes
            if held > most:
                raise MalformedError(
                    f"{self.shown}: row group {group}: expected {size:,} rows of at most {most:,} bytes, got more"
                )
            while rows >= size:
                whole = waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)
                yield whole.slice(0, size)
                rows -= size
                waiting = [whole.slice(size)] if rows else []
                held = sum(each.nbytes for each in waiting)
        if rows:
            yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)

    def steps(self, group: int, columns: Sequence[str] | None, most: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a group, as few at a time as keeps a step small, and at most ``most``."""
        try:
            size = self._size(group, set(self.names if columns is None else columns))
            rows = max(1, min(most, self._step, STEP_BYTES // max(1, size)))
            for step in self._open.iter_batches(rows, row_groups=[group], columns=columns):
                self._left -= step.nbytes
                if self._left < 0:
                    raise MalformedError(
                        f"{self.shown}: expected rows of at most {self._most:,} bytes, or {MOST_EXPANSION} times the"
                        " file, got more: it repeats itself as no dataset does"
                    )
                yield step
        except (pa.ArrowException, OSError, MemoryError) as error:
            raise MalformedError(f"{self.shown}: row group {group} cannot be read: {error}") from None

    def fits(self, group: int, rows: int) -> bool:
        """Whether so many rows of a group, with all columns, come to little, whatever is in them."""
        return self._size(group, set(self.names)) * rows <= HELD_BYTES

    def all_steps(self, columns: Sequence[str] | None, most: int) -> Iterator[pa.RecordBatch]:
        """Yield the steps of every group."""
        for group in range(self.groups):
            yield from self.steps(group, columns, most)

    def has_room(self, group: int, column: str) -> bool:
        """Whether the pages of ``column``, bytes of one length, could hold a value; where not, all rows are null."""
        about = self._open.metadata.row_group(group)
        chunks = (about.column(place) for place in range(about.num_columns))
        width = self._open.schema_arrow.field(column).type.byte_width
        return any(chunk.path_in_schema == column and chunk.total_uncompressed_size >= width for chunk in chunks)

    @property
    def groups(self) -> int:
        """How many row groups there are."""
        return int(self._open.metadata.num_row_groups)

    @property
    def sizes(self) -> list[int]:
        """How many rows each row group has."""
        metadata = self._open.metadata
        return [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]

    @property
    def names(self) -> list[str]:
        """Its columns."""
        return list(self._open.schema_arrow.names)

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self._open.metadata.num_rows)

    def _size(self, group: int, wanted: Set[str]) -> int:
        """Return what a row may come to: by what the file says of its pages, and by the longest values that a few bytes
        in it may stand for."""
        about, longest, said = self._open.metadata.row_group(group), 0, 0
        coded: list[str] = []
        each = 1  # how many values a row has of the column with the most
        for place in range(about.num_columns):
            chunk = about.column(place)
            if not _among(chunk.path_in_schema, wanted):
                continue
            said += chunk.total_uncompressed_size
            if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
                longest += self._open.schema.column(place).length
            elif chunk.physical_type == "BYTE_ARRAY" and chunk.has_dictionary_page:
                coded.append(chunk.path_in_schema)
                each = max(each, -(-chunk.num_values // max(1, about.num_rows)))
        if coded:
            if self._coded is None:
                self._coded = opened(self._file, self._stack, _texts(self._open.schema))
            for first in self._coded.iter_batches(1, row_groups=[group], columns=coded):
                longest += each * sum(map(_longest_of, first.columns))
                break
        return longest + int(said // max(1, about.num_rows))


def _coded_throughout(about: pq.FileMetaData, names: Sequence[str]) -> list[str]:
    """Return which of these columns are dictionaries in every row group."""
    place = {about.schema.column(number).path: number for number in range(about.num_columns)}
    return [
        name
        for name in names
        if name in place
        and all(
            _CODES.issuperset(about.row_group(group).column(place[name]).encodings)
            for group in range(about.num_row_groups)
        )
    ]


def _among(path: str, names: Set[str]) -> bool:
    """Whether a column of values is of one of ``names``."""
    return path in names or path.split(".", maxsplit=1)[0] in names


def _texts(schema: pq.ParquetSchema) -> list[str]:
    columns = (schema.column(place) for place in range(len(schema)))
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _longest_of(values: pa.Array) -> int:
    """Return the bytes of the longest value of the dictionaries in ``values``."""
    if pa.types.is_dictionary(values.type):
        return pc.max(pc.binary_length(values.dictionary)).as_py() or 0
    if pa.types.is_struct(values.type):
        return sum(map(_longest_of, values.flatten()))
    if isinstance(values, (pa.ListArray, pa.LargeListArray, pa.FixedSizeListArray, pa.MapArray)):
        inside = [values.keys, values.items] if isinstance(values, pa.MapArray) else [values.values]
        return sum(map(_longest_of, inside))
    return 0


def opened(file: File, stack: ExitStack, coded: Sequence[str] = ()) -> pq.ParquetFile:
    """Return ``file`` opened until ``stack`` ends, columns of ``coded`` as dictionaries; raises ``MalformedError`` for
    what is no Parquet."""
    # Buffered: a column chunk is read piece by piece, not whole; one of pictures may be larger than the memory.
    buffer = _BUFFER if file.path is not None or coded else _BUFFER_FAR
    try:
        source = file.path if file.path is not None else pa.PythonFile(stack.enter_context(file.ranges()), mode="r")
        found = pq.ParquetFile(source, buffer_size=buffer, pre_buffer=False, read_dictionary=list(coded))
        return stack.enter_context(found)
    except pa.ArrowException as error:
        raise MalformedError(f"{file.shown}: expected a Parquet file, got {error}") from None
    except OSError as error:
        # What is not Parquet is an OSError to Arrow too, but one without a number.
        if error.errno is not None:
            raise
        raise MalformedError(f"{file.shown}: expected a Parquet file, got {error}") from None
