"""Some rows of an Arrow table, whatever its columns are.

Arrow chooses from views of text and bytes only where they stand alone in newer releases, and within lists and structs
in none: such columns go by way of plain text, and come out as the views that they were.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.errors import InputError

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def chosen(rows: Rows, mask: npt.NDArray[np.bool_]) -> Rows:
    """Return the rows where ``mask`` is True; raises ``InputError`` for a column that Arrow cannot choose from."""
    wanted = pa.array(mask)
    try:
        return rows.filter(wanted)
    except pa.ArrowNotImplementedError:
        columns = [_chosen(field, column, wanted) for field, column in zip(rows.schema, rows.columns, strict=True)]
        return type(rows).from_arrays(columns, schema=rows.schema)


def _chosen(field: pa.Field, column: pa.Array | pa.ChunkedArray, mask: pa.BooleanArray) -> pa.Array | pa.ChunkedArray:
    plain = _without_views(field.type)
    try:
        return column.filter(mask) if plain == field.type else column.cast(plain).filter(mask).cast(field.type)
    except pa.ArrowNotImplementedError as error:
        raise InputError(f"column {field.name}: expected a type whose rows can be chosen, got {error}") from None


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Return the type with plain text and bytes where ``kind`` has views of them, at any depth."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([_plain(field) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_field), _plain(kind.item_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_field), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(_plain(kind.value_field))
    return kind


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(_without_views(field.type))
