"""Leaves of many decision rows at once: what `licet.decisions.rows` hashes row by row, laid out for compiled loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.compiled import spread
from licet.compiled.texts import flat

Hashes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
#: For each row the number of its text, and the texts.
_Coded = tuple[npt.NDArray[np.int32], pa.Array]

_HASH: Final = 32
_DIGITS: Final = 20  # of a row number, at most
_NAME: Final = 16  # of a field with its quotation marks, colon and comma, at most
_WITHIN: Final = 1 << 30  # not a step of its own: it is copied with the field before it
_MOST_MERGED: Final = 1 << 14  # texts that fields may come to together
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class _Own(NamedTuple):
    """Texts of the rows' own: field k of a row is ``text[starts[k, row] : starts[k, row + 1]]`` if it is present."""

    starts: Numbers
    text: npt.NDArray[np.uint8]
    present: npt.NDArray[np.uint8]


class Leaves:
    """The texts of the rows of one table, from which both kinds of leaves are hashed."""

    def __init__(self, loops: ModuleType, table: pa.Table, plain: Sequence[str], salted: Sequence[str]) -> None:
        """``plain`` and ``salted`` are the fields of either kind of leaf, in the order of JSON."""
        self._loops: Final = loops
        self._rows: Final = table.num_rows
        self._numbers: Final = np.ascontiguousarray(table.column("row").to_numpy(), np.int64)
        self._own: Final = _own(table, loops.OWN)
        shared = [
            name
            for name in plain
            if name != "row" and name in table.schema.names and table.column(name).null_count < self._rows
        ]
        fields, found = {name: _coded(loops, table.column(name), name) for name in shared}, list[_Coded]()
        numbers = {name: loops.OWN_FIELD - number for number, name in enumerate(loops.OWN)}
        numbers["row"] = loops.ROW_NUMBER
        for run in _runs(shared, salted):
            for names, coded in _merged(run, fields):
                numbers |= dict.fromkeys(names, _WITHIN) | {names[0]: len(found)}
                found.append(coded)
        self._part: Final = len(found)
        found.append(_salting(table.column("part")))
        self._codes: Final = np.empty((len(found), self._rows), np.int32)
        widest, first = 1 + _HASH + 2 * _DIGITS + len(loops.OWN) * _NAME, 0
        for place, (codes, texts) in enumerate(found):
            np.add(codes, first, out=self._codes[place])
            first += len(texts)
            widest += int(np.diff(flat(texts)[0]).max(initial=0))
        self._texts: Final = pa.concat_arrays([texts for _, texts in found])
        self._widest: Final = widest
        self._plain, self._salted = (
            np.array([numbers[name] for name in names if numbers.get(name, _WITHIN) != _WITHIN], np.int64)
            for names in (plain, salted)
        )

    def plain(self) -> bytes:
        """Return `licet.decisions.rows.leaf_hashes` of the table."""
        plain, _, _ = self._hashed(bytes(_HASH), plain=True, salted=False)
        return plain.tobytes()

    def salted(self, secret: bytes) -> tuple[Hashes, Mask]:
        """Return the n × 32 salted leaf hashes, and for which rows there is one: JSON must not escape their texts."""
        _, salted, done = self._hashed(secret, plain=False, salted=True)
        return salted, done

    def both(self, secret: bytes) -> tuple[bytes, Hashes, Mask]:
        """Return what `plain` and `salted` return."""
        plain, salted, done = self._hashed(secret, plain=True, salted=True)
        return plain.tobytes(), salted, done

    def _hashed(self, secret: bytes, *, plain: bool, salted: bool) -> tuple[Hashes, Hashes, Mask]:
        loops, rows = self._loops, self._rows
        key = secret.ljust(64, b"\0")
        inner, outer = (loops.state_after(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        out = [np.empty((rows if wanted else 0, _HASH), np.uint8) for wanted in (plain, salted)]
        done = np.zeros(rows, np.uint8)
        starts, text = flat(self._texts)
        text = np.concatenate([text[: starts[-1]], np.zeros(loops.SPILT, np.uint8)])
        own = self._own
        longest = self._widest
        if salted:
            longest += int(np.diff(own.starts).max(axis=1, initial=0).sum())
        spread(
            lambda first, last: loops.hashed(
                self._plain, self._salted, self._codes, text, starts, self._numbers, own.text, own.starts, own.present,
                salted and loops.escaped(own.text), inner, outer, self._part, first, last, longest, *out, done,
            ),
            rows,
        )  # fmt: skip
        return out[0], out[1], done.view(np.bool_)


def _runs(shared: Sequence[str], salted: Sequence[str]) -> Iterator[list[str]]:
    """Yield the fields of ``shared`` that stand side by side in leaves of either kind."""
    run: list[str] = []
    for name in salted:
        if name in shared:
            run.append(name)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _merged(names: Sequence[str], fields: Mapping[str, _Coded]) -> Iterator[tuple[list[str], _Coded]]:
    """Yield fields that stand side by side as one, as far as their texts come to few together.

    What a row shares with many is copied into its leaf at once then, instead of field by field.
    """
    held, (codes, texts) = [names[0]], fields[names[0]]
    for name in names[1:]:
        more, others = fields[name]
        if len(texts) * len(others) > _MOST_MERGED:
            yield held, (codes, texts)
            held, codes, texts = [name], more, others
            continue
        held.append(name)
        together = codes * np.int32(len(others)) + more
        seen = np.flatnonzero(np.bincount(together, minlength=len(texts) * len(others)))
        number = np.empty(len(texts) * len(others), np.int32)
        number[seen] = np.arange(len(seen), dtype=np.int32)
        codes = number[together]
        pair = texts.take(pa.array(seen // len(others))), others.take(pa.array(seen % len(others)))
        texts = pc.binary_join_element_wise(*pair, pa.scalar("", pa.large_string()))
    yield held, (codes, texts)


def _coded(loops: ModuleType, column: pa.ChunkedArray, name: str) -> _Coded:
    """Return, for each row, the number of its text, and the texts: the JSON of a value with its name, "" for null."""
    whole = column.combine_chunks()
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    values, before = coded.dictionary, f',"{name}":'
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = _quoted(loops, values.cast(pa.large_string()), before)
    else:
        texts = _encoded(values, before)
    codes = coded.indices if not coded.indices.null_count else pc.fill_null(coded.indices.cast(pa.int32()), len(values))
    return codes.to_numpy(zero_copy_only=False), pa.concat_arrays([texts, pa.array([""], pa.large_string())])


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
    begin, end, nothing = (pa.scalar(each, pa.large_string()) for each in (f'{before}"', '"', ""))
    return pc.fill_null(pc.binary_join_element_wise(begin, values, end, nothing), "")


def _encoded(values: pa.Array, before: str) -> pa.Array:
    texts = [b"" if value is None else before.encode() + _ENCODER.encode(value) for value in values.to_pylist()]
    return pa.array(texts, pa.large_binary()).cast(pa.large_string())


def _salting(part: pa.ChunkedArray) -> _Coded:
    """Return what a salt is of, beside the number of a row: the name of its part, and a zero byte."""
    whole = part.combine_chunks()
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    names = [f"{name}\0" for name in coded.dictionary.to_pylist()]
    return coded.indices.to_numpy(zero_copy_only=False), pa.array(names, pa.large_string())


def _own(table: pa.Table, names: Sequence[str]) -> _Own:
    rows = table.num_rows
    starts, present = np.zeros((len(names), rows + 1), np.int64), np.zeros((len(names), rows), np.uint8)
    pieces, size = list[npt.NDArray[np.uint8]](), 0
    for place, name in enumerate(names):
        if name in table.schema.names and table.column(name).null_count < rows:
            column = table.column(name).combine_chunks().cast(pa.large_string())
            its, text = flat(column)
            np.add(its, size - its[0], out=starts[place])
            present[place] = column.is_valid().to_numpy(zero_copy_only=False)
            pieces.append(text[its[0] : its[-1]])
            size += len(pieces[-1])
    whole = pieces[0] if len(pieces) == 1 else np.concatenate([*pieces, np.zeros(1, np.uint8)])
    return _Own(starts, whole, present)
