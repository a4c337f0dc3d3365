"""A Parquet file, row group after row group: columns of text, numbers and bytes, and lists of structs of them."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import pyarrow as pa

from licet.datasets.results.parquet.columns import BYTES, FIXED, INT32, INT64, ZSTD, Chunk, Leaf, chunk_of, chunks_of
from licet.datasets.results.parquet.thrift import FALSE, TRUE, Value, binary, i8, i32, i64, listed, struct

_MAGIC: Final = b"PAR1"
_VERSION: Final = 2  # of the format
_MOST: Final = 1 << 30  # bytes of a column in one row group: Arrow counts those of a text's column in 31 bits
_REQUIRED, _OPTIONAL, _REPEATED = 0, 1, 2
_TEXT, _LIST = 0, 3  # what a type is converted from, as older readers know it
_NUMBERS: Final = {pa.int8(): (15, 8, TRUE), pa.int16(): (16, 16, TRUE), pa.uint8(): (11, 8, FALSE)}


class Writer:
    """Writes tables of one schema into a file, each as a row group; the file is whole once it is closed.

    Texts may come as dictionaries. Lists are of structs, and a null in one is a null of its fields.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        about: Mapping[bytes, bytes],
        coded: Collection[str],
        counted: Collection[str],
    ) -> None:
        """``about`` is what the file says of itself. Texts in ``coded`` repeat themselves; the bounds of columns in
        ``counted`` are stated, for readers that pass over row groups. Names of columns in lists have dots."""
        self._schema: Final = schema
        self._about: Final = about
        self._groups: list[Value] = []
        self._rows = 0
        self._leaves: Final = {field.name: _leaves(field, coded, counted) for field in schema}
        self._file: Final = path.open("wb")
        self._file.write(_MAGIC)

    def write(self, table: pa.Table) -> None:
        """Append a row group, or some where a column holds much; none if the table has no rows."""
        if not len(table):
            return
        if len(table) > 1 and max(map(_held, table.columns)) > _MOST:
            half = len(table) // 2
            self.write(table.slice(0, half))
            self.write(table.slice(half))
            return
        columns, begun = list[Value](), self._file.tell()
        uncompressed = 0
        for chunk in self._chunks(table):
            columns.append(_stated(chunk, self._file.tell()))
            uncompressed += chunk.uncompressed
            self._file.writelines(chunk.pages)
        size = i64(self._file.tell() - begun)
        self._groups.append(
            struct({1: listed(columns), 2: i64(uncompressed), 3: i64(len(table)), 5: i64(begun), 6: size})
        )
        self._rows += len(table)

    def close(self) -> None:
        """Write what the file says of itself, and close it."""
        # Arrow's own copy of the schema is what its reader goes by.
        arrow = base64.b64encode(self._schema.with_metadata(self._about).serialize())
        stated = {**self._about, b"ARROW:schema": arrow}
        leaves = sum(map(len, self._leaves.values()))
        root = struct({4: binary("schema"), 5: i32(len(self._schema))})
        footer = struct(
            {
                1: i32(_VERSION),
                2: listed([root, *(element for field in self._schema for element in _elements(field))]),
                3: i64(self._rows),
                4: listed(self._groups),
                5: listed([struct({1: binary(key), 2: binary(value)}) for key, value in stated.items()]),
                6: binary("licet"),
                7: listed([struct({1: struct({})})] * leaves),  # bounds are those of the type's own order
            }
        ).data
        self._file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        self._file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()

    def _chunks(self, table: pa.Table) -> Iterator[Chunk]:
        for name, leaves in self._leaves.items():
            found = table.column(name)
            column = found.chunk(0) if found.num_chunks == 1 else pa.concat_arrays(found.chunks)
            if pa.types.is_list(column.type):
                yield from chunks_of(leaves, column)
            else:
                yield chunk_of(leaves[name], column)


def _held(column: pa.ChunkedArray) -> int:
    """Return how many bytes the rows of a column are; a dictionary stays whole however few they are."""
    size: int = 0 if pa.types.is_dictionary(column.type) else column.nbytes
    return size


def _leaves(field: pa.Field, coded: Collection[str], counted: Collection[str]) -> dict[str, Leaf]:
    """Return the columns of values that a column of the schema comes to."""
    named: dict[str, tuple[tuple[str, ...], pa.Field]]
    if not pa.types.is_list(field.type):
        named = {field.name: ((field.name,), field)}
    else:
        inside = field.type.value_field
        named = {each.name: ((field.name, "list", "element", each.name), each) for each in inside.type}
    return {
        name: Leaf(path, _physical(each.type), each.nullable, ".".join(path) in coded, ".".join(path) in counted)
        for name, (path, each) in named.items()
    }


def _physical(kind: pa.DataType) -> int:
    if kind in _NUMBERS:
        return INT32
    return {pa.string(): BYTES, pa.int64(): INT64}.get(kind, FIXED)


def _elements(field: pa.Field) -> Iterator[Value]:
    """Yield the elements of the file's schema that a column comes to."""
    kind, repetition = field.type, i32(_OPTIONAL if field.nullable else _REQUIRED)
    if pa.types.is_list(kind):
        inside = kind.value_field
        as_list = struct({3: struct({})})
        yield struct({3: repetition, 4: binary(field.name), 5: i32(1), 6: i32(_LIST), 10: as_list})
        yield struct({3: i32(_REPEATED), 4: binary("list"), 5: i32(1)})
        yield struct({3: i32(_OPTIONAL), 4: binary("element"), 5: i32(len(inside.type))})
        for each in inside.type:
            yield from _elements(each)
        return
    length = converted = logical = None
    if kind == pa.string():
        converted, logical = i32(_TEXT), struct({1: struct({})})
    elif kind in _NUMBERS:
        code, bits, signed = _NUMBERS[kind]
        converted, logical = i32(code), struct({10: struct({1: i8(bits), 2: signed})})
    elif kind != pa.int64():
        length = i32(kind.byte_width)
    yield struct(
        {
            1: i32(_physical(kind)), 2: length, 3: repetition, 4: binary(field.name), 6: converted, 10: logical
        }
    )  # fmt: skip


def _stated(chunk: Chunk, at: int) -> Value:
    """Return what the footer says of a column that begins at a place of the file."""
    first = at + chunk.dictionary
    about = struct(
        {
            1: i32(chunk.leaf.physical),
            2: listed([i32(each) for each in chunk.encodings]),
            3: listed([binary(name) for name in chunk.leaf.path]),
            4: i32(ZSTD),
            5: i64(chunk.values),
            6: i64(chunk.uncompressed),
            7: i64(chunk.size),
            9: i64(first),
            11: i64(at) if chunk.dictionary else None,
            12: chunk.statistics,
        }
    )
    return struct({2: i64(0), 3: about})
