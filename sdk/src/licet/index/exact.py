"""Exact look-up: 16-byte keys in one sorted table, found a batch at a time with plain numpy.

A key is kept as two uint64, its big-endian halves, so that numeric order is the order of the bytes. A bucket table
over the leading bits says where each bucket begins; with about one key a bucket, a batch costs a handful of passes
over small arrays. Somebody who grinds keys into one bucket makes that bucket slower by a logarithm, no more.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.compiled import hashing_of
from licet.errors import MalformedError

U64 = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Buckets = npt.NDArray[np.uint32]

MAX_BITS: Final = 26
_CROWDED: Final = 8  # keys in a bucket, above which it is searched by halving
_WORTH: Final = 2_000  # queries, from which on a compiled loop is
_WORTH_LOADING: Final = 10_000_000  # keys to be sorted, from which on loading compiled loops is
_PART_BITS: Final = 12  # keys that are sorted at once are so many in bits, roughly
_NO_BITMAP: Final = np.empty(0, np.uint64)
_ROOM: Final = 1_024  # pairs beyond one a query, that it writes down


def halves(keys: npt.NDArray[np.uint8]) -> tuple[U64, U64]:
    """Return n × 16 bytes as two columns of n uint64 that sort as the bytes do."""
    words = np.ascontiguousarray(keys).view(">u8").reshape(-1, 2)
    return words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)


def joined(hi: npt.NDArray[Any], lo: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the n × 16 bytes that `halves` took apart."""
    words = np.empty((len(hi), 2), ">u8")
    words[:, 0] = hi
    words[:, 1] = lo
    return words.view(np.uint8).reshape(-1, 16)


def rising(hi: U64, lo: U64, *then: npt.NDArray[Any]) -> Places:
    """Return the order in which keys rise, equal ones by ``then``: what ``np.lexsort((*reversed(then), lo, hi))`` is.

    The leading bits of ten million keys, each with its number in the bits below, are sorted as plain integers in a
    tenth of the time; only keys that begin alike are compared as a whole. The bits begin where keys differ: ids of
    works begin with the time, which is nearly the same in all of them.
    """
    if not len(hi):
        return np.empty(0, np.int64)
    bits = np.uint64(len(hi).bit_length())
    least = hi.min()
    packed = hi - least
    packed <<= np.uint64(64 - max(int(hi.max() - least).bit_length(), 1))
    packed >>= bits
    packed <<= bits
    packed |= np.arange(len(hi), dtype=np.uint64)
    packed.sort()
    order: npt.NDArray[np.int64] = (packed & ((np.uint64(1) << bits) - np.uint64(1))).view(np.int64)
    packed >>= bits
    tied = np.zeros(len(hi), np.bool_)
    np.equal(packed[1:], packed[:-1], out=tied[1:])
    tied[:-1] |= tied[1:]
    among = np.flatnonzero(tied)
    if len(among):
        some = order[among]
        order[among] = some[np.lexsort((*(each[some] for each in reversed(then)), lo[some], hi[some]))]
    return order


def key_columns(hi: U64, lo: U64, work: npt.NDArray[np.uint32]) -> tuple[U64, U64, npt.NDArray[np.uint32], Buckets]:
    """Return keys and their works as they rise, each pair once, and where `buckets` of them begin.

    Beside what is given and returned it takes 20 bytes a key while it runs; with compiled loops nothing that grows with
    the keys if they are spread, and 50 bytes a key if most begin alike.
    """
    loops = _sorting(len(hi))
    if loops is None:
        order = rising(hi, lo, work)
        hi, lo, work = hi[order], lo[order], work[order]
    else:
        hi, lo, work = _sorted(loops, hi, lo, work)
        places = np.zeros((1 << _bits(len(hi))) + 1, np.uint32)
        if not loops.table(hi, lo, work, places):
            return hi, lo, work, places
    fresh = np.ones(len(hi), np.bool_)
    fresh[1:] = (hi[1:] != hi[:-1]) | (lo[1:] != lo[:-1]) | (work[1:] != work[:-1])
    if not fresh.all():
        hi, lo, work = hi[fresh], lo[fresh], work[fresh]
    return hi, lo, work, buckets(hi)


