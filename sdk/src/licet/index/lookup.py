"""The index: what a batch of keys finds in the segments of a snapshot and what came after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from licet.errors import InputError, MalformedError
from licet.fingerprints.pdq import MIN_QUALITY, NEAR_RADIUS
from licet.fingerprints.sites import probes
from licet.index import writing
from licet.index.content import MOST_DIFFERING
from licet.index.exact import U64, halves
from licet.index.keys import ORIENTATIONS, Keys
from licet.index.records import WorkRecord
from licet.index.segments import Segment, bounded
from licet.index.snapshot import Snapshot
from licet.index.works import Layer, Works, WorkState, layered, stack

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
MatchMode = Literal["exact", "near"]

#: Codes in `Matches.kind` and `Matches.key`: indices of ``decisions.MATCH_KINDS`` and ``decisions.KEY_KINDS``.
EXACT, NEAR = 0, 1
FILE, PIXELS, URL, PDQ, SITE, INSTANCE, CONTENT = range(7)
# How firm a shared key is, the firmest first: file, pixels, instance code, near by distance, content code by distance,
# an address alone, the site that it is of.
FIRM: Final = 2  # and what is below: the file itself, whatever says so
_RANK_NEAR: Final = FIRM + 1
_RANK_CONTENT: Final = _RANK_NEAR + NEAR_RADIUS + 1
_RANK_URL: Final = _RANK_CONTENT + MOST_DIFFERING + 1
_RANK_SITE: Final = _RANK_URL + 1
_RANKS: Final = {"file": 0, "pixels": 1, "instance": FIRM, "url": _RANK_URL, "site": _RANK_SITE}
_KEY_OF_RANK: Final = np.array(
    [FILE, PIXELS, INSTANCE, *[PDQ] * (NEAR_RADIUS + 1), *[CONTENT] * (MOST_DIFFERING + 1), URL, SITE], np.uint8
)
_DISTANCE_OF_RANK: Final = np.array([0, 0, 0, *range(NEAR_RADIUS + 1), *range(MOST_DIFFERING + 1), 0, 0], np.int16)
_LEAST_RANK_OF_KEY: Final = np.array([0, 1, _RANK_URL, _RANK_NEAR, _RANK_SITE, FIRM, _RANK_CONTENT], np.int64)


@dataclass(frozen=True, slots=True)
class Matches:
    """What a batch found, one entry for each (row, work), by the firmest key that they share.

    Sorted by row; within a row by file, pixels or instance code, then near by distance, then content code by distance,
    then address alone, then site; ties by work id.
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

    def key_count(self, kind: str) -> int:
        """Return how many keys of ``kind`` there are, those of overridden works among them."""
        return sum(len(layer.exact.keys[kind]) for layer in self._layers if kind in layer.exact.keys)

    def keys_between(self, kind: str, low: int, high: int) -> tuple[U64, U64, Numbers]:
        """Return every key of ``kind`` whose first 8 bytes are within [low, high], and the number of its work.

        Keys come as `exact.halves` has them, in no order that is promised.
        """
        empty = np.empty(0, np.uint64)
        found = [(empty, empty, np.empty(0, np.int64))]
        for layer in self._layers:
            table = layer.exact.keys.get(kind)
            if table is None:
                continue
            start = int(np.searchsorted(table.hi, np.uint64(low), "left"))
            end = int(np.searchsorted(table.hi, np.uint64(high), "right"))
            column = layer.exact.columns[f"{kind}.work"][start:end]
            rows = bounded(column, len(layer.exact.works), f"{kind}.work").astype(np.int64)
            keep = layer.alive(rows)
            found.append((table.hi[start:end][keep], table.lo[start:end][keep], rows[keep] + layer.first_work))
        hi, lo, work = (np.concatenate(column) for column in zip(*found, strict=True))
        return hi, lo, work

    def lookup(self, keys: Keys, match: MatchMode = "near") -> Matches:
        """Return every work that shares a key with a row; with ``near``, near-duplicates as well.

        A key of one kind never matches a key of another. Raises ``MalformedError`` for a segment whose rows point
        nowhere.
        """
        if match not in ("exact", "near"):
            raise InputError.field("match", "exact or near", match)
        exact = [*self._exact(keys)]
        near = match == "near" and self.near
        found = [*exact, *(self._near(keys) if near else ()), *(self._content(keys) if near else ())]
        found += self._sites(keys)
        if not found:
            return NOTHING
        row, work, rank = (np.concatenate(column) for column in zip(*found, strict=True))
        # One kind of key in one layer comes as it must be: sorted by row and work id, each pair once.
        # But of halves of instance codes, which are asked apart.
        if len(found) > len(exact) or len(exact) > 1 or keys.instance_short.any():
            row, work, rank = self._firmest(row, work, rank)
        kind = (rank >= _RANK_NEAR) & (rank < _RANK_URL)
        return Matches(row, work.astype(np.int32), kind.astype(np.uint8), _KEY_OF_RANK[rank], _DISTANCE_OF_RANK[rank])

    def _firmest(self, row: Numbers, work: Numbers, rank: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return each pair of row and work once, by its firmest key, in the order of `Matches`."""
        order = np.lexsort((rank, work, row))
        row, work, rank = row[order], work[order], rank[order]
        first = np.ones(len(row), np.bool_)
        first[1:] = (row[1:] != row[:-1]) | (work[1:] != work[:-1])
        row, work, rank = row[first], work[first], rank[first]
        hi, lo = self.works.halves(work)
        order = np.lexsort((lo, hi, np.maximum(rank, FIRM), row))
        return row[order], work[order], rank[order]

    def _exact(self, keys: Keys) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        for kind, (column, mask) in keys.exact.items():
            rows = np.flatnonzero(mask)
            hi, lo = halves(column if len(rows) == keys.n else column[rows])
            short = keys.instance_short[rows] if kind == "instance" else None
            for layer in self._layers:
                query, work = _found(layer, kind, hi, lo, short)
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

    def _content(self, keys: Keys) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        for kind, (codes, bits) in keys.content.items():
            rows = np.flatnonzero(bits)
            asked, lengths = codes[rows], bits[rows]
            for layer in self._layers:
                for segment in layer.near:
                    if kind not in segment.contents:
                        continue
                    query, place, distance = segment.contents[kind].pairs(asked, lengths)
                    hi, lo = segment.columns[f"{kind}.hi"][place], segment.columns[f"{kind}.lo"][place]
                    own, work = layer.exact.works.find(hi, lo)
                    if not np.array_equal(own, np.arange(len(place))):
                        raise MalformedError(
                            f"{kind}: expected codes of works in the exact segment before it, got others"
                        )
                    keep = layer.alive(work)
                    if keep.any():
                        rank = distance[keep].astype(np.int64) + _RANK_CONTENT
                        yield rows[query[keep]], work[keep] + layer.first_work, rank

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The segments that this is made from, oldest first."""
        return self._layers

    @property
    def sites(self) -> bool:
        """Whether any work is a site's rule: only then are addresses looked at beyond their keys."""
        return any("site" in layer.exact.keys for layer in self._layers)

    def _sites(self, keys: Keys) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        ruled = [layer for layer in self._layers if "site" in layer.exact.keys]
        if keys.addresses is None or not ruled:
            return

        def held(hi: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
            there = np.zeros(len(hi), np.bool_)
            for layer in ruled:
                there |= layer.exact.keys["site"].has(hi)
            return there

        rows, hi, lo = probes(keys.addresses, held)
        for layer in ruled:
            query, work = layer.exact.find("site", hi, lo)
            keep = layer.alive(work)
            if keep.any():
                yield rows[query[keep]], work[keep] + layer.first_work, np.full(int(keep.sum()), _RANK_SITE, np.int64)


def united(index: Index, *found: Matches) -> Matches:
    """Return all of ``found`` as one look-up would have: a work once a row, by the firmest key, in its order."""
    row, work, key, distance = (
        np.concatenate([getattr(each, name) for each in found]) for name in ("row", "work", "key", "distance")
    )
    rank = _LEAST_RANK_OF_KEY[key] + distance
    row, number, rank = index._firmest(row.astype(np.int64), work.astype(np.int64), rank)
    near = (rank >= _RANK_NEAR) & (rank < _RANK_URL)
    return Matches(row, number.astype(np.int32), near.astype(np.uint8), _KEY_OF_RANK[rank], _DISTANCE_OF_RANK[rank])


def _found(
    layer: Layer, kind: str, hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64], short: npt.NDArray[np.bool_] | None
) -> tuple[Numbers, Numbers]:
    if short is None or not short.any():
        return layer.exact.find(kind, hi, lo)
    whole, half = np.flatnonzero(~short), np.flatnonzero(short)
    query, work = layer.exact.find(kind, hi[whole], lo[whole])
    other, begins = layer.exact.find_first_half(kind, hi[half])
    return np.concatenate((whole[query], half[other])), np.concatenate((work, begins))


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
