"""Near-duplicates of many hashes at once: every pair within radius 31, without looking at all of them.

Multi-index hashing, a batch at a time. The 256 bits, permuted once, are 16 chunks of 16 in a ring. Where two hashes
differ in at most 31 bits, there is a chunk from which on the first chunk differs in at most 31/16, the first four in at
most 4·31/16: so in 1 and 7 bits. (Take the differences of the chunks less 31/16 each; they sum to at most 0. Begin
after the place where their running sum is highest: no sum from there on is above 0.) For each chunk the stored hashes
are sorted by it, with the 64 bits that begin there beside their row, and meet the queries of the same chunk and of the
16 one bit away. Those 64 bits decide: of unrelated hashes that meet, one in fifteen million is looked at as a whole. A
pair is reported where it first meets.

Nothing of this is in a file: the permuted bits (32 bytes a work) are made at the first batch and kept, the sorted copy
(12 bytes a work) is made for each chunk of each batch.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.compiled import told_of_compiling
from licet.fingerprints.pdq import NEAR_RADIUS
from licet.index.scanning import HASH_BYTES, NO_PAIRS, Bytes, Pairs, words

MAX_RADIUS: Final = NEAR_RADIUS

_CHUNKS: Final = 16
_VALUES: Final = 1 << 16
_QUERIES: Final = 1 << 20  # a batch: what it takes beside the stored is then at most 50 MB
_ROOM: Final = 1 << 16  # pairs of one chunk for which there is room at first


class NearJoin:
    """The stored hashes of one segment, ready to meet batches; any number of threads may ask."""

    def __init__(self, stored: Bytes) -> None:
        """Take m × 32 bytes (not copied). Raises ``InputError`` for another shape, ``ImportError`` without numba."""
        self._kernels: Final = kernels()
        self._stored: Final = words(stored, "stored").view(np.uint8)
        self._words: npt.NDArray[np.uint64] | None = None
        self._making: Final = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def pairs(self, queries: Bytes, radius: int = MAX_RADIUS) -> Pairs:
        """Return (query, stored, distance) of every pair at most ``radius`` ≤ 31 bits apart, as the scan does.

        ``queries`` are k × 32 bytes. Beside the answer it takes 12 bytes a stored hash, 50 a query, while it runs.
        """
        if radius > MAX_RADIUS:
            raise ValueError(f"radius: expected at most {MAX_RADIUS}, got {radius}")
        asked = words(queries, "queries").view(np.uint8)
        if not len(asked) or not len(self) or radius < 0:
            return NO_PAIRS
        stored = self._permuted()
        parts = [
            _sorted(first, self._batch(stored, asked[first : first + _QUERIES], radius))
            for first in range(0, len(asked), _QUERIES)
        ]
        query, place, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
        return query, place, distance

    def _permuted(self) -> npt.NDArray[np.uint64]:
        with self._making:
            if self._words is None:
                self._words = self._permute(self._stored)
            return self._words

    def _permute(self, hashes: Bytes) -> npt.NDArray[np.uint64]:
        moved = np.empty((4, len(hashes)), np.uint64)
        self._kernels.permute(hashes, _tables(), moved)
        return moved

    def _batch(self, stored: npt.NDArray[np.uint64], hashes: Bytes, radius: int) -> list[tuple[Any, Any, Any]]:
        queries = self._permute(hashes)
        query_start, query_key, query_row = _room(_VALUES, len(hashes))
        part_start, part_key, part_row = _room(256, len(self))
        found = []
        for chunk in range(_CHUNKS):
            word, shift = chunk // 4, np.uint64(16 * (chunk % 4))
            after = (word + 1) % 4
            self._kernels.order_queries(queries[word], queries[after], shift, query_start, query_key, query_row)
            asked = _asked(query_start)
            self._kernels.split_stored(stored[word], stored[after], shift, asked, part_start, part_key, part_row)
            largest = int(np.diff(part_start).max())
            key, row = np.empty(largest, np.uint64), np.empty(largest, np.uint32)
            room = _ROOM
            while True:
                pairs = np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.int16)
                count = self._kernels.sweep(
                    stored, queries, chunk, radius, part_start, part_key, part_row,
                    query_start, query_key, query_row, key, row, *pairs,
                )  # fmt: skip
                if count <= room:
                    break
                room = count
            found.append((pairs[0][:count].copy(), pairs[1][:count].copy(), pairs[2][:count].copy()))
        return found


@cache
def kernels() -> Any:
    """Return the module of compiled loops; raises ``ImportError`` where numba is not there, or not for this numpy."""
    with told_of_compiling():
        from licet.index import kernels as module

    return module


@cache
def _tables() -> npt.NDArray[np.uint64]:
    """Return byte × value × word: where the bits of each byte of a hash go.

    Coefficients of one row or column of the transform are alike in many pictures, and would crowd a few buckets. So
    a chunk has one bit of each row and of each column.
    """
    tables = np.zeros((HASH_BYTES, 256, 4), np.uint64)
    values = np.arange(256)
    for place in range(256):
        chunk, row = divmod(place, _CHUNKS)
        byte, bit = divmod(16 * row + (5 * row + chunk) % 16, 8)
        tables[31 - byte, (values >> bit) & 1 == 1, place // 64] |= np.uint64(1) << np.uint64(place % 64)
    return tables


def _asked(start: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return the values of a chunk that are some query's, or one bit away."""
    there = np.flatnonzero(np.diff(start))
    asked = np.zeros(_VALUES, np.bool_)
    asked[there] = True
    for bit in range(16):
        asked[there ^ (1 << bit)] = True
    return asked


def _room(groups: int, rows: int) -> tuple[Any, Any, Any]:
    return np.zeros(groups + 1, np.int64), np.empty(rows, np.uint64), np.empty(rows, np.uint32)


def _sorted(first: int, found: list[tuple[Any, Any, Any]]) -> Pairs:
    query, place, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((place, query))
    return query[order].astype(np.int64) + first, place[order].astype(np.int64), distance[order]
