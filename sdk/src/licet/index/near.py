"""Near-duplicates: every pair of PDQ hashes within a Hamming radius, by whichever way is the faster one here.

Few comparisons are done one by one (`licet.index.scanning`): that answers at once. Many go through
`licet.index.joining`, which needs the extra ``licet[fast]`` and a second or two at its first use in a process; where
it is not installed, everything is scanned. Both find the same pairs.
"""

from __future__ import annotations

import sys
import threading
from typing import Final

from licet.fingerprints.pdq import NEAR_RADIUS
from licet.index.joining import MAX_RADIUS, NearJoin
from licet.index.scanning import Bytes, NearScan, Pairs

#: Comparisons from which on sorting is faster: with the loops loaded, and with loading them (two seconds of scanning).
_WORTH: Final = 1 << 26
_WORTH_LOADING: Final = 1 << 30


class NearTable:
    """The stored hashes of one segment, ready to be searched; any number of threads may ask."""

    def __init__(self, stored: Bytes) -> None:
        """Take m × 32 bytes (not copied). Raises ``InputError`` for another shape."""
        self._stored: Final = stored
        self._scan: Final = NearScan(stored)
        self._join: NearJoin | None = None
        self._making: Final = threading.Lock()

    def __len__(self) -> int:
        return len(self._scan)

    def pairs(self, queries: Bytes, radius: int = NEAR_RADIUS) -> Pairs:
        """Return (query, stored, distance) of every pair at most ``radius`` bits apart, sorted by query, then stored.

        ``queries`` are k × 32 bytes; a radius above 256 is 256.
        """
        join = self._joined(len(queries)) if radius <= MAX_RADIUS else None
        return self._scan.pairs(queries, radius) if join is None else join.pairs(queries, radius)

    def _joined(self, queries: int) -> NearJoin | None:
        """Return the faster way if it is worth its start and can be had."""
        loaded = "licet.index.kernels" in sys.modules
        if queries * len(self) < (_WORTH if loaded else _WORTH_LOADING):
            return None
        with self._making:
            if self._join is None:
                try:
                    self._join = NearJoin(self._stored)
                except ImportError:
                    return None
            return self._join


def near_pairs(stored: Bytes, queries: Bytes, radius: int = NEAR_RADIUS) -> Pairs:
    """Return `NearTable.pairs` of ``queries`` (k × 32 bytes) against ``stored`` (m × 32 bytes)."""
    return NearTable(stored).pairs(queries, radius)
