"""Near look-ups of ISCC content codes among ``LICET_BENCH_WORKS`` (10 million), one core: what a picture costs.

Codes are evenly spread; a query is a stored code with a few bits flipped, or a stranger. Ends with an error if a pair
is missing that there must be. Seconds are those of a processor, however busy the machine is.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.measuring import in_turn, record
from licet.index.content import ContentTable

WORKS = int(os.environ.get("LICET_BENCH_WORKS", "10000000"))
BATCHES = (1, 256, 2_000)


def main() -> None:
    """Measure."""
    random = np.random.default_rng(7)
    stored = random.integers(0, 256, (WORKS, 32), dtype=np.uint8)
    queries = {}
    known = {}
    for size in BATCHES:
        own = random.integers(0, WORKS, size)
        asked = stored[own].copy()
        asked[:, random.integers(0, 32, 8)] ^= np.uint8(1)
        strangers = np.arange(size) % 2 == 1
        asked[strangers] = random.integers(0, 256, (int(strangers.sum()), 32), dtype=np.uint8)
        queries[size], known[size] = asked, own[~strangers]
    before = _resident()
    table = ContentTable(stored)
    begun = time.perf_counter()
    table.pairs(queries[BATCHES[-1]], np.full(BATCHES[-1], 256))
    facts = {
        "works": WORKS,
        "first_batch_seconds": round(time.perf_counter() - begun, 2),
        "bytes_a_work_beside_the_codes": round((_resident() - before) / WORKS, 1),
        "peak_resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }
    for size in BATCHES:
        found = {place for query, place in zip(*table.pairs(queries[size], np.full(size, 256))[:2], strict=True)}
        assert set(known[size].tolist()) <= found, "a pair that is near was not found"
        calls: dict[str, Callable[[], object]] = {
            f"{size:,} a batch": partial(table.pairs, queries[size], np.full(size, 256))
        }
        record(f"content_lookup_{size}", "queries", in_turn(calls, size, clock=time.process_time), **facts)


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - of this process, as it is now
        return int(file.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