def _sorted(
    loops: ModuleType, hi: U64, lo: U64, work: npt.NDArray[np.uint32]
) -> tuple[U64, U64, npt.NDArray[np.uint32]]:
    count, least = len(hi), hi.min()
    up = 64 - max(int(hi.max() - least).bit_length(), 1)  # keys differ from there on: ids of works begin with the time
    bits = min(max(count.bit_length() - _PART_BITS, 1), loops.MOST_BITS)
    starts = np.zeros((1 << bits) + 1, np.int64)
    columns = _aligned(count, np.uint64), _aligned(count, np.uint64), _aligned(count, np.uint32)
    given = (np.ascontiguousarray(each, own.dtype) for each, own in zip((hi, lo, work), columns, strict=True))
    loops.split(*given, least, np.uint64(up), np.uint64(64 - bits), starts, *columns)
    left = np.zeros(count, np.bool_)
    # A shift by 64 is undefined; where no bits are left, keys of a part are alike, in the last one too.
    if loops.sort_parts(*columns, least, np.uint64(min(up + bits, 63)), starts, left):
        among = np.flatnonzero(left)
        order = np.lexsort([column[among] for column in reversed(columns)])
        for column in columns:
            column[among] = column[among][order]
    return columns


def _aligned(count: int, kind: type[Any]) -> npt.NDArray[Any]:
    """Return room for so many numbers, which begins at a multiple of 64 bytes."""
    room = np.empty(count + 64 // np.dtype(kind).itemsize, kind)
    skipped = -room.ctypes.data % 64 // room.itemsize
    return room[skipped : skipped + count]


def _sorting(keys: int) -> ModuleType | None:
    """Return `licet.index.sorting` where it is worth it and other loops are loaded already, or keys are that many."""
    if keys < _WORTH_LOADING and (keys < _WORTH or "licet.compiled.hashing" not in sys.modules):
        return None
    if hashing_of(keys) is None:
        return None
    from licet.index import sorting

    return sorting


def _bits(keys: int) -> int:
    return min((max(keys, 1) - 1).bit_length(), MAX_BITS)


def buckets(hi: U64) -> Buckets:
    """Return where each of 2^b equal ranges of the sorted ``hi`` begins, and the end: 2^b + 1 places.

    b is the least for which there are at least as many ranges as keys, at most 26.
    """
    bits = _bits(len(hi))
    if bits == 0:
        return np.array([0, len(hi)], np.uint32)
    counts = np.bincount((hi >> np.uint64(64 - bits)).view(np.int64), minlength=1 << bits)
    places = np.zeros((1 << bits) + 1, np.uint32)
    np.cumsum(counts, out=places[1:])
    return places


class KeyTable:
    """Sorted keys, several of which may be equal, with or without a bucket table in front."""

    def __init__(self, hi: U64, lo: U64, bucket: npt.NDArray[np.uint32] | None = None) -> None:
        """Take columns as `halves` and `buckets` make them.

        Raises ``MalformedError`` for a bucket table that does not rise from 0 to the number of keys. Whether the keys
        are sorted is not looked at (`is_sorted` does): unsorted keys are not found, and nothing worse.
        """
        self.hi: Final = hi
        self.lo: Final = lo
        self._bucket: Final = bucket
        self._bitmap: U64 = _NO_BITMAP
        self._missed = 0  # queries, less twice as many as were found: whether a bitmap is worth it
        self._shift = np.uint64(0)
        if bucket is None:
            return
        bits = (len(bucket) - 1).bit_length() - 1
        if len(bucket) != (1 << max(bits, 0)) + 1 or bits > MAX_BITS:
            raise MalformedError(f"expected a bucket table of 2^b + 1 places, got {len(bucket)}")
        if bucket[0] or bucket[-1] != len(hi) or (bucket[1:] < bucket[:-1]).any():
            raise MalformedError(f"expected a bucket table that rises from 0 to {len(hi)}, got another")
        self._shift = np.uint64(64 - bits)

    def __len__(self) -> int:
        return len(self.hi)

    def is_sorted(self, *, unique: bool = False) -> bool:
        """Return whether the keys rise (strictly, if ``unique``) and lie in the buckets that the table says."""
        hi, lo = self.hi, self.lo
        same = hi[1:] == hi[:-1]
        rising = (lo[1:] > lo[:-1]) if unique else (lo[1:] >= lo[:-1])
        if not np.where(same, rising, hi[1:] > hi[:-1]).all():
            return False
        return self._bucket is None or bool(np.array_equal(buckets(np.asarray(hi, np.uint64)), self._bucket))

    def find(self, hi: U64, lo: U64) -> tuple[Places, Places]:
        """Return every pair (query, place) with equal keys, sorted by query, then place.

        Where compiled loops find few of many, half a byte to a byte a key (32 MB at most) is taken for good, so that
        most misses end there.
        """
        loops = _loops(len(hi)) if len(self.hi) else None
        if loops is not None and self._bucket is not None and len(self.hi) >= loops.LEAST:
            query, place = np.empty(len(hi) + _ROOM, np.int64), np.empty(len(hi) + _ROOM, np.int64)
            found = loops.pairs(hi, lo, self.hi, self.lo, self._bucket, self._in_front(loops), query, place)
            if found != loops.NO_ROOM:
                self._missed = min(max(self._missed + len(hi) - 3 * found, 0), len(self.hi))
                return query[:found], place[:found]
        low, high = self._ranges(hi)
        crowded = np.flatnonzero(high - low > _CROWDED)
        if len(crowded):
            wanted = hi[crowded], lo[crowded]
            first = self._bisect(*wanted, low[crowded], high[crowded], after=False)
            high[crowded] = self._bisect(*wanted, first, high[crowded], after=True)
            low[crowded] = first
        query, place = spread(low, high)
        equal = np.flatnonzero(self.hi[place] == hi[query])
        query, place = query[equal], place[equal]
        equal = np.flatnonzero(self.lo[place] == lo[query])
        return query[equal], place[equal]

    def has(self, hi: U64) -> npt.NDArray[np.bool_]:
        """Return which of these first halves some key begins with."""
        if not len(self.hi):
            return np.zeros(len(hi), np.bool_)
        place = np.minimum(np.searchsorted(self.hi, hi), len(self.hi) - 1)
        found: npt.NDArray[np.bool_] = self.hi[place] == hi
        return found

    def find_first_half(self, hi: U64) -> tuple[Places, Places]:
        """Return every pair (query, place) whose keys begin alike, sorted by query, then place."""
        low = np.searchsorted(self.hi, hi, "left").astype(np.int64)
        return spread(low, np.searchsorted(self.hi, hi, "right").astype(np.int64))

    def _in_front(self, loops: ModuleType) -> U64:
        """Return a bit for each value of some leading bits, set where a key begins so; or nothing, if many are found.

        It is made once half as many queries as there are keys found nothing: by then it saves more than it costs.
        """
        if 2 * self._missed < len(self.hi):
            return _NO_BITMAP
        if not len(self._bitmap):
            bitmap = np.zeros(1 << (max(_bits(len(self.hi)) + 2, 6) - 6), np.uint64)
            loops.sow(self.hi, bitmap)
            self._bitmap = bitmap  # of threads that make it at once the last one's stays: all are alike
        return self._bitmap

    def _ranges(self, hi: U64) -> tuple[Places, Places]:
        if self._bucket is None:
            return np.zeros(len(hi), np.int64), np.full(len(hi), len(self.hi), np.int64)
        if len(self._bucket) == 2:  # a shift by 64 is undefined
            return np.zeros(len(hi), np.int64), np.full(len(hi), len(self.hi), np.int64)
        bucket = (hi >> self._shift).astype(np.int64)
        return self._bucket[bucket].astype(np.int64), self._bucket[bucket + 1].astype(np.int64)

    def _bisect(self, hi: U64, lo: U64, low: Places, high: Places, *, after: bool) -> Places:
        """Return, within [low, high), the first place whose key is not below (``after``: is above) the query."""
        low, high = low.copy(), high.copy()
        active = np.flatnonzero(low < high)
        while len(active):
            middle = (low[active] + high[active]) >> 1
            there, here = self.hi[middle], hi[active]
            below = there < here
            tied = np.flatnonzero(there == here)
            there_lo, here_lo = self.lo[middle[tied]], lo[active[tied]]
            below[tied] = there_lo <= here_lo if after else there_lo < here_lo
            low[active[below]] = middle[below] + 1
            high[active[~below]] = middle[~below]
            active = active[low[active] < high[active]]
        return low


def _loops(queries: int) -> ModuleType | None:
    """Return `licet.index.pairing` where it is worth it and other loops are loaded already."""
    if queries < _WORTH or "licet.compiled.hashing" not in sys.modules or hashing_of(queries) is None:
        return None
    from licet.index import pairing

    return pairing


def spread(low: Places, high: Places) -> tuple[Places, Places]:
    """Return, for ranges [low, high), the number of the range and each place in it, in order."""
    counts = high - low
    query = np.repeat(np.arange(len(low), dtype=np.int64), counts)
    ends = np.cumsum(counts)
    place = np.arange(len(query), dtype=np.int64) + np.repeat(low - ends + counts, counts)
    return query, place
