"""Near-duplicates by looking at all of them: what answers at once, needs numpy alone, and takes any radius.

Exact by construction, and memory stays flat: stored hashes are taken a block at a time, turned so that each of their
four 64-bit words lies contiguous, and held against a block of queries that fills what is left of the cache. Half of
the bits decide nearly always (unrelated hashes differ in about 64 of 128), so the other half is rarely looked at.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.pdq import NEAR_RADIUS

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
#: (query, stored, distance), sorted by query, then stored.
Pairs = tuple[Places, Places, npt.NDArray[np.int16]]

HASH_BYTES: Final = 32
NO_PAIRS: Final[Pairs] = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16)
_STORED: Final = 8192  # hashes a block: 256 KiB
_PAIRS: Final = 65_536  # stored × queries at a time


class NearScan:
    """The stored hashes of one segment, ready to be searched."""

    def __init__(self, stored: Bytes) -> None:
        """Take m × 32 bytes (not copied). Raises ``InputError`` for another shape."""
        self._words: Final = words(stored, "stored")

    def __len__(self) -> int:
        return len(self._words)

    def pairs(self, queries: Bytes, radius: int = NEAR_RADIUS) -> Pairs:
        """Return (query, stored, distance) of every pair at most ``radius`` bits apart, sorted by query, then stored.

        ``queries`` are k × 32 bytes; a radius above 256 is 256.
        """
        asked = words(queries, "queries")
        limit = min(radius, 8 * HASH_BYTES)
        found: list[Pairs] = []
        for start in range(0, len(self._words) if len(asked) and limit >= 0 else 0, _STORED):
            block = np.ascontiguousarray(self._words[start : start + _STORED].T)
            step = max(1, _PAIRS // block.shape[1])
            for first in range(0, len(asked), step):
                query, place, distance = _block(block, asked[first : first + step], limit)
                if len(query):
                    found.append((query + first, place + start, distance))
        if not found:
            return NO_PAIRS
        query, place, distance = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.lexsort((place, query))
        return query[order], place[order], distance[order]


def _block(block: npt.NDArray[np.uint64], asked: npt.NDArray[np.uint64], limit: int) -> Pairs:
    half = np.bitwise_count(block[0] ^ asked[:, :1]) + np.bitwise_count(block[1] ^ asked[:, 1:2])
    close = np.flatnonzero(half <= limit)  # np.nonzero in two dimensions takes longer than all the rest
    query, place = np.divmod(close, block.shape[1])
    rest = np.bitwise_count(block[2:, place] ^ asked[query, 2:].T).sum(axis=0, dtype=np.int16)
    distance = half.reshape(-1)[close] + rest
    near = np.flatnonzero(distance <= limit)
    return query[near], place[near], distance[near]


def words(hashes: Bytes, field: str) -> npt.NDArray[np.uint64]:
    """Return n × 32 bytes as n × 4 words, not copied if they lie together. Raises ``InputError`` for another shape."""
    array = np.ascontiguousarray(hashes)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != HASH_BYTES:
        raise InputError.field(field, "n × 32 bytes", (array.dtype.str, array.shape))
    return array.view(np.uint64)
