"""ISCC content codes that are near each other: every pair, without looking at all of them.

Codes have 64 to 256 bits, and two of them are compared over the length of the shorter. They are near if at most
``RADIUS`` of the first 64 bits differ, and no larger a part of all that both have: what only the first bits make alike,
further bits tell apart.

The first 64 bits are four chunks of 16. Where none of the first three differs in at most two bits, nor the fourth in at
most one, at least 3 + 3 + 3 + 2 bits differ. So the stored codes that share such a chunk with a query are all that can
be near: 137 values of each of three chunks and 17 of the fourth, 0.7 % of codes that are spread evenly. They are walked
by compiled loops where the extra ``licet[fast]`` is installed, with numpy otherwise; a few are compared one by one.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.compiled import told_of_compiling
from licet.errors import InputError
from licet.index.exact import spread
from licet.index.scanning import NO_PAIRS, Bytes, Pairs

CODE_BYTES: Final = 32
CODE_BITS: Final = (64, 128, 192, 256)
RADIUS: Final = 10
MOST_DIFFERING: Final = RADIUS * CODE_BITS[-1] // 64

_CHUNKS: Final = 4
_VALUES: Final = 1 << 16
_WORTH: Final = 1 << 24  # comparisons from which on sorting the stored codes is faster
_WORTH_LOADING: Final = 1 << 30  # and loading the compiled loops, which takes a second or two
_SCANNED: Final = 1 << 20  # pairs at a time
_VISITED: Final = 1 << 22
_LIMITS: Final = (2, 2, 2, 1)  # bits that may differ in a chunk that two codes meet at
_ROOM: Final = 1 << 12  # pairs of one chunk for which there is room at first


def _differences(most: int) -> npt.NDArray[np.int64]:
    """Return all 16 bits of which at most ``most`` are set."""
    bits = [sum(1 << bit for bit in some) for count in range(most + 1) for some in combinations(range(16), count)]
    return np.array(bits, np.int64)


_FLIPS: Final = tuple(_differences(most) for most in _LIMITS)

Words = npt.NDArray[np.uint64]


class ContentTable:
    """The stored codes of one segment, 256 bits each, ready to be searched; any number of threads may ask."""

    def __init__(self, stored: Bytes) -> None:
        """Take m × 32 bytes (not copied). Raises ``InputError`` for another shape."""
        self._stored: Final = _rows(stored, "stored")
        self._first: Words | None = None
        self._sorted: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]] | None = None
        self._walked: _Walk | None = None
        self._making: Final = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def pairs(self, queries: Bytes, bits: npt.NDArray[np.integer]) -> Pairs:
        """Return (query, stored, distance) of every near pair, sorted by query, then stored.

        ``queries`` are k × 32 bytes of which the first ``bits`` count; the distance is over the same bits.
        """
        asked = _rows(queries, "queries")
        if not len(asked) or not len(self):
            return NO_PAIRS
        # Many rows show the same picture, and the table of it is walked once.
        first, own = np.unique(_first_words(asked), return_inverse=True)
        code, place = self._close(first)
        if not len(code):
            return NO_PAIRS
        order = np.argsort(own, kind="stable")
        ends = np.searchsorted(own[order], np.arange(len(first) + 1))
        pair, at = spread(ends[code], ends[code + 1])
        query, place = order[at], place[pair]
        distance, near = _compared(asked[query], self._stored[place], np.asarray(bits, np.int64)[query])
        query, place, distance = query[near], place[near], distance[near]
        order = np.lexsort((place, query))
        return query[order], place[order], distance[order]

    def _close(self, asked: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the pairs of which at most ten of the first 64 bits differ, each once."""
        with self._making:
            if self._first is None:
                self._first = _first_words(self._stored)
            comparisons = len(asked) * len(self)
            if self._walked is None and comparisons >= (_WORTH if _loaded() else _WORTH_LOADING):
                self._walked = _Walk.over(self._first)
                if self._walked is not None:
                    self._sorted = None
            if self._walked is None and self._sorted is None and comparisons >= _WORTH:
                self._sorted = [_ordered(_chunk(self._first, number)) for number in range(_CHUNKS)]
        stored, tables, walked = self._first, self._sorted, self._walked
        if walked is not None:
            return walked.close(asked)
        found = []
        if tables is None:
            step = max(1, _SCANNED // len(stored))
            for start in range(0, len(asked), step):
                close = np.bitwise_count(asked[start : start + step, None] ^ stored) <= RADIUS
                query, place = np.nonzero(close)
                found.append((query + start, place))
        else:
            for number, (row, start_of) in enumerate(tables):
                found += self._meeting(asked, number, row, start_of)
        query, place = (np.concatenate(column) for column in zip(*found, strict=True))
        if tables is not None:
            both = np.unique(query * len(stored) + place)
            query, place = np.divmod(both, len(stored))
        return query.astype(np.int64), place.astype(np.int64)

    def _meeting(
        self, asked: Words, number: int, row: npt.NDArray[np.uint32], start_of: npt.NDArray[np.int64]
    ) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        assert self._first is not None
        values = _chunk(asked, number)[:, None] ^ _FLIPS[number]
        low, high = start_of[values].reshape(-1), start_of[values + 1].reshape(-1)
        # However crowded the codes lie, so many pairs are held at a time; one value's are never divided.
        cuts = np.searchsorted(np.cumsum(high - low), np.arange(_VISITED, int((high - low).sum()), _VISITED)).tolist()
        found = []
        for begin, end in zip([0, *cuts], [*cuts, len(low)], strict=True):
            probe, at = spread(low[begin:end], high[begin:end])
            query, place = (probe + begin) // len(_FLIPS[number]), row[at].astype(np.int64)
            close = np.bitwise_count(asked[query] ^ self._first[place]) <= RADIUS
            found.append((query[close], place[close]))
        return found


class _Walk:
    """The stored codes in the order of each chunk, 48 bytes a code, walked by compiled loops."""

    def __init__(self, kernels: Any, first: Words) -> None:
        self._kernels = kernels
        self._chunks: list[tuple[Words, npt.NDArray[np.uint32], npt.NDArray[np.int64]]] = []
        for number in range(_CHUNKS):
            ordered, row = np.empty(len(first), np.uint64), np.empty(len(first), np.uint32)
            start = np.empty(_VALUES + 1, np.int64)
            kernels.order(first, np.uint64(16 * number), start, ordered, row)
            self._chunks.append((ordered, row, start))

    @classmethod
    def over(cls, first: Words) -> _Walk | None:
        """Return them sorted, or None where there are no compiled loops here."""
        kernels = _kernels()
        return None if kernels is None else cls(kernels, first)

    def close(self, asked: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the pairs of which at most ten of the first 64 bits differ, each once."""
        limits = np.array(_LIMITS, np.uint64)
        found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        for number, chunk in enumerate(self._chunks):
            flips, room = _FLIPS[number].astype(np.uint64), _ROOM
            while True:
                pair = np.empty(room, np.uint32), np.empty(room, np.uint32)
                count = self._kernels.meet(asked, *chunk, number, np.uint64(RADIUS), flips, limits, *pair)
                if count <= room:
                    break
                room = count
            found.append((pair[0][:count].astype(np.int64), pair[1][:count].astype(np.int64)))
        query, place = (np.concatenate(column) for column in zip(*found, strict=True))
        return query, place


def _loaded() -> bool:
    return "licet.index.content_kernels" in sys.modules


@cache
def _kernels() -> Any:
    """Return the module of compiled loops, None where numba is not there, or not for this numpy."""
    try:
        with told_of_compiling():
            from licet.index import content_kernels as module
    except ImportError:
        return None
    return module


def _compared(
    asked: Bytes, stored: Bytes, bits: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
    """Return how many of the first ``bits`` of each pair differ, and whether that is near."""
    differing = np.bitwise_count(asked.view(np.uint64) ^ stored.view(np.uint64)).astype(np.int16)
    counts = np.cumsum(differing, axis=1, dtype=np.int16)
    words = bits // 64
    distance = counts[np.arange(len(bits)), words - 1]
    return distance, distance <= RADIUS * words


def _ordered(chunks: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the rows in the order of their chunk, and where the rows of each value begin."""
    row = np.argsort(chunks, kind="stable").astype(np.uint32)
    start = np.zeros(_VALUES + 1, np.int64)
    np.cumsum(np.bincount(chunks, minlength=_VALUES), out=start[1:])
    return row, start


def _first_words(codes: Bytes) -> Words:
    return np.ascontiguousarray(codes[:, :8]).view("<u8").reshape(-1).astype(np.uint64)


def _chunk(first: Words, number: int) -> npt.NDArray[np.int64]:
    return (first >> np.uint64(16 * number) & np.uint64(_VALUES - 1)).astype(np.int64)


def _rows(codes: Bytes, field: str) -> Bytes:
    array = np.ascontiguousarray(codes)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != CODE_BYTES:
        raise InputError.field(field, f"n × {CODE_BYTES} bytes", (array.dtype.str, array.shape))
    return array
