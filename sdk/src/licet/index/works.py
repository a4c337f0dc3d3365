"""The works of an index: segments one over the other, seen as one table.

An exact segment opens a layer, near segments after it belong to it. A work counts as the newest layer states it, as a
whole: its older keys, vectors and terms are dead. A work has one number in an index, counted through the layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from licet.errors import InputError, MalformedError
from licet.identifiers import to_uuid
from licet.index.exact import U64, halves, joined, rising
from licet.index.records import FLAGS, ID_BYTES, WorkRecord
from licet.index.segments import MAX_WORKS, NO_TERMS, ExactSegment, NearSegment, Segment
from licet.terms import Terms, intern

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


class WorkState(msgspec.Struct, frozen=True, kw_only=True):
    """A work as the newest segment states it: a `WorkRecord` without its keys, and its number in the index."""

    number: int
    work: bytes
    account: bytes
    terms: bytes
    level: int
    contested: bool
    challenged: bool
    pending: bool
    withdrawn: bool
    fingerprint_only: bool
    signed: bool
    statement: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class WorkColumns:
    """The state of some works, a row each: ids as n × 16 bytes; ``terms`` a number for `Works.terms`, −1 for none;
    ``flags`` the bits of ``records.FLAGS``."""

    work: Bytes
    account: Bytes
    statement: Bytes
    terms: Numbers
    log_index: Numbers
    level: Bytes
    flags: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Layer:
    """One exact segment with its near segments; works are numbered from ``first_work``, terms from ``first_terms``."""

    exact: ExactSegment
    near: tuple[NearSegment, ...]
    first_work: int
    first_terms: int
    dead: Numbers  # sorted rows of works that a later layer states or removes
    records: Mapping[bytes, WorkRecord] | None = None  # of an overlay, to merge it with the next

    @property
    def end_work(self) -> int:
        """The first number after the works of this layer."""
        return self.first_work + len(self.exact.works)

    @property
    def end_terms(self) -> int:
        """The first number after the terms of this layer."""
        return self.first_terms + len(self.exact.columns["terms.hash"])

    def alive(self, rows: Numbers) -> npt.NDArray[np.bool_]:
        """Return which of these rows no later layer overrides."""
        if not len(self.dead):
            return np.ones(len(rows), np.bool_)
        place = np.minimum(np.searchsorted(self.dead, rows), len(self.dead) - 1)
        alive: npt.NDArray[np.bool_] = self.dead[place] != rows
        return alive

    def under(self, later: ExactSegment) -> Layer:
        """Return this layer without what ``later`` states or removes."""
        mine = self.exact.works
        dead = [self.dead]
        for table in (later.works, later.removed):
            # The smaller side asks.
            asks = len(table) <= len(mine)
            dead.append(mine.find(table.hi, table.lo)[1] if asks else table.find(mine.hi, mine.lo)[0])
        return replace(self, dead=np.unique(np.concatenate(dead)))


def stack(
    layers: tuple[Layer, ...],
    exact: ExactSegment,
    near: tuple[NearSegment, ...] = (),
    records: Mapping[bytes, WorkRecord] | None = None,
) -> tuple[Layer, ...]:
    """Return ``layers`` under one more. Raises ``MalformedError`` for more works than can be numbered."""
    works, terms = (layers[-1].end_work, layers[-1].end_terms) if layers else (0, 0)
    top = Layer(exact, near, works, terms, np.empty(0, np.int64), records)
    if top.end_work > MAX_WORKS:
        raise MalformedError(f"expected at most {MAX_WORKS} works in an index, got {top.end_work}")
    return (*(layer.under(exact) for layer in layers), top)


def layered(segments: Iterable[Segment]) -> tuple[Layer, ...]:
    """Return ``segments``, oldest first, as layers; raises ``MalformedError`` for a near one that follows no exact."""
    layers: tuple[Layer, ...] = ()
    for segment in segments:
        if isinstance(segment, ExactSegment):
            layers = stack(layers, segment)
        elif layers:
            layers = (*layers[:-1], replace(layers[-1], near=(*layers[-1].near, segment)))
        else:
            raise MalformedError("expected an exact segment before the near segment of its works, got none")
    return layers


class Works:
    """The works of an index by number. ``len`` counts each once; numbers of overridden works are never handed out."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self._layers: Final = layers

    def __len__(self) -> int:
        return sum(len(layer.exact.works) - len(layer.dead) for layer in self._layers)

    def __getitem__(self, number: int) -> WorkState:
        """Return the state of the work with this number."""
        got = self.take(np.array([number], np.int64))
        terms = int(got.terms[0])
        return WorkState(
            number=int(number),
            work=got.work[0].tobytes(),
            account=got.account[0].tobytes(),
            terms=self.encoded_terms(terms) if terms >= 0 else b"",
            level=int(got.level[0]),
            statement=got.statement[0].tobytes(),
            log_index=int(got.log_index[0]),
            **{name: bool(got.flags[0] >> bit & 1) for bit, name in enumerate(FLAGS)},
        )

    def get(self, work: str | bytes) -> WorkState | None:
        """Return the state of one work, by ``wrk_…`` or its 16 bytes; None if the index holds none."""
        key = to_uuid(work, "wrk", field="work").bytes if isinstance(work, str) else work
        if len(key) != ID_BYTES:
            raise InputError.field("work", f"{ID_BYTES} bytes", key)
        number = int(self.find(np.frombuffer(key, np.uint8).reshape(1, -1))[0])
        return None if number < 0 else self[number]

    def find(self, works: Bytes) -> Numbers:
        """Return the numbers of the works with these ids, n × 16 bytes; −1 where the index holds none."""
        hi, lo = halves(works)
        numbers = np.full(len(hi), -1, np.int64)
        for layer in self._layers:
            query, row = layer.exact.works.find(hi, lo)
            keep = layer.alive(row)
            numbers[query[keep]] = row[keep] + layer.first_work
        return numbers

    def numbers(self) -> Numbers:
        """Return the numbers of all works, sorted by work id."""
        parts = [np.empty(0, np.int64)]
        for layer in self._layers:
            keep = np.ones(len(layer.exact.works), np.bool_)
            keep[layer.dead] = False
            parts.append(np.flatnonzero(keep) + layer.first_work)
        numbers = np.concatenate(parts)
        if len(self._layers) > 1:
            hi, lo = self.halves(numbers)
            numbers = numbers[rising(hi, lo)]
        return numbers

    def halves(self, numbers: npt.NDArray[np.integer]) -> tuple[U64, U64]:
        """Return the ids of these works as two columns that sort as the ids do."""
        hi, lo = np.empty(len(numbers), np.uint64), np.empty(len(numbers), np.uint64)
        for layer, place, row in self._split(numbers):
            hi[place], lo[place] = layer.exact.works.hi[row], layer.exact.works.lo[row]
        return hi, lo

    def ids(self, numbers: npt.NDArray[np.integer]) -> Bytes:
        """Return the ids of these works, n × 16 bytes."""
        return joined(*self.halves(numbers))

    def take(self, numbers: npt.NDArray[np.integer]) -> WorkColumns:
        """Return the state of the works with these numbers, a row each."""
        n = len(numbers)
        out = WorkColumns(
            work=self.ids(numbers),
            account=np.empty((n, ID_BYTES), np.uint8),
            statement=np.empty((n, ID_BYTES), np.uint8),
            terms=np.empty(n, np.int64),
            log_index=np.empty(n, np.int64),
            level=np.empty(n, np.uint8),
            flags=np.empty(n, np.uint16),
        )
        for layer, place, row in self._split(numbers):
            state = layer.exact.state(row)
            out.account[place] = layer.exact.columns["account.id"][state["account"]]
            out.statement[place] = layer.exact.columns["work.statement"][row]
            terms = state["terms"].astype(np.int64)
            out.terms[place] = np.where(terms == NO_TERMS, -1, terms + layer.first_terms)
            out.log_index[place] = state["log"]
            out.level[place] = state["level"]
            out.flags[place] = state["flags"]
        return out

    def conditions(self, numbers: npt.NDArray[np.integer]) -> tuple[Numbers, Bytes, npt.NDArray[np.uint16]]:
        """Return terms, level and flags of these works, as `take` does: all that most decisions depend on."""
        n = len(numbers)
        terms, level, flags = np.empty(n, np.int64), np.empty(n, np.uint8), np.empty(n, np.uint16)
        for layer, place, row in self._split(numbers):
            state = layer.exact.state(row, ("terms", "level", "flags"))
            stated = state["terms"].astype(np.int64)
            terms[place] = np.where(stated == NO_TERMS, -1, stated + layer.first_terms)
            level[place], flags[place] = state["level"], state["flags"]
        return terms, level, flags

    def encoded_terms(self, number: int) -> bytes:
        """Return the canonical bytes of the terms with this number."""
        layer = self._terms_layer(number)
        return layer.exact.terms(number - layer.first_terms)

    def terms(self, number: int) -> Terms:
        """Return the terms with this number; raises ``MalformedError`` if this version cannot read them."""
        return intern(self.encoded_terms(number))

    def terms_hash(self, number: int) -> str:
        """Return the hash of the terms with this number, hex."""
        layer = self._terms_layer(number)
        digest: bytes = layer.exact.columns["terms.hash"][number - layer.first_terms].tobytes()
        return digest.hex()

    def _split(self, numbers: npt.NDArray[np.integer]) -> Iterator[tuple[Layer, Numbers, Numbers]]:
        """Yield, for each layer that ``numbers`` reach, (layer, their places, their rows in it)."""
        end = self._layers[-1].end_work if self._layers else 0
        if len(numbers) and not (int(numbers.min()) >= 0 and int(numbers.max()) < end):
            raise InputError.field("work", f"numbers of works below {end}", (int(numbers.min()), int(numbers.max())))
        for layer in self._layers:
            place = np.flatnonzero((numbers >= layer.first_work) & (numbers < layer.end_work))
            if len(place):
                yield layer, place, numbers[place].astype(np.int64) - layer.first_work

    def _terms_layer(self, number: int) -> Layer:
        for layer in self._layers:
            if layer.first_terms <= number < layer.end_terms:
                return layer
        raise InputError.field("terms", "the number of terms in this index", number)
