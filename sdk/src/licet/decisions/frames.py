"""What rows of a table share, put together once for all rows that share it: frames of leaves, laid out for loops."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.compiled.texts import flat

Codes = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_TABLE: Final = 1 << 16  # frames that are looked up in a table, however few rows there are
_TABLE_ROWS: Final = 8  # or so many for each row
_DENSE: Final = 1 << 10  # numbers of which each gets its text, there or not
_TEXT: Final = pa.large_string()
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class Frames(NamedTuple):
    """For each row the number of its frame; of m frames with k pieces each where pieces begin (m·k + 1), and their
    bytes."""

    codes: Codes
    starts: Numbers
    text: Bytes


class _Coded(NamedTuple):
    """For each row the number of its value where a bitmap says that there is one; the values, and the field that each
    is in JSON, with its name and a comma before it: the last one, nothing, is of rows without."""

    numbers: Codes
    there: Bytes
    bit: int
    values: pa.Array
    fields: pa.Array


class Sharing:
    """Rows with one number say the same in all columns that were added."""

    def __init__(self, loops: ModuleType, table: pa.Table, names: Sequence[str]) -> None:
        """``names`` are the columns; one that is not there, or empty, tells no rows apart."""
        self._loops = loops
        self._codes: Codes = np.zeros(table.num_rows, np.int32)
        self._count = 1
        self._which = dict[str, Codes]()
        self._coded = dict[str, _Coded]()
        for name in names:
            if name in table.schema.names and table.column(name).null_count < table.num_rows:
                self._add(name, _coded(loops, table.column(name), f',"{name}":'))

    def fields(self, *names: str) -> list[pa.Array]:
        """Return what each number comes to in some columns, in JSON, a comma before each; nothing for a null."""
        return [self._coded[name].fields.take(pa.array(self._which[name])) for name in names if name in self._coded]

    def values(self, name: str) -> pa.Array:
        """Return the text that each number has in a column without nulls."""
        return self._coded[name].values.take(pa.array(self._which[name])).cast(_TEXT)

    def frames(self, *pieces: Sequence[pa.Array | str]) -> Frames:
        """Return frames of ``pieces``, each put together from columns with a text for each number, and from texts that
        are the same for all."""
        laid = [_joined(piece, self._count) for piece in pieces]
        starts = np.zeros(self._count * len(laid) + 1, np.int64)
        np.cumsum(np.stack([np.diff(flat(piece)[0]) for piece in laid], axis=1), out=starts[1:])
        at, text = flat(_joined(laid, self._count))
        return Frames(
            self._codes, starts, np.concatenate([text[at[0] : at[-1]], np.zeros(self._loops.SPILT, np.uint8)])
        )

    def _add(self, name: str, coded: _Coded) -> None:
        self._coded[name] = coded
        size = len(coded.fields)
        column = coded.numbers, coded.there, coded.bit, size - 1
        if size == 2 and not len(coded.there):  # one text, and no row without
            self._which[name] = np.zeros(self._count, np.int32)
        elif self._count * size <= max(_TABLE, _TABLE_ROWS * len(self._codes)):
            table = np.full(self._count * size, -1, np.int32)
            former, beside = np.empty((2, min(len(table), len(self._codes))), np.int32)
            count = self._loops.merged(self._codes, *column, size, table, former, beside)
            self._told_apart(name, former[:count], beside[:count])
        else:
            beside = np.full(self._count, -1, np.int32)
            if self._loops.following(self._codes, *column, beside):
                self._which[name] = beside
            else:
                self._sort(name, coded, size)

    def _sort(self, name: str, coded: _Coded, size: int) -> None:
        """Tell rows apart where a table of what there may be would be too large."""
        numbers = coded.numbers.astype(np.int64)
        if len(coded.there):
            there = np.unpackbits(coded.there, bitorder="little")[coded.bit : coded.bit + len(numbers)]
            numbers[there == 0] = size - 1
        both, codes = np.unique(self._codes * np.int64(size) + numbers, return_inverse=True)
        self._codes = codes.astype(np.int32)
        self._told_apart(name, both // size, (both % size).astype(np.int32))

    def _told_apart(self, name: str, former: npt.NDArray[np.integer[Any]], beside: Codes) -> None:
        """Go on with new numbers, each of a former one and of a value of one column more."""
        self._which = {each: which[former] for each, which in self._which.items()} | {name: beside}
        self._count = len(former)


def _joined(texts: Sequence[pa.Array | str], count: int) -> pa.Array:
    arrays = [each for each in texts if not isinstance(each, str)]
    if len(texts) == len(arrays) == 1:
        return arrays[0]
    if not arrays:
        return pa.array(["".join(map(str, texts))] * count, _TEXT)
    parts = [pa.scalar(each, _TEXT) if isinstance(each, str) else each for each in texts]
    return pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))


def _coded(loops: ModuleType, column: pa.ChunkedArray, before: str) -> _Coded:
    whole = column.combine_chunks()
    if pa.types.is_signed_integer(whole.type):
        least, most = (each.as_py() for each in pc.min_max(whole).values())
        if most - least < _DENSE:
            numbers, there, bit = _numbers(whole)
            values = pa.array(range(least, most + 1), whole.type)
            return _Coded(numbers - np.int32(least), there, bit, values, _ended(_encoded(values, before)))
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    values = coded.dictionary
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        fields = _quoted(loops, values.cast(_TEXT), before)
    else:
        fields = _encoded(values, before)
    return _Coded(*_numbers(coded.indices), values, _ended(fields))


def _numbers(column: pa.Array) -> tuple[Codes, Bytes, int]:
    """Return the numbers of an Arrow column, whatever they are of rows without one, and its bitmap, empty if all have
    one, with the bit of the first row."""
    bitmap, data = column.buffers()
    whole = np.frombuffer(data, column.type.to_pandas_dtype())[column.offset : column.offset + len(column)]
    there = np.frombuffer(bitmap, np.uint8) if column.null_count else np.empty(0, np.uint8)
    return np.ascontiguousarray(whole, np.int32), there, column.offset


def _ended(fields: pa.Array) -> pa.Array:
    return pa.concat_arrays([fields, pa.array([""], _TEXT)])


def _quoted(loops: ModuleType, values: pa.Array, before: str) -> pa.Array:
    starts, text = flat(values)
    text = text[starts[0] : starts[-1]]
    if loops.escaped(text):
        return _encoded(values, before)
    size = len(text) // max(1, len(values))
    if size and not values.null_count and bool((np.diff(starts) == size).all()):  # as ids are
        head = np.frombuffer(f'{before}"'.encode(), np.uint8)
        table = np.full((len(values), len(head) + size + 1), ord('"'), np.uint8)
        table[:, : len(head)] = head
        table[:, len(head) : -1] = text.reshape(-1, size)
        ends = np.arange(len(values) + 1, dtype=np.int64) * table.shape[1]
        return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(table))
    begin, end, nothing = (pa.scalar(each, _TEXT) for each in (f'{before}"', '"', ""))
    return pc.fill_null(pc.binary_join_element_wise(begin, values, end, nothing), "")


def _encoded(values: pa.Array, before: str) -> pa.Array:
    texts = [b"" if value is None else before.encode() + _ENCODER.encode(value) for value in values.to_pylist()]
    return pa.array(texts, pa.large_binary()).cast(_TEXT)
