"""The core of exact look-up at size: ten million 16-byte keys asked of ten million; beside three joins.

``python -m bench exact_core [keys …]`` (10,000,000 unless others are named; some two minutes). Half of the keys asked
are there, then a tenth, in random order. Ours is asked with its index made before, and once with making it; the peers
make theirs at each call. Seconds are those of processors, of all threads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from bench.measuring import in_turn, record
from licet import compiled
from licet.index.exact import KeyTable
from licet.index.writing import key_table

KEYS: Final = (10_000_000,)
RUNS: Final = 2
BATCH: Final = 1 << 16
PARTS: Final = (2, 10)


def one(count: int, part: int) -> None:
    """Measure ``count`` keys asked of as many, one in ``part`` of them there; write ``build/bench/exact_core-….json``.

    Ends the process where one of the calls finds another number of them.
    """
    there = count // part
    random = np.random.default_rng(1)
    hi, lo = (random.integers(0, 1 << 63, count, dtype=np.uint64) << np.uint64(1) for _ in range(2))
    new = random.integers(0, 1 << 63, (2, count - there), dtype=np.uint64) << np.uint64(1)
    order = random.permutation(count)
    asked_hi = np.concatenate((hi[:there], new[0]))[order]
    asked_lo = np.concatenate((lo[:there], new[1]))[order]
    work = np.arange(count, dtype=np.uint32)

    def made() -> KeyTable:
        columns = key_table("file", hi, lo, work)
        return KeyTable(columns["file.hi"], columns["file.lo"], columns["file.bucket"])

    table = made()

    def found(of: KeyTable) -> int:
        spans = range(0, count, BATCH)
        return sum(len(of.find(asked_hi[at : at + BATCH], asked_lo[at : at + BATCH])[0]) for at in spans)

    connection = duckdb.connect()
    connection.register("known", pa.table({"hi": hi, "lo": lo, "work": work}))
    connection.register("asked", pa.table({"hi": asked_hi, "lo": asked_lo, "row": work}))
    known, asked = pl.DataFrame({"hi": hi, "lo": lo, "work": work}), pl.DataFrame({"hi": asked_hi, "lo": asked_lo})
    binary = [
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(np.stack(each, 1).tobytes())])
        for each in ((asked_hi, asked_lo), (hi, lo))
    ]
    calls: dict[str, Callable[[], Any]] = {
        "licet, index reused": lambda: found(table),
        "licet, index made for the call": lambda: found(made()),
        "duckdb": lambda: len(
            connection.execute("select row, work from asked join known using (hi, lo)").fetchnumpy()["work"]
        ),
        "polars": lambda: asked.join(known, on=["hi", "lo"]).height,
        "pyarrow is_in": lambda: pc.sum(pc.is_in(*binary)).as_py(),
    }
    for name, call in calls.items():
        if (got := call()) != there:
            raise SystemExit(f"expected {there} keys to be found, got {got} from {name}")
    figures = in_turn(calls, count, RUNS, time.process_time)
    record(f"exact_core-{count}-{part}", "rows", figures, keys=count, found=there)


def main() -> None:
    """Measure each number of keys, with compiled loops where they are installed."""
    compiled.load()
    for count in [int(word) for word in sys.argv[1:] if word.isdecimal()] or KEYS:
        for part in PARTS:
            one(count, part)


if __name__ == "__main__":
    main()
