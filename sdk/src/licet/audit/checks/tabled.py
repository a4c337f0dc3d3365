"""The two tables of uses, CSV and Parquet, read side by side and found to hold the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from licet.audit import layout, tables
from licet.audit.checks.opening import Audit
from licet.audit.report import refused
from licet.audit.tables import GROUP, EventRow

if TYPE_CHECKING:
    import pyarrow as pa


def tabled(audit: Audit) -> Iterator[EventRow]:
    """Yield the rows of the CSV table, having compared each group with the Parquet table."""
    import pyarrow as pa

    rows = tables.EVENTS.from_csv(audit.container.chunks(layout.EVENTS_CSV))
    groups = _row_groups(audit)
    while some := list(islice(rows, GROUP)):
        try:
            found = next(groups, None)
            if found is None or not _same(tables.EVENTS.to_arrow(some), found):
                raise refused("event-tables", layout.EVENTS_PARQUET, "expected the rows of the CSV table, got others")
        except pa.ArrowException as error:
            raise refused("event-tables", layout.EVENTS_PARQUET, f"expected Parquet, got {error}") from None
        yield from some
    if next(groups, None) is not None:
        raise refused("event-tables", layout.EVENTS_PARQUET, "expected the rows of the CSV table, got more")


def _same(wanted: pa.Table, found: pa.Table) -> bool:
    """Return whether ``found``, whose texts are in dictionaries, holds the rows of ``wanted``.

    A dictionary states a text once for rows without end, so none is written out before their length is what it must be.
    """
    if len(found) != len(wanted):
        return False
    for field in wanted.schema:
        column, there = wanted[field.name], found[field.name]
        if _text_bytes(there) != _text_bytes(column) or not there.cast(field.type).equals(column):
            return False
    return True


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Return what the texts of ``column`` come to; nothing for other columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = 0
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            found += pc.sum(pc.binary_length(chunk.dictionary).cast(pa.int64()).take(chunk.indices)).as_py() or 0
        elif pa.types.is_string(chunk.type):
            found += pc.sum(pc.binary_length(chunk)).as_py() or 0
    return found


def _row_groups(audit: Audit) -> Iterator[pa.Table]:
    """Yield the row groups of the Parquet table, none larger than it is written, texts as dictionaries."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    member = audit.container.member(layout.EVENTS_PARQUET)
    try:
        with pa.memory_map(str(audit.container.path)) as mapped:
            mapped.seek(member.start)
            wanted, data = tables.EVENTS.arrow_schema(), mapped.read_buffer(member.size)
            texts = [field.name for field in wanted if pa.types.is_string(field.type)]
            table = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
            if not pq.read_schema(pa.BufferReader(data)).equals(wanted):
                raise refused(
                    "event-tables", layout.EVENTS_PARQUET, "expected the columns of the CSV table, got others"
                )
            for number in range(table.metadata.num_row_groups):
                group = table.metadata.row_group(number)
                if group.num_rows > GROUP or group.total_byte_size > GROUP * tables.MAX_ROW:
                    raise refused("event-tables", layout.EVENTS_PARQUET, f"expected at most {GROUP} rows in a group")
                yield table.read_row_group(number)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise refused("event-tables", layout.EVENTS_PARQUET, f"expected Parquet, got {error}") from None
