"""Exact look-up of a million rows, half of them registered, in an index of a million works; beside two joins."""

from __future__ import annotations

import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bench.measuring import in_turn, record
from licet.decisions import Request
from licet.index import Index, Keys, WorkRecord, answer, write_segments
from licet.index.container import map_file
from licet.index.exact import halves
from licet.index.segments import ExactSegment, open_segment
from licet.terms import preset

WORKS: Final = 1_000_000
ROWS: Final = 1_000_000
BATCH: Final = 10_000
REQUEST: Final = Request(uses=["train-gen"])


def written(folder: Path) -> tuple[ExactSegment, dict[str, Any]]:
    """Return the segment of ``WORKS`` works, mapped from disk, and what it took."""
    terms = preset("no-ai").encoded
    started = time.perf_counter()
    [ref] = write_segments(
        (
            WorkRecord(
                work=number.to_bytes(16, "big"),
                account=(number % 1000).to_bytes(16, "big"),
                terms=terms,
                level=2,
                sha256=sha256(b"%d" % number).digest(),
            )
            for number in range(WORKS)
        ),
        folder,
    )
    writing = time.perf_counter() - started
    started = time.perf_counter()
    segment = open_segment(map_file(folder / ref.digest))
    opening = time.perf_counter() - started
    assert isinstance(segment, ExactSegment)
    facts = {"written_s": round(writing, 1), "opened_ms": round(1000 * opening, 2), "bytes_a_work": ref.size // WORKS}
    return segment, facts


def asked() -> npt.NDArray[np.uint8]:
    """Return ``ROWS`` keys in random order, every other one registered."""
    numbers = [number if number % 2 else number + WORKS for number in range(ROWS)]
    keys = b"".join(sha256(b"%d" % number).digest()[:16] for number in numbers)
    return np.random.default_rng(1).permutation(np.frombuffer(keys, np.uint8).reshape(-1, 16))


def main() -> None:
    """Measure, check that all agree, and write ``build/bench/index_lookup.json``."""
    with tempfile.TemporaryDirectory() as folder:
        segment, facts = written(Path(folder))
        index, rows = Index([segment]), asked()
        batches = [Keys(BATCH, file=rows[at : at + BATCH]) for at in range(0, ROWS, BATCH)]
        hi, lo = halves(rows)
        columns = segment.columns
        stored = {name: np.array(columns[f"file.{name}"]) for name in ("hi", "lo", "work")}
        connection = duckdb.connect()
        connection.register("keys_arrow", pa.table(stored))
        connection.register("rows_arrow", pa.table({"row": np.arange(ROWS), "hi": hi, "lo": lo}))
        connection.execute("create table keys as from keys_arrow")
        connection.execute("create table rows as from rows_arrow")
        join = "select row, work from rows join keys using (hi, lo)"
        raw = np.stack((stored["hi"], stored["lo"]), axis=1).byteswap().tobytes()
        known = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), WORKS, [None, pa.py_buffer(raw)])
        wanted = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), ROWS, [None, pa.py_buffer(rows.tobytes())])

        def looked_up() -> int:
            return sum(len(index.lookup(batch, "exact")) for batch in batches)

        def answered() -> int:
            return sum(len(answer(index, batch, REQUEST, match="exact").matches) for batch in batches)

        def joined() -> int:
            return len(connection.execute(join).fetchnumpy()["work"])

        def contained() -> int:
            return int(pc.sum(pc.is_in(wanted, known)).as_py())

        calls = {
            "licet look-up, batches of 10,000": looked_up,
            "licet look-up and verdicts": answered,
            "duckdb join, one shot, all cores": joined,
            "pyarrow is_in, one shot": contained,
        }
        found = {name: call() for name, call in calls.items()}
        if set(found.values()) != {ROWS // 2}:
            raise SystemExit(f"expected {ROWS // 2} rows to be found by all, got {found}")
        record("index_lookup", "rows", in_turn(calls, ROWS), works=WORKS, registered="1/2", **facts)


if __name__ == "__main__":
    main()
