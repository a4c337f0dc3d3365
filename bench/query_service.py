"""10,000 keys a call as the service answers them, over a mapped index of 1M and 10M works, on one core."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from bench.measuring import in_turn, record
from licet.decisions import Request
from licet.index import Index, Keys, answer, coding, container, verdict_codes
from licet.index.container import map_file
from licet.index.exact import buckets
from licet.index.segments import ExactSegment, open_segment
from licet.index.writing import in_memory
from licet.terms import preset
from licet.wire.licensing import Query, RowKeys
from registry.licensing.results import told

SIZES: Final = (1_000_000, 10_000_000)
KEYS: Final = 10_000
CALLS: Final = 20
REQUEST: Final = Request(uses=["train-gen"], at="2026-11-01T00:00:00Z")


def mapped(folder: Path, works: int) -> ExactSegment:
    """Return a segment of ``works`` works with keys of file and pixels, of 1,000 accounts under one terms, mapped."""
    random = np.random.default_rng(5)
    lo = random.integers(0, 2**64, works, dtype=np.uint64)
    terms = preset("no-ai").encoded
    accounts = b"".join(sorted(sha256(b"%d" % number).digest()[:16] for number in range(1000)))
    columns = {
        **in_memory(())[0].columns,
        "work.hi": np.sort(random.integers(0, 2**64, works, dtype=np.uint64)),
        "work.lo": lo,
        "work.account": random.integers(0, 1000, works).astype(np.uint32),
        "work.terms": np.zeros(works, np.uint32),
        "work.statement": np.zeros((works, 16), np.uint8),
        "work.log": np.ones(works, np.uint64),
        "work.level": np.full(works, 2, np.uint8),
        "work.flags": np.full(works, 32, np.uint16),
        "account.id": np.frombuffer(accounts, np.uint8).reshape(-1, 16),
        "terms.hash": np.frombuffer(sha256(terms).digest(), np.uint8).reshape(1, 32),
        "terms.end": np.array([len(terms)], np.uint64),
        "terms.blob": np.frombuffer(terms, np.uint8),
    }
    for kind in ("file", "pixels"):
        hi = np.sort(random.integers(0, 2**64, works, dtype=np.uint64))
        columns |= {
            f"{kind}.hi": hi,
            f"{kind}.lo": random.integers(0, 2**64, works, dtype=np.uint64),
            f"{kind}.work": random.permutation(works).astype(np.uint32),
            f"{kind}.bucket": buckets(hi),
        }
    digest, _ = container.write(folder, "exact", columns)
    segment = open_segment(map_file(folder / digest))
    assert isinstance(segment, ExactSegment)
    return segment


def asked(segment: ExactSegment) -> list[npt.NDArray[np.uint8]]:
    """Return keys for each call, 32 bytes each, half of them registered, half of these as pixels, in random order."""
    random = np.random.default_rng(1)
    batches = []
    for _ in range(CALLS):
        rows = random.integers(0, len(segment.works), KEYS // 2)
        kinds = ("file", "pixels")
        known = np.concatenate(
            [
                np.stack([segment.columns[f"{kind}.{half}"][rows[place::2]] for half in ("hi", "lo")], axis=1)
                for place, kind in enumerate(kinds)
            ]
        )
        strange = random.integers(0, 2**64, (KEYS // 2, 2), dtype=np.uint64)
        keys = random.permutation(np.concatenate([known, strange])).astype(">u8").view(np.uint8)
        batches.append(np.concatenate([keys, np.zeros_like(keys)], axis=1))
    return batches


def _row(key: str) -> RowKeys:
    return RowKeys(sha256=key, pixels=key)


def measured(works: int) -> None:
    """Measure both forms over ``works`` works, from the body of the request to the body of the answer, without HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        segment = mapped(Path(folder), works)
        index, batches = Index([segment]), asked(segment)
        bodies = [
            msgspec.json.encode(
                Query({"uses": ["train-gen"]}, [RowKeys(sha256=key.tobytes().hex()) for key in batch], "exact")
            )
            for batch in batches
        ]

        def codes(decide: Callable[..., npt.NDArray[np.uint8]]) -> Callable[[], None]:
            def run() -> None:
                for batch in batches:
                    stated = np.ascontiguousarray(batch[:, :16])
                    found = decide(index, Keys(KEYS, file=stated, pixels=stated), REQUEST)
                    assert np.count_nonzero(found == 4) == KEYS // 2

            return run

        def as_json() -> None:
            for body in bodies:
                query = msgspec.json.decode(body, type=Query)
                found = answer(index, Keys.from_rows(query.rows), REQUEST, match="exact")
                assert len(told(found, {}, 1, 1)) > KEYS

        loops = coding.load()
        calls = {
            "binary": codes(verdict_codes),
            "binary, without licet[fast]": codes(coding.in_columns),
            "JSON with reasons": as_json,
        }
        figures = in_turn(calls, KEYS * CALLS, clock=time.process_time)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
        name = f"query_service_{works // 1_000_000}m"
        record(
            name, "keys", figures, works=works, keys=KEYS, seconds="of processor", loops=loops, resident_mib=resident
        )


def main() -> None:
    """Measure at each size."""
    for works in SIZES:
        measured(works)


if __name__ == "__main__":
    main()
