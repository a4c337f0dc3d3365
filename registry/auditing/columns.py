"""Blocks of ``registry.auditing.blocks`` as Arrow, whole columns at a time; out of it as Parquet, CSV or JSON lines.

Times are timestamps in UTC, money is decimal128(22, 6), identifiers and digests are text.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from licet.index.ids import ID_CHARACTERS, id_bytes, work_texts
from registry.auditing.blocks import NOTHING, TEXT_END, Column
from registry.errors import RegistryError

Format = Literal["parquet", "csv", "jsonl"]
MEDIA: Final[dict[Format, str]] = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
}
_EPOCH: Final = 946_684_800_000_000  # microseconds from 1970 to 2000, where PostgreSQL begins to count
_MANY: Final = 4096  # rows that show whether the values of a column repeat
_TYPES: Final = {
    "uuid": pa.dictionary(pa.int32(), pa.string()),
    "hex": pa.string(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "int": pa.int64(),
    "money": pa.decimal128(22, 6),
    "time": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
}


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the columns that are told; identifiers and other texts as dictionaries."""
    return pa.schema([pa.field(column.name, _TYPES[column.kind]) for column in columns if column.told])


def batch_of(
    columns: Sequence[Column], block: Mapping[str, Any], order: np.ndarray[Any, Any] | None = None
) -> pa.RecordBatch:
    """Return the rows of one block, in ``order`` where there is one."""
    rows = block["rows"]
    made: dict[str, Any] = {}
    for column in sorted(columns, key=lambda each: each.prefix.startswith("=")):
        data = block[column.name]
        if order is not None and column.kind == "hex":  # before it is twice as long
            data = np.frombuffer(data, f"V{len(data) // rows}")[order].tobytes()
        made[column.name] = _made(column, data, rows, made)
    if order is not None:
        taken = pa.array(order)
        varied = [column.name for column in columns if column.kind != "hex" and not _one(made[column.name])]
        made |= {name: made[name].take(taken) for name in varied}
    told = [column for column in columns if column.told]
    return pa.RecordBatch.from_arrays([made[column.name] for column in told], schema=schema_of(columns))


def _one(values: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(values.type)) and len(values.dictionary) == 1


def order_of(sources: bytes, ids: bytes) -> np.ndarray[Any, Any] | None:
    """Return the order of rows by source and id, 16 and 32 bytes each; None where they are in it already."""
    source = np.frombuffer(sources, ">u8").reshape(-1, 2).T.astype(np.uint64)
    digest = np.frombuffer(ids, ">u8").reshape(-1, 4).T.astype(np.uint64)
    leading = digest[0]
    order: np.ndarray[Any, Any]
    if (source == source[:, :1]).all():
        if (leading[1:] > leading[:-1]).all():
            return None
        order = leading.argsort()
    else:
        order = np.lexsort((leading, *source[::-1]))
    ordered = leading[order]
    if (ordered[1:] != ordered[:-1]).all():
        return order
    return np.lexsort((*digest[::-1], *source[::-1]))  # two of them begin alike


def _made(column: Column, data: Any, rows: int, made: Mapping[str, Any]) -> Any:
    if column.kind == "same":
        return _dictionary(pa.array(np.zeros(rows, np.int32)), [data])
    if column.kind == "text":
        return _texts(column, data, rows)
    if column.kind == "uuid":
        return _identifiers(column, data, rows, made)
    if column.kind == "hex":
        width = 2 * len(data) // rows
        offsets = np.arange(rows + 1, dtype=np.int32) * width
        return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(binascii.hexlify(data)))
    if column.kind == "flag":
        return pa.array(np.frombuffer(data, np.uint8).astype(np.bool_))
    numbers = np.frombuffer(data, ">i8").astype(np.int64)
    if column.kind == "time":
        return pa.array(numbers + _EPOCH).cast(_TYPES["time"])
    if column.kind == "money":
        wide = np.empty((rows, 2), np.int64)
        wide[:, 0], wide[:, 1] = numbers, numbers >> 63
        return pa.Array.from_buffers(_TYPES["money"], rows, [None, pa.py_buffer(wide)])
    return pa.array(numbers)


def _texts(column: Column, data: str, rows: int) -> pa.DictionaryArray:
    """Return the texts of a column: only each different one is ever a text of Python."""
    first = data.partition(TEXT_END)[0]
    if data == (first + TEXT_END) * (rows - 1) + first:  # mostly one text for all, and that is soon seen
        return _dictionary(pa.array(np.zeros(rows, np.int32)), [None if first == NOTHING else first])
    raw = (data + TEXT_END).encode()
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord(TEXT_END)) + 1
    if len(ends) != rows:
        raise RegistryError(f"{column.name}: expected {rows} texts without control characters, got {len(ends)}")
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    found = pc.dictionary_encode(pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(raw)))
    values = [text[:-1] for text in found.dictionary.to_pylist()]
    return _dictionary(found.indices, [None if text == NOTHING else text for text in values])


