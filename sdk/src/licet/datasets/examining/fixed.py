"""Columns whose values all have one width: their bytes in one table, and a mask of the rows that have one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def absent(n: int, width: int) -> tuple[Bytes, Mask]:
    """Return a column that no row has anything in: all rows share one, so that it costs nothing, however wide it is."""
    return np.broadcast_to(np.zeros(width, np.uint8), (n, width)), np.zeros(n, np.bool_)


def fixed(table: Bytes, mask: Mask) -> pa.Array:
    """Return n × width bytes as a column of fixed-size binaries, null where ``mask`` is False."""
    validity = pa.py_buffer(np.packbits(mask, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(table))
    kind = pa.binary(table.shape[1])
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(table), [validity, data])


def unfixed(column: pa.Array) -> tuple[Bytes, Mask]:
    """Return what `fixed` made a column of; null rows are zero bytes."""
    width = column.type.byte_width
    mask = present(column)
    data = column.buffers()[1]
    if data is None:
        return np.zeros((len(column), width), np.uint8), mask
    whole = np.frombuffer(data, np.uint8)[: (column.offset + len(column)) * width].reshape(-1, width)
    table = whole[column.offset :].copy()
    table[~mask] = 0
    return table, mask


def present(column: pa.Array) -> Mask:
    """Return which rows have a value."""
    mask: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return mask


def put(column: tuple[Bytes, Mask], place: int, value: Any) -> None:
    """Give the row at ``place`` a value of the column's width."""
    column[0][place] = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
    column[1][place] = True
