"""Leaves of many decision rows at once: what `licet.decisions.rows` hashes row by row, laid out for compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.compiled import spread
from licet.compiled.texts import flat

Hashes = npt.NDArray[np.uint8]
Texts = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]  # end to end, and where each begins

_HASH: Final = 32
_DIGITS: Final = 20  # of a row number, at most
_NAME: Final = 16  # of a field with its quotation marks, colon and comma, at most
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class Leaves:
    """The texts of the rows of one table that come from their decisions, from which both kinds of leaves are hashed."""

    def __init__(self, loops: ModuleType, table: pa.Table, shared: Sequence[Sequence[str]]) -> None:
        """``shared`` are the verdict fields in the order of JSON: before, between (twice) and after a row's own."""
        self._loops: Final = loops
        self._table: Final = table
        self._numbers: Final = np.ascontiguousarray(table.column("row").to_numpy(), np.int64)
        head, middle, late, end = (_fields(table, names, comma=bool(place)) for place, names in enumerate(shared))
        part = table.column("part").combine_chunks().cast(pa.large_string())
        self._pieces: Final = _stacked(
            [_text(part, "\0"), _text("{", *head), _text(*middle, ',"row":'), _text(*late), _text(*end, "}")],
            table.num_rows,
        )
        self._longest: Final = 1 + _HASH + _DIGITS + _widest(self._pieces, table.num_rows)

    def plain(self) -> bytes:
        """Return `licet.decisions.rows.leaf_hashes` of the table."""
        out = np.empty((self._table.num_rows, _HASH), np.uint8)
        spread(
            lambda first, last: self._loops.leaves(*self._pieces, self._numbers, first, last, self._longest, out),
            len(out),
        )
        return out.tobytes()

    def salted(self, secret: bytes) -> tuple[Hashes, npt.NDArray[np.bool_]]:
        """Return the n × 32 salted leaf hashes, and for which rows there is one: JSON must not escape their texts."""
        table, loops = self._table, self._loops
        columns = [_own(table, name) for name in loops.OWN]
        own = _stacked(columns, table.num_rows)
        present = np.concatenate(
            [
                np.zeros(table.num_rows, np.uint8) if each is None
                else each.is_valid().to_numpy(zero_copy_only=False).view(np.uint8)
                for each in columns
            ]
        )  # fmt: skip
        longest = self._longest + len(columns) * _NAME + _widest(own, table.num_rows)
        key = secret.ljust(64, b"\0")
        inner, outer = (loops.state_after(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        out, done = np.empty((table.num_rows, _HASH), np.uint8), np.zeros(table.num_rows, np.uint8)
        spread(
            lambda first, last: loops.salted(
                inner, outer, *self._pieces, *own, present, self._numbers, first, last, longest, out, done
            ),
            table.num_rows,
        )
        return out, done.view(np.bool_)


def _fields(table: pa.Table, names: Sequence[str], *, comma: bool) -> list[pa.Array]:
    """Return the JSON of each field that any row has, with its name; only the first of all is without a comma."""
    found = list[pa.Array]()
    for name in names:
        if name not in table.schema.names or table.column(name).null_count == table.num_rows:
            continue
        column = table.column(name).combine_chunks()
        encoded = column if hasattr(column, "dictionary") else pc.dictionary_encode(column)
        before = b'%b"%b":' % (b"," if comma else b"", name.encode())
        texts = [before + _ENCODER.encode(value) for value in encoded.dictionary.to_pylist()]
        found.append(pa.array(texts, pa.large_binary()).cast(pa.large_string()).take(encoded.indices))
    if not comma:
        return [pc.binary_join_element_wise(*found, _large(","), null_handling="skip")]
    return found


def _text(*pieces: pa.Array | str) -> pa.Array | None:
    """Return the pieces end to end, None for nothing; what is null adds nothing."""
    if not pieces:
        return None
    texts = [_large(each) if isinstance(each, str) else each for each in pieces]
    return pc.binary_join_element_wise(*texts, _large(""), null_handling="replace", null_replacement="")


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _own(table: pa.Table, name: str) -> pa.Array | None:
    if name not in table.schema.names or table.column(name).null_count == table.num_rows:
        return None
    return table.column(name).combine_chunks().cast(pa.large_string())


def _stacked(columns: Sequence[pa.Array | None], rows: int) -> Texts:
    """Return the texts of all columns, one column after the other."""
    offsets, texts, size = np.zeros(len(columns) * rows + 1, np.int64), list[npt.NDArray[np.uint8]](), 0
    for place, column in enumerate(columns):
        its = slice(place * rows + 1, (place + 1) * rows + 1)
        offsets[its] = size
        if column is not None:
            starts, text = flat(column)
            offsets[its] += starts[1:] - starts[0]
            texts.append(text[starts[0] : starts[-1]])
            size = int(offsets[its.stop - 1])
    return np.concatenate([*texts, np.zeros(1, np.uint8)]), offsets


def _widest(texts: Texts, rows: int) -> int:
    """Return the most bytes that one row's texts take together."""
    return int(np.diff(texts[1]).reshape(-1, rows).sum(axis=0).max())
