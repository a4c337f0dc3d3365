"""Leaves of many decision rows at once: what `licet.decisions.rows` hashes row by row, laid out for compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.compiled import spread
from licet.compiled.texts import flat
from licet.decisions.frames import Sharing

Hashes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_HASH: Final = 32


class _Own(NamedTuple):
    """Texts of the rows' own: field k of a row is ``text[starts[k, row] : starts[k, row + 1]]`` if it is present.

    ``place`` says which k each name has, −1 if no row has one."""

    text: npt.NDArray[np.uint8]
    starts: Numbers
    present: npt.NDArray[np.uint8]
    place: Numbers


class Leaves:
    """The texts of the rows of one table, from which both kinds of leaves are hashed."""

    def __init__(self, loops: ModuleType, table: pa.Table, shared: Sequence[Sequence[str]]) -> None:
        """``shared`` are the fields that are not a row's own, but its number, in the order of JSON: up to ``pdq``,
        behind ``pixels``, behind the number and behind ``url``."""
        head, price, statement, tail = shared
        self._loops: Final = loops
        self._table: Final = table
        self._numbers: Final = np.ascontiguousarray(table.column("row").to_numpy(), np.int64)
        before, after = Sharing(loops, table, (*head, *price)), Sharing(loops, table, (*statement, *tail))
        self._before: Final = before.frames(
            ["\0"], before.fields(*head), [*before.fields(*price), ',"row":'], [before.values("part"), "\0"]
        )
        self._before.text[self._before.starts[1 :: len(loops.BEFORE)]] = ord("{")  # not a comma
        self._after: Final = after.frames(after.fields(*statement), [*after.fields(*tail), "}"])
        frames = len(self._before.starts) // len(loops.BEFORE)
        self._begun: Final = np.empty((frames, 8), np.uint32), np.empty(frames, np.int64)
        loops.begun(self._before.text, self._before.starts, *self._begun)

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
        loops, rows = self._loops, self._table.num_rows
        key = secret.ljust(64, b"\0")
        inner, outer = (loops.state_after(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        out = [np.empty((rows if wanted else 0, _HASH), np.uint8) for wanted in (plain, salted)]
        done = np.zeros(rows, np.uint8)
        own = _own(self._table, loops.OWN if salted else ())
        longest = loops.BESIDE + int(np.diff(own.starts).max(axis=1, initial=0).sum())
        for frames, pieces in ((self._before, loops.BEFORE), (self._after, loops.AFTER)):
            longest += int(np.diff(frames.starts[:: len(pieces)]).max())
        spread(
            lambda first, last: loops.hashed(
                *self._before, *self._begun, *self._after, self._numbers, *own,
                salted and loops.escaped(own.text), inner, outer, first, last, longest, *out, done,
            ),
            rows,
        )  # fmt: skip
        return out[0], out[1], done.view(np.bool_)


def _own(table: pa.Table, names: Sequence[str]) -> _Own:
    there = [name for name in names if name in table.schema.names and table.column(name).null_count < table.num_rows]
    columns = [table.column(name).combine_chunks().cast(pa.large_string()) for name in there]
    starts = np.empty((len(columns), table.num_rows + 1), np.int64)
    present = np.ones((len(columns), table.num_rows), np.uint8)
    pieces, size = [np.empty(0, np.uint8)], 0
    for place, column in enumerate(columns):
        its, text = flat(column)
        np.add(its, size - its[0], out=starts[place])
        if column.null_count:
            present[place] = column.is_valid().to_numpy(zero_copy_only=False)
        pieces.append(text[its[0] : its[-1]])
        size += len(pieces[-1])
    place_of = np.array([there.index(name) if name in there else -1 for name in names], np.int64)
    return _Own(pieces[1] if len(pieces) == 2 else np.concatenate(pieces), starts, present, place_of)
