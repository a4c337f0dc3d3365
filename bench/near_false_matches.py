"""False near matches among 100,000 unrelated pictures: how many find a work that is none of theirs, by PDQ at radius
31 and by ISCC content code, of 64 and of 256 bits, at the radius of `licet.index.content`.

``python -m bench near_false_matches`` (minutes). The pictures are parts cut at random (30 to 80 % of each side) out of
the demo's pictures, or of those in the folder that LICET_BENCH_PICTURES names, as many as LICET_BENCH_PARTS says; parts
of different files are unrelated. Each part asks in its eight orientations for every part of every other file. Where
there are few files, parts of one picture look alike more than pictures of the world do, but they are not counted
against each other.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.measuring import BUILD
from bench.near_lookup import decoded
from licet.fingerprints.iscc import image_code, units
from licet.fingerprints.pdq import MIN_QUALITY, NEAR_RADIUS, hamming, pdq_with_orientations
from licet.index import near_pairs
from licet.index.content import ContentTable

PARTS: Final = int(os.environ.get("LICET_BENCH_PARTS", "100000"))
Hashes = npt.NDArray[np.uint8]


def cut(pictures: list[Hashes]) -> tuple[Hashes, Hashes, npt.NDArray[np.int64]]:
    """Return the eight hashes of each of ``PARTS`` parts of quality 50 or more, its code, the picture each is of."""
    random = np.random.default_rng(2)
    hashes, codes = np.empty((PARTS, 8, 32), np.uint8), np.empty((PARTS, 32), np.uint8)
    source = np.empty(PARTS, np.int64)
    got = tried = 0
    while got < PARTS:
        tried += 1
        rgb = pictures[tried % len(pictures)]
        height, width = (max(24, int(side * random.uniform(0.3, 0.8))) for side in rgb.shape[:2])
        top, left = random.integers(0, rgb.shape[0] - height + 1), random.integers(0, rgb.shape[1] - width + 1)
        part = rgb[top : top + height, left : left + width]
        hashed, turned = pdq_with_orientations(part)
        if hashed.quality >= MIN_QUALITY:
            hashes[got], source[got] = turned, tried % len(pictures)
            codes[got] = np.frombuffer(units(image_code(part))[0].digest, np.uint8)
            got += 1
    return hashes, codes, source


def counted_codes(codes: Hashes, source: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return how many parts find another picture's by their code, of 64 and of 256 bits, and how many such pairs."""
    found: dict[str, Any] = {}
    table = ContentTable(codes)
    for bits in (64, 256):
        query, place, _ = table.pairs(codes, np.full(len(codes), bits))
        other = source[query] != source[place]
        found[f"pictures_with_a_false_match_{bits}"] = len(np.unique(query[other]))
        found[f"false_pairs_{bits}"] = int(other.sum())
    return found


def counted(hashes: Hashes, source: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return how many parts find another picture's within the radius, and how many such pairs there are."""
    query, place, _ = near_pairs(np.ascontiguousarray(hashes[:, 0]), hashes.reshape(-1, 32), NEAR_RADIUS)
    row = query // hashes.shape[1]
    other = source[row] != source[place]
    return {
        "pairs_asked": int(len(source) ** 2 - (np.bincount(source) ** 2).sum()),
        "pictures_with_a_false_match": len(np.unique(row[other])),
        "false_pairs": len(np.unique(row[other] * len(source) + place[other])),
    }


def nearest(hashes: Hashes) -> int:
    """Return the least distance of two different whole pictures, in any orientation."""
    least = 256
    for at in range(len(hashes)):
        distance = hamming(hashes[at][:, None], hashes[:, 0][None]).astype(int)
        distance[:, at] = 256
        least = min(least, int(distance.min()))
    return least


def main() -> None:
    """Measure and write ``build/bench/near_false_matches.json``."""
    folder = Path(os.environ.get("LICET_BENCH_PICTURES", "demo/pictures"))
    started = time.thread_time()
    pictures = [*decoded(sorted(folder.rglob("*.*")))]
    whole = np.stack([pdq_with_orientations(rgb)[1] for rgb in pictures])
    hashes, codes, source = cut(pictures)
    facts = {"files": len(pictures), "parts": PARTS, "nearest_whole": nearest(whole)} | counted(hashes, source)
    facts["content_codes"] = counted_codes(codes, source)
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "facts": facts}
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "near_false_matches.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    print(f"near_false_matches: {facts} ({time.thread_time() - started:.0f} s of the processor)")


if __name__ == "__main__":
    main()