def _identifiers(column: Column, data: bytes, rows: int, made: Mapping[str, Any]) -> pa.DictionaryArray:
    """Return the identifiers of a column: each different one is made into text once."""
    if data == data[:16] * rows:
        indices, table = pa.array(np.zeros(rows, np.int32)), np.frombuffer(data[:16], np.uint8).reshape(1, 16)
    else:
        raw = pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(data)])
        found = pc.dictionary_encode(raw)
        indices = found.indices
        size = len(found.dictionary)
        table = np.frombuffer(found.dictionary.buffers()[1], np.uint8, 16 * size).reshape(size, 16)
    there: np.ndarray[Any, Any] = np.asarray(table.any(axis=1))
    if not column.prefix.startswith("="):
        return _coded(indices, _named(column.prefix, table), there)
    _, first = np.unique(indices.to_numpy(zero_copy_only=False), return_index=True)
    kinds = np.array(made[column.prefix[1:]].take(pa.array(first)).to_pylist(), object)
    texts = np.full(len(table), None, object)
    for kind in {kind for kind in kinds if kind is not None}:
        own = (kinds == kind) & there
        texts[own] = work_texts(table[own], kind)
    return _dictionary(indices, texts.tolist())


def _named(kind: str, table: np.ndarray[Any, Any]) -> pa.Array:
    """Return n × 16 bytes as identifiers."""
    offsets = np.arange(len(table) + 1, dtype=np.int32) * ID_CHARACTERS
    return pa.StringArray.from_buffers(len(table), pa.py_buffer(offsets), pa.py_buffer(id_bytes(kind, table)))


def _coded(indices: pa.Array, values: pa.Array, there: np.ndarray[Any, Any]) -> pa.DictionaryArray:
    """Return a dictionary array of ``values``; an index of one that is not ``there`` becomes a null."""
    if there.all():
        return pa.DictionaryArray.from_arrays(indices, values)
    if not there.any():
        return pa.DictionaryArray.from_arrays(pa.nulls(len(indices), pa.int32()), values)
    codes = indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=~there[codes]), values)


def _dictionary(indices: pa.Array, values: Sequence[str | None]) -> pa.DictionaryArray:
    """Return a dictionary array; an index whose value is None becomes a null."""
    there = np.array([value is not None for value in values], np.bool_)
    return _coded(indices, pa.array([value or "" for value in values], pa.string()), there)


class _Sink:
    """A file that is handed on as it is written."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None: ...
    def close(self) -> None: ...
    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class Writer:
    """Batches on their way out in one form; `add` and `finish` return the bytes that are ready."""

    def __init__(self, form: Format, columns: Sequence[Column]) -> None:
        self._form = form
        self._schema: Final = schema_of(columns)
        self._flat: Final = pa.schema([pa.field(field.name, _flat(field.type)) for field in self._schema])
        self._sink: Final = _Sink()
        self._file = pa.PythonFile(self._sink, mode="w")
        self._writer: Any = pcsv.CSVWriter(self._file, self._flat) if form == "csv" else None

    def add(self, batch: pa.RecordBatch) -> bytes:
        """Return what is ready once ``batch`` was taken."""
        if self._form == "jsonl":
            return b"".join(_lines(batch))
        if self._form == "csv":
            columns = [_plain(column) for column in batch.columns]
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._flat))
        else:
            self._writer = self._writer or self._parquet(batch)
            self._writer.write_batch(batch)
        return self._sink.taken()

    def finish(self) -> bytes:
        """Return the end."""
        if self._form == "parquet" and self._writer is None:
            self._writer = self._parquet(None)
        if self._writer is not None:
            self._writer.close()
        return self._sink.taken()

    def _parquet(self, first: pa.RecordBatch | None) -> pq.ParquetWriter:
        """Return what writes Parquet. Columns are written as dictionaries but for those whose values in the ``first``
        rows, where these are many, mostly differ: of those it would only be larger, and take longer."""
        columns = {field.name for field in self._schema if not pa.types.is_string(field.type)}
        if first is not None and first.num_rows >= _MANY:
            held = {name: first.column(name) for name in columns if pa.types.is_dictionary(first.column(name).type)}
            columns -= {name for name, each in held.items() if 2 * len(each.dictionary) > first.num_rows}
        repeated = [name for name in self._schema.names if name in columns]
        return pq.ParquetWriter(self._file, self._schema, compression="zstd", use_dictionary=repeated)


def _flat(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return pa.string()
    return pa.string() if pa.types.is_timestamp(kind) else kind


def _plain(column: pa.Array) -> pa.Array:
    """Return a column as text has it: no dictionary, times as RFC 3339."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ", locale="C")
    return column.cast(_flat(column.type))


def _lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    names = batch.schema.names
    columns = []
    for column in map(_plain, batch.columns):
        number = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
        columns.append((column if number else column.cast(pa.string())).to_pylist())
    encode = msgspec.json.encode
    for values in zip(*columns, strict=True):
        yield encode(dict(zip(names, values, strict=True))) + b"\n"
