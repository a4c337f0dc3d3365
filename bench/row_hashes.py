"""Leaves of decision rows and keys of addresses: compiled loops beside `hashlib`, in seconds of processors.

A tenth of the rows match a work of their own. The peer is the plain Python that defines the same digests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bench.filter_parquet import address
from bench.measuring import in_turn, record
from licet import compiled
from licet.compiled import keep_to
from licet.decisions import rows as leaves
from licet.fingerprints.urls import url_keys

ROWS: Final = 65_536
EVERY: Final = 10
SECRET: Final = bytes(range(32))


def table() -> pa.Table:
    """Return decision rows as a filter of addresses makes them."""
    matched = np.arange(ROWS) % EVERY == 0
    ids = [f"{number:026d}" if there else None for number, there in enumerate(matched.tolist())]
    columns: dict[str, Any] = {
        "part": ["part.parquet"] * ROWS,
        "row": range(ROWS),
        "url": [address(number) for number in range(ROWS)],
        "verdict": ["deny" if there else "unknown" for there in matched],
        "reason": ["denied" if there else "not-examined" for there in matched],
        "work": [each and f"wrk_{each}" for each in ids],
        "statement": [each and f"stm_{each}" for each in ids],
        "match": ["exact" if there else None for there in matched],
        "distance": [0 if there else None for there in matched],
        "examined": ["url"] * ROWS,
        "claim_level": [2 if there else None for there in matched],
    }
    schema = leaves.decision_schema()
    return pa.table(columns, pa.schema([schema.field(name) for name in columns]))


def main() -> None:
    """Measure, hold the digests of both ways together, and write ``build/bench/row_hashes.json``."""
    keep_to(1)
    rows = table()
    texts = rows["url"].combine_chunks().cast(pa.large_string())
    plain = leaves._plain(rows), b"".join(leaves._salted(SECRET, rows))
    if not compiled.load() or leaves.both_hashes(SECRET, rows) != plain:
        raise SystemExit("expected compiled loops (licet[fast]) that give the same leaves, got others")
    listed = texts.to_pylist()
    calls: dict[str, Callable[[], Any]] = {
        "both leaves, compiled": lambda: leaves.both_hashes(SECRET, rows),
        "both leaves, hashlib": lambda: (leaves._plain(rows), list(leaves._salted(SECRET, rows))),
        "keys of addresses, compiled": lambda: url_keys(texts),
        "addresses, hashlib, as they stand": lambda: [sha256(each.encode()).digest() for each in listed],
    }
    record("row_hashes", "rows", in_turn(calls, ROWS, clock=time.process_time), rows=ROWS)


if __name__ == "__main__":
    main()
