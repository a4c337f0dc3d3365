"""Columns of a row group as the pages of a file: their levels, their values, compressed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.results.parquet.encodings import (
    deltas,
    hybrid,
    levels,
    plain_texts,
    presence,
    repeated,
    texts,
)
from licet.datasets.results.parquet.thrift import Value, binary, i32, i64, struct

BYTES, FIXED, INT32, INT64 = 6, 7, 1, 2  # physical types
PLAIN, RLE, DELTAS, LENGTHS, CODES = 0, 3, 5, 6, 8  # encodings
ZSTD: Final = 6
_DATA, _DICTIONARY = 0, 2
_PAGE: Final = 8 << 20  # bytes of text from which on a column is more than one page
_FEW: Final = 2  # values that a text of a dictionary must stand for, so that it is worth it
_IN_LIST: Final = 3  # levels above a value of a struct in a list: of the list, of its element, of the struct

_codec: Final = pa.Codec("zstd", compression_level=1)


class Leaf(NamedTuple):
    """A column of values. ``coded``: its texts repeat themselves. ``counted``: readers may want its bounds, which
    are stated of numbers, and of texts that do."""

    path: tuple[str, ...]
    physical: int
    nullable: bool
    coded: bool
    counted: bool


class Chunk(NamedTuple):
    """A column of one row group: its pages, and what the file's footer says of them.

    ``dictionary`` is the size of the first page where that is a dictionary, else 0.
    """

    leaf: Leaf
    pages: list[bytes]
    encodings: tuple[int, ...]
    values: int
    uncompressed: int
    dictionary: int
    statistics: Value | None

    @property
    def size(self) -> int:
        """The bytes of all pages."""
        return sum(map(len, self.pages))


class _Cells(NamedTuple):
    """What is in one page: ``rows`` values or nulls, their levels, and the values."""

    rows: int
    levels: bytes
    values: pa.Array


def chunk_of(leaf: Leaf, column: pa.Array) -> Chunk:
    """Return a column of which each row has one value, or none."""
    if column.null_count == len(column):
        return _absent(leaf, column.type, len(column))
    return _chunk(leaf, [_flat(piece, nullable=leaf.nullable) for piece in _pieces(column)])


def chunks_of(leaves: Mapping[str, Leaf], lists: pa.ListArray) -> Iterator[Chunk]:
    """Yield the columns of the structs in a column of lists, all of which have the same levels but for their nulls."""
    counts = _counts(lists)
    valid = _present(lists)
    if not counts.size or counts.max() <= 1:  # nothing is repeated
        there = counts.astype(np.bool_)
        definition = valid.astype(np.uint8)
        repetition = repeated(0, len(counts), 1)
    else:
        begins = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(np.maximum(counts, 1), out=begins[1:])
        again = np.ones(begins[-1], np.uint8)
        again[begins[:-1]] = 0
        there = np.ones(begins[-1], np.bool_)
        there[begins[:-1][counts == 0]] = False
        definition = np.empty(begins[-1], np.uint8)
        definition[~there] = valid[counts == 0]
        repetition = hybrid(again, 1)
    definition[there] = _IN_LIST
    before, values = levels(repetition), lists.flatten()
    all_present: bytes | None = None
    for place, leaf in enumerate(leaves.values()):
        column = values.field(place)
        if column.null_count or all_present is None:
            own = definition.copy()
            own[there] += _present(column)
            run = levels(hybrid(own, _IN_LIST))
            all_present = all_present if column.null_count else run
        else:
            run = all_present
        yield _chunk(leaf, [_Cells(len(definition), before + run, column.drop_null() if column.null_count else column)])


@lru_cache(256)
def _absent(leaf: Leaf, kind: pa.DataType, rows: int) -> Chunk:
    return _chunk(leaf, [_flat(pa.nulls(rows, kind), nullable=True)])


def _pieces(column: pa.Array) -> Iterator[pa.Array]:
    """Yield a column in parts of which none has far more text than a page should have."""
    size = column.nbytes if pa.types.is_string(column.type) else 0
    rows = max(1, len(column) * _PAGE // max(size, _PAGE))
    for first in range(0, len(column), rows):
        yield column.slice(first, rows)


def _counts(lists: pa.ListArray) -> npt.NDArray[np.int32]:
    """Return how long each list is, 0 for none."""
    counts: npt.NDArray[np.int32] = np.diff(lists.offsets.to_numpy(zero_copy_only=False))
    if lists.null_count:
        counts[~_present(lists)] = 0  # what lies below it is nobody's
    return counts


def _present(column: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
    return mask


def _flat(column: pa.Array, *, nullable: bool) -> _Cells:
    rows, nulls = len(column), column.null_count
    if not nullable:
        return _Cells(rows, b"", column)
    run = presence(column) if 0 < nulls < rows else repeated(int(not nulls), rows, 1)
    return _Cells(rows, levels(run), column.drop_null() if nulls else column)


def _chunk(leaf: Leaf, cells: list[_Cells]) -> Chunk:
    if leaf.coded and len(cells) == 1 and (chunk := _coded(leaf, cells[0])) is not None:
        return chunk
    pages, uncompressed, encoding = [], 0, PLAIN
    for each in cells:
        encoding, body = _encoded(leaf, each.values)
        page, size = _data_page(each, encoding, body)
        pages.append(page)
        uncompressed += size
    count = sum(each.rows for each in cells)
    statistics = _numbers(cells) if leaf.counted and leaf.physical == INT64 else None
    return Chunk(leaf, pages, (encoding, RLE), count, uncompressed, 0, statistics)


def _coded(leaf: Leaf, cells: _Cells) -> Chunk | None:
    """Return texts as numbers of those in a dictionary; None where that would hardly be shorter than themselves."""
    values = cells.values
    coded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    names = coded.dictionary
    if not len(names) or len(names) * _FEW > max(len(values), 2 * _FEW):
        return None
    width = max(1, (len(names) - 1).bit_length())
    codes = coded.indices.to_numpy(zero_copy_only=False)
    body = plain_texts(names)
    first, size = _page(_DICTIONARY, 7, {1: i32(len(names)), 2: i32(PLAIN)}, body)
    page, more = _data_page(cells, CODES, [bytes([width]), hybrid(codes, width)])
    statistics = None
    if leaf.counted:
        said = [each.encode() for each in names.take(pa.array(np.flatnonzero(np.bincount(codes)))).to_pylist()]
        statistics = _bounds(cells.rows - len(values), min(said), max(said))
    return Chunk(leaf, [first, page], (PLAIN, CODES, RLE), cells.rows, size + more, len(first), statistics)


def _encoded(leaf: Leaf, values: pa.Array) -> tuple[int, list[Any]]:
    """Return how values are encoded, and their bytes in pieces."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if leaf.physical == BYTES:
        return LENGTHS, texts(values)
    if leaf.physical == FIXED:
        width = values.type.byte_width
        return PLAIN, [memoryview(values.buffers()[1])[width * values.offset :][: width * len(values)]]
    numbers = values.to_numpy(zero_copy_only=False)
    if leaf.physical == INT64:
        return DELTAS, [deltas(numbers)]
    return PLAIN, [numbers.astype("<i4").tobytes()]


def _data_page(cells: _Cells, encoding: int, body: list[Any]) -> tuple[bytes, int]:
    about = {1: i32(cells.rows), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE)}
    return _page(_DATA, 5, about, b"".join([cells.levels, *body]))


def _page(kind: int, field: int, about: Mapping[int, Value], body: bytes) -> tuple[bytes, int]:
    """Return a page with its header, and how many bytes both would be if it was not compressed."""
    compressed = _codec.compress(body, asbytes=True)
    header = struct({1: i32(kind), 2: i32(len(body)), 3: i32(len(compressed)), field: struct(about)}).data
    return header + compressed, len(header) + len(body)


def _numbers(cells: list[_Cells]) -> Value:
    numbers = np.concatenate([each.values.to_numpy(zero_copy_only=False) for each in cells])
    least, most = (int(each).to_bytes(8, "little", signed=True) for each in (numbers.min(), numbers.max()))
    return _bounds(sum(each.rows for each in cells) - len(numbers), least, most)


def _bounds(nulls: int, least: bytes, most: bytes) -> Value:
    return struct({3: i64(nulls), 5: binary(most), 6: binary(least)})
