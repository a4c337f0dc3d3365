"""Near look-ups: PDQ hashes a second on one core against works from 100,000 up, beside FAISS if it is installed.

``python -m bench near_lookup [works …]`` (minutes; needs the extra ``licet[fast]``; FAISS: ``pip install faiss-cpu``).
Hashes are grown from real pictures: parts cut out of the demo's pictures and of the foreign vectors (or of the folder
that LICET_BENCH_PICTURES names), then each bit of a part's hash flipped with a chance that differs from work to work
(1/8 to 1/2). Half of the queries are copies of works with up to 40 bits flipped, half unrelated parts of pictures.

Seconds are those of the processor in the calling thread, so that a busy machine does not count.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.measuring import BUILD, Figure, record
from licet.errors import InputError
from licet.fingerprints.decode import decode
from licet.fingerprints.pdq import MIN_QUALITY, NEAR_RADIUS, hamming, pdq
from licet.index import container
from licet.index.joining import NearJoin, kernels
from licet.index.scanning import NearScan
from licet.index.segments import NearSegment, open_segment

Hashes = npt.NDArray[np.uint8]

WORKS: Final = (100_000, 1_000_000)
PARTS: Final = 20_000
BATCHES: Final = (1_000, 20_000, 50_000, 200_000)
RUNS: Final = 3
CHECKED: Final = 200  # queries whose answer is compared with a scan's
FOLDERS: Final = ("demo/pictures", "../shared/vectors/pdq", "../shared/vectors/c2pa")


def parts() -> Hashes:
    """Return hashes of ``PARTS`` parts of real pictures, from the last run if it was of the same pictures."""
    named = os.environ.get("LICET_BENCH_PICTURES")
    files = sorted(file for folder in ([named] if named else FOLDERS) for file in Path(folder).rglob("*.*"))
    kept = BUILD / f"near_parts-{len(files)}-{PARTS}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), np.uint8)
    pictures = [*decoded(files)]
    random, found = np.random.default_rng(1), list[bytes]()
    while len(found) < PARTS:
        rgb = pictures[len(found) % len(pictures)]
        height, width = (max(24, int(side * random.uniform(0.2, 0.8))) for side in rgb.shape[:2])
        top, left = random.integers(0, rgb.shape[0] - height + 1), random.integers(0, rgb.shape[1] - width + 1)
        hashed = pdq(rgb[top : top + height, left : left + width])
        if hashed.quality >= MIN_QUALITY:
            found.append(hashed.hash)
    BUILD.mkdir(parents=True, exist_ok=True)
    hashes = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)
    np.save(kept, hashes)
    return hashes


def decoded(files: list[Path]) -> Iterator[Hashes]:
    """Yield the pictures of quality 50 or more among ``files``, larger ones thinned out to 400 to 800 pixels."""
    for file in files:
        try:
            rgb = decode(file.read_bytes()).rgb
        except InputError:
            continue
        step = max(1, max(rgb.shape[:2]) // 400)
        small = np.ascontiguousarray(rgb[::step, ::step])
        if min(small.shape[:2]) >= 64 and pdq(small).quality >= MIN_QUALITY:
            yield small


def grown(seeds: Hashes, count: int, random: np.random.Generator) -> Hashes:
    """Return ``count`` hashes, each of a seed whose bits are flipped with a chance of 1/8, 1/4, 3/8 or 1/2."""
    hashes = seeds[random.integers(0, len(seeds), count)]
    for at in range(0, count, 1 << 18):
        block = hashes[at : at + (1 << 18)]
        one, two, three = (random.integers(0, 256, block.shape, dtype=np.uint8) for _ in range(3))
        noise = np.stack((one & two & three, one & two, (one & two) | (one & three), one))
        block ^= noise[random.integers(0, 4, len(block)), np.arange(len(block))]
    return hashes


def asked(stored: Hashes, seeds: Hashes, count: int, random: np.random.Generator) -> Hashes:
    """Return queries: copies of works with 0 to 40 bits flipped, and as many that were grown apart from them."""
    copies = np.unpackbits(stored[random.integers(0, len(stored), count // 2)], axis=1)
    order = random.random(copies.shape, dtype=np.float32).argpartition(40, axis=1)[:, :40]
    flips = np.arange(40) < random.integers(0, 41, len(copies))[:, None]
    np.put_along_axis(copies, order, np.take_along_axis(copies, order, 1) ^ flips, 1)
    return random.permutation(np.concatenate((np.packbits(copies, axis=1), grown(seeds, count - count // 2, random))))


def segment(folder: Path, hashes: Hashes) -> tuple[NearSegment, dict[str, Any]]:
    """Write the near tier of as many works; return it opened, mapped from disk, and what that took."""
    rising = np.arange(len(hashes), dtype=np.uint64)
    quality = np.full(len(hashes), 90, np.uint8)
    columns: dict[str, npt.NDArray[Any]] = {
        "near.hi": rising,
        "near.lo": rising,
        "near.pdq": hashes,
        "near.quality": quality,
    }
    digest, size = container.write(folder, "near", columns)
    started = time.perf_counter()
    opened = open_segment(container.map_file(folder / digest))
    opening = time.perf_counter() - started
    assert isinstance(opened, NearSegment)
    return opened, {"opened_ms": round(1000 * opening, 2), "bytes_a_work_on_disk": size / len(hashes)}


def measured(call: Callable[[], Any], queries: int, runs: int = RUNS) -> Figure:
    """Return processor seconds for 1,000 queries of each of ``runs`` calls, after one to warm up if there are many."""
    seconds = []
    for run in range(runs + (runs > 1)):
        started = time.thread_time()
        call()
        if run or runs == 1:
            seconds.append((time.thread_time() - started) * 1000 / queries)
    return Figure(seconds, 1000)


def peers(stored: Hashes, queries: Hashes) -> tuple[dict[str, Figure], dict[str, set[tuple[int, int]]]]:
    """Return what FAISS takes and finds on one thread: its flat index, and MultiHash with 16 × 16 bits and one flip."""
    try:
        import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]  # in nobody's requirements
    except ImportError:
        print("faiss-cpu is not installed: no peer in this run", file=sys.stderr)
        return {}, {}
    faiss.omp_set_num_threads(1)
    flat, multi = faiss.IndexBinaryFlat(256), faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    figures, found = {}, {}
    for name, index in (("FAISS flat", flat), ("FAISS MultiHash 16×16", multi)):
        index.add(stored)
        limits, _, places = index.range_search(queries, NEAR_RADIUS + 1)  # FAISS means less than
        rows = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
        found[name] = set(zip(rows.tolist(), places.tolist(), strict=True))
        figures[name] = measured(partial(index.range_search, queries, NEAR_RADIUS + 1), len(queries), 1)
        index.reset()
    return figures, found


def one(works: int, seeds: Hashes) -> None:
    """Measure one size, hold the answers to a scan's and FAISS's, write ``build/bench/near_lookup-<works>.json``."""
    random = np.random.default_rng(works)
    with tempfile.TemporaryDirectory() as folder:
        opened, facts = segment(Path(folder), grown(seeds, works, random))
        stored = opened.columns["near.pdq"]
        join, figures = NearJoin(stored), {}
        tracemalloc.start()
        started = time.thread_time()
        join.pairs(stored[:1])
        facts["first_s"] = round(time.thread_time() - started, 2)
        join.pairs(asked(stored, seeds, 1000, random))
        facts["private_bytes_a_work"] = round(tracemalloc.get_traced_memory()[1] / works, 1)
        tracemalloc.stop()
        for size in reversed(BATCHES):
            queries = asked(stored, seeds, size, random)
            figures[f"licet, batches of {size:,}"] = measured(partial(join.pairs, queries), size)
        few = asked(stored, seeds, CHECKED, random)
        figures["licet, scan (no numba)"] = measured(partial(NearScan(stored).pairs, few[:20]), 20, 1)
        ours, scanned = join.pairs(few), NearScan(stored).pairs(few)
        if not all(np.array_equal(ours[column], scanned[column]) for column in range(3)):
            raise SystemExit(f"expected the pairs that a scan finds ({len(scanned[0])}), got {len(ours[0])}")
        theirs, found = peers(stored, few[:20])
        mine = {(row, place) for row, place in zip(ours[0].tolist(), ours[1].tolist(), strict=True) if row < 20}
        facts["pairs_checked"], facts["recall"] = len(ours[0]), 1.0
        facts |= {f"recall_{name}": round(len(mine & pairs) / max(1, len(mine)), 3) for name, pairs in found.items()}
        if any(pairs - mine for pairs in found.values()):
            raise SystemExit("expected no pair that FAISS finds and we do not, got some")
        assert (hamming(few[ours[0]], stored[ours[1]]) == ours[2]).all()
    record(f"near_lookup-{works}", "hash queries", figures | theirs, works=works, **facts)


def main() -> None:
    """Measure at each size; whoever names sizes gets those."""
    kernels()
    seeds = parts()
    for works in [int(word) for word in sys.argv[1:] if word.isdecimal()] or WORKS:
        one(works, seeds)


if __name__ == "__main__":
    main()
