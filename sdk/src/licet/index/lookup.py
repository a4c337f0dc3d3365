"""The index: what a batch of keys finds in the segments of a snapshot and what came after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from licet.errors import InputError, MalformedError
from licet.fingerprints.pdq import MIN_QUALITY, NEAR_RADIUS
from licet.index import writing
from licet.index.exact import halves
from licet.index.keys import ORIENTATIONS, Keys
from licet.index.records import WorkRecord
from licet.index.segments import Segment
from licet.index.snapshot import Snapshot
from licet.index.works import Layer, Works, WorkState, layered, stack

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
MatchMode = Literal["exact", "near"]

#: Codes in `Matches.kind` and `Matches.key`: indices of ``decisions.MATCH_KINDS`` and ``decisions.KEY_KINDS``.
EXACT, NEAR = 0, 1
FILE, PIXELS, URL, PDQ = 0, 1, 2, 3
# How firm a shared key is, the firmest first: file, pixels, near by distance, an address alone.
_RANK_NEAR: Final = 2
_RANK_URL: Final = _RANK_NEAR + NEAR_RADIUS + 1
_RANKS: Final = {"file": FILE, "pixels": PIXELS, "url": _RANK_URL}


@dataclass(frozen=True, slots=True)
class Matches:
    """What a batch found, one entry for each (row, work), by the firmest key that they share.

    Sorted by row; within a row by file or pixels, then near by distance, then address alone; ties by work id.
    ``row`` i8; ``work`` i4, numbers of `Index.works`; ``kind`` and ``key`` u1, indices of ``MATCH_KINDS`` and
    ``KEY_KINDS``; ``distance`` i2, bits, 0 unless near.
    """

    row: Numbers
    work: npt.NDArray[np.int32]
    kind: Bytes
    key: Bytes
    distance: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.row)


class Index:
    """Everything that decisions are made from. Immutable: any number of threads may read it."""

    def __init__(self, source: Snapshot | Iterable[Segment] = (), overlay: Iterable[WorkRecord] = ()) -> None:
        """Open a snapshot, or segments, oldest first, under an ``overlay`` of newer records.

        Where the near tier of a snapshot is not there as a whole (``near`` is False), near-duplicates are not looked
        for, in the overlay neither. Raises ``MalformedError`` for a near segment that follows no exact one.
        """
        self.near: bool = source.near if isinstance(source, Snapshot) else True
        layers = source.layers if isinstance(source, Snapshot) else layered(source)
        self._layers = _overlaid(layers, overlay)
        self.works = Works(self._layers)

    def with_overlay(self, records: Iterable[WorkRecord]) -> Index:
        """Return an index in which ``records`` are the newest word about their works; this one stays as it is.

        Of several records of one work the last counts. Cheap: overlays that are not much larger than the new one are
        merged with it, so a thousand small calls leave no more than a dozen layers.
        """
        index = Index()
        index.near = self.near
        index._layers = _overlaid(self._layers, records)
        index.works = Works(index._layers)
        return index

    def work(self, work: str | bytes) -> WorkState | None:
        """Return the state of one work, by ``wrk_…`` or its 16 bytes; None if the index holds none."""
        return self.works.get(work)

    def lookup(self, keys: Keys, match: MatchMode = "near") -> Matches:
        """Return every work that shares a key with a row; with ``near``, near-duplicates as well.

        A key of one kind never matches a key of another. Raises ``MalformedError`` for a segment whose rows point
        nowhere.
        """
        if match not in ("exact", "near"):
            raise InputError.field("match", "exact or near", match)
        exact = [*self._exact(keys)]
        found = [*exact, *(self._near(keys) if match == "near" and self.near else ())]
        if not found:
            return NOTHING
        row, work, rank = (np.concatenate(column) for column in zip(*found, strict=True))
        # One kind of key in one layer comes as it must be: sorted by row and work id, each pair once.
        if len(found) > len(exact) or len(exact) > 1:
            row, work, rank = self._firmest(row, work, rank)
        near = (rank >= _RANK_NEAR) & (rank < _RANK_URL)
        key = np.where(rank == _RANK_URL, URL, np.where(near, PDQ, rank))
        distance = np.where(near, rank - _RANK_NEAR, 0)
        return Matches(
            row, work.astype(np.int32), near.astype(np.uint8), key.astype(np.uint8), distance.astype(np.int16)
        )

    def _firmest(self, row: Numbers, work: Numbers, rank: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return each pair of row and work once, by its firmest key, in the order of `Matches`."""
        order = np.lexsort((rank, work, row))
        row, work, rank = row[order], work[order], rank[order]
        first = np.ones(len(row), np.bool_)
        first[1:] = (row[1:] != row[:-1]) | (work[1:] != work[:-1])
        row, work, rank = row[first], work[first], rank[first]
        hi, lo = self.works.halves(work)
        order = np.lexsort((lo, hi, np.maximum(rank, PIXELS), row))
        return row[order], work[order], rank[order]

    def _exact(self, keys: Keys) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        for kind, (column, mask) in keys.exact.items():
            rows = np.flatnonzero(mask)
            hi, lo = halves(column if len(rows) == keys.n else column[rows])
            for layer in self._layers:
                query, work = layer.exact.find(kind, hi, lo)
                keep = layer.alive(work)
                query, work = query[keep], work[keep]
                if len(query):
                    yield rows[query], work + layer.first_work, np.full(len(query), _RANKS[kind], np.int64)

    def _near(self, keys: Keys) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        rows = keys.near_rows
        if keys.pdq is None or not len(rows):
            return
        queries = keys.pdq[rows].reshape(-1, 32)
        for layer in self._layers:
            for segment in layer.near:
                columns = segment.columns
                query, place, distance = segment.table.pairs(queries)
                good = columns["near.quality"][place] >= MIN_QUALITY
                query, place, distance = query[good] // ORIENTATIONS, place[good], distance[good]
                asked, work = layer.exact.works.find(columns["near.hi"][place], columns["near.lo"][place])
                if not np.array_equal(asked, np.arange(len(place))):
                    raise MalformedError("near: expected vectors of works in the exact segment before it, got others")
                keep = layer.alive(work)
                if keep.any():
                    rank = distance[keep].astype(np.int64) + _RANK_NEAR
                    yield rows[query[keep]], work[keep] + layer.first_work, rank


NOTHING: Final = Matches(
    np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.uint8), np.empty(0, np.int16)
)


def _overlaid(layers: tuple[Layer, ...], records: Iterable[WorkRecord]) -> tuple[Layer, ...]:
    newest = {record.work: record for record in records}
    if not newest:
        return layers
    while layers and (below := layers[-1].records) is not None and len(below) <= 2 * len(newest):
        newest = {**below, **newest}
        layers = layers[:-1]
    exact, near = writing.in_memory(newest.values())
    return stack(layers, exact, (near,), newest)
