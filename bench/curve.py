"""How one index grows from 10⁵ to 10⁸ keys: time to write, open and ask, bytes on disk and in memory; and a picture.

``python -m bench curve [keys …]`` (minutes and 7 GB of memory for 10⁸; ``python -m bench.curve draw`` only draws).
Keys are random, ten of them a work, as addresses are; the segment is written as the registry writes it, sorting
included. Two processes then map the same file and ask a million keys each, half of them there, and are looked at while
both still hold it: what is resident (RSS), and their share of it (PSS), of which the other half is the neighbour's.

Seconds are those of the processor, but for opening, which the clock counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from bench.drawing import Curve, panel, picture
from bench.measuring import BUILD, Figure, record
from licet.index import Index, Keys
from licet.index.container import map_file
from licet.index.exact import joined
from licet.index.segments import open_segment
from licet.index.writing import in_memory, keep_segments, key_table, terms_columns
from licet.terms import preset

SIZES: Final = (10**5, 10**6, 10**7, 10**8)
A_WORK: Final = 10
ASKED: Final = 1 << 20
BATCH: Final = 1 << 16
PICTURE: Final = Path("docs/benchmarks-curve.svg")


def written(folder: Path, keys: int) -> dict[str, Any]:
    """Write a segment of so many keys; return its name, its size, and the seconds that sorting and writing took."""
    random = np.random.default_rng(keys)
    works = keys // A_WORK
    rising = np.arange(works, dtype=np.uint64)
    terms, blobs = terms_columns([preset("no-ai").encoded], np.zeros(works, np.int64))
    hi, lo = (random.integers(0, 2**64, keys, dtype=np.uint64) for _ in range(2))
    place = np.repeat(np.arange(works, dtype=np.uint32), A_WORK)
    exact, near = (segment.columns for segment in in_memory(()))
    started = time.process_time()
    table = key_table("url", hi, lo, place)
    del hi, lo, place
    sorting = time.process_time() - started
    columns = {
        **exact,
        "work.hi": rising,
        "work.lo": rising,
        "work.account": (rising % np.uint64(1000)).astype(np.uint32),
        "work.terms": terms,
        "work.statement": np.zeros((works, 16), np.uint8),
        "work.log": np.ones(works, np.uint64),
        "work.level": np.full(works, 2, np.uint8),
        "work.flags": np.full(works, 32, np.uint16),
        "account.id": np.arange(1000, dtype=">u8").repeat(2).view(np.uint8).reshape(-1, 16),
        **blobs,
        **table,
    }
    started = time.process_time()
    [ref] = keep_segments(columns, dict(near), folder)
    writing = time.process_time() - started
    return {"digest": ref.digest, "bytes": ref.size, "sorted_s": sorting, "written_s": writing}


def asking(path: Path) -> None:
    """Map the segment, ask it, print what that took, and hold it until the standard input ends."""
    started = time.perf_counter()
    segment = open_segment(map_file(path))
    opened = time.perf_counter() - started
    index, columns, random = Index([segment]), segment.columns, np.random.default_rng(os.getpid())
    spent, found = 0.0, 0
    for _ in range(ASKED // BATCH):
        keys = _half_known(columns, random)
        before = time.process_time()
        found += len(np.unique(index.lookup(Keys(BATCH, url=keys), "exact").row))
        spent += time.process_time() - before
    if found != ASKED // 2:
        raise SystemExit(f"expected {ASKED // 2} keys to be found, got {found}")
    print(msgspec.json.encode({"opened_ms": 1000 * opened, "asked_s": spent}).decode(), flush=True)
    sys.stdin.read()


def _half_known(columns: Any, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    known = random.integers(0, len(columns["url.hi"]), BATCH // 2)
    keys = random.integers(0, 256, (BATCH, 16), dtype=np.uint8)
    keys[: BATCH // 2] = joined(columns["url.hi"][known], columns["url.lo"][known])
    return random.permutation(keys)


def one(keys: int) -> dict[str, Any]:
    """Measure one size and write ``build/bench/curve-<keys>.json``."""
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        made = _apart("write", name, str(keys))
        command = [sys.executable, "-m", "bench.curve", "ask", str(Path(name) / made["digest"])]
        both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
        told = [msgspec.json.decode(each.stdout.readline()) for each in both if each.stdout is not None]
        memory = [_memory(each.pid) for each in both]
        for each in both:
            each.communicate()
    facts = {
        "keys": keys,
        "MB": made["bytes"] / 1e6,
        "bytes_a_key": made["bytes"] / keys,
        "sorted_s": made["sorted_s"],
        "written_s": made["written_s"],
        "opened_ms": min(each["opened_ms"] for each in told),
        "keys_a_second": ASKED / min(each["asked_s"] for each in told),
        **{f"{name}_MB": max(each[name] for each in memory) / 1000 for name in memory[0]},
    }
    facts = {name: round(value, 3) for name, value in facts.items()}
    record(f"curve-{keys}", "keys", {"licet": Figure([each["asked_s"] for each in told], ASKED)}, **facts)
    return facts


def _apart(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "bench.curve", *arguments], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def _memory(pid: int) -> dict[str, int]:
    """Return kB: of what is resident, this process's share, and what is its own; and all that both share as one."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    held = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"resident": held["Rss"], "share": held["Pss"], "own": held["Private_Dirty"]}


def draw() -> None:
    """Write the picture of what was measured, sizes that are missing left out."""
    files = sorted(BUILD.glob("curve-*.json"), key=lambda file: int(file.stem.split("-")[1]))
    facts = [msgspec.json.decode(file.read_bytes())["facts"] for file in files]

    def curve(label: str, name: str, factor: float = 1.0) -> Curve:
        return Curve(label, [(each["keys"], each[name] * factor) for each in facts])

    seconds = [
        curve("sorted", "sorted_s"),
        curve("written, with digest", "written_s"),
        Curve("a million keys asked", [(each["keys"], 1e6 / each["keys_a_second"]) for each in facts]),
        curve("opened", "opened_ms", 0.001),
    ]
    sizes = [
        curve("file", "MB"),
        curve("resident, each of two", "resident_MB"),
        curve("share of each (PSS)", "share_MB"),
        curve("own memory of each", "own_MB"),
    ]
    PICTURE.write_text(picture(panel("seconds", seconds), panel("MB", sizes)), "utf-8")


def main() -> None:
    """Measure each size and draw all that are there; or one of the parts, in a process of its own."""
    BUILD.mkdir(parents=True, exist_ok=True)
    match sys.argv[1:]:
        case ["write", folder, keys]:
            print(msgspec.json.encode(written(Path(folder), int(keys))).decode())
        case ["ask", path]:
            asking(Path(path))
        case ["draw"]:
            draw()
        case words:
            for size in [int(word) for word in words if word.isdecimal()] or SIZES:
                one(size)
            draw()


if __name__ == "__main__":
    main()
