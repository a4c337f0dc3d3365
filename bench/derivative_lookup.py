"""How well derivatives are found among 100,000 works, and how often a picture finds what it does not show.

``python -m bench.derivative_lookup tuning`` sweeps the rule on the pictures it is chosen on; ``… held-out`` measures
the rule as it is on pictures of other sources, beside PDQ, pHash and ISCC on the same ones. Minutes each. Pictures:
`bench.derivative_pictures`. The works that are no picture's (``DISTRACTORS``) are composites of other pictures' real
features: one to four panes, each a part of one, moved, scaled, a few bits changed, with the raster that belongs to it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import cv2
import iscc_lib
import numpy as np
import numpy.typing as npt

from bench.derivative_pictures import DISTRACTING, HELD_OUT, TUNING, UNRELATED, pictures, transformed
from bench.measuring import BUILD
from licet.derivative import segment as segments
from licet.derivative.covering import coverable
from licet.derivative.extracting import asked, kept
from licet.derivative.features import KEPT_FEATURES, KEPT_SIDE, SIZE_STEPS, UNIT, Features, encode
from licet.derivative.searching import RULES, Derivative, Rule, proposed
from licet.fingerprints.pdq import NEAR_RADIUS, hamming, pdq_with_orientations

DISTRACTORS: Final = int(os.environ.get("LICET_BENCH_DISTRACTORS", "99800"))
ASKED: Final = int(os.environ.get("LICET_BENCH_ASKED", "120"))
UNRELATED_EACH: Final = int(os.environ.get("LICET_BENCH_UNRELATED", "40"))
EACH: Final = 44  # works of a source, at the most
POOL: Final = 70  # pictures of a source of distractors
LEAST: Final = 4  # features that lie alike, below which no rule is tried when rules are chosen
_NOISE: Final = 0.06  # of the bits of a signature
_OTHER_WORD: Final = 0.3
Pixels = npt.NDArray[np.uint8]


def composites(pool: list[Features], count: int) -> Iterator[Features]:
    """Yield works that are parts of the pictures of ``pool``, one to four of them each."""
    random = np.random.default_rng(5)
    for _ in range(count):
        layout = ((1, 1), (2, 1), (1, 2), (2, 2))[int(random.choice(4, p=(0.4, 0.2, 0.2, 0.2)))]
        columns: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
        sheet = np.empty((KEPT_SIDE, KEPT_SIDE), np.uint8)
        side = np.array([1.0, 1.0]) / np.array(layout)
        for at in range(layout[0] * layout[1]):
            corner = np.array([at % layout[0], at // layout[0]]) * side
            _pane(pool[int(random.integers(len(pool)))], corner, side, random, columns, sheet)
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        # The strongest would stay: of each pane the first, which are in that order.
        order = np.argsort(joined.pop("rank"), kind="stable")[:KEPT_FEATURES]
        taken = {name: column[order] for name, column in joined.items()}
        yield Features(width=1000, height=1000, raster=sheet, **taken)


def _pane(
    source: Features,
    corner: npt.NDArray[np.float64],
    side: npt.NDArray[np.float64],
    random: np.random.Generator,
    columns: dict[str, list[npt.NDArray[Any]]],
    sheet: Pixels,
) -> None:
    """Lay a part of ``source`` into the pane at ``corner`` (in sheets) of a square sheet: add what is seen there."""
    longer = max(source.width, source.height)
    extent = np.array([source.width, source.height]) / longer
    part = float(random.uniform(0.45, 0.95))
    first = random.uniform(0, 1 - part, 2)
    low, size = first * extent, extent * part
    place = source.places.astype(float) / UNIT
    scale = side / size
    inside = ((place > low) & (place < low + size)).all(axis=1)
    sizes = source.sizes + SIZE_STEPS * np.log2(np.sqrt(scale.prod()))
    rows = np.flatnonzero(inside & (sizes >= 0))
    flips = np.packbits(random.random((len(rows), 64)) < _NOISE, axis=1).view(np.uint64).reshape(-1)
    other = np.where(random.random(len(rows)) < _OTHER_WORD, random.integers(1, source.words.shape[1], len(rows)), 0)
    columns["words"].append(source.words[rows, other][:, None])
    columns["signatures"].append(source.signatures[rows] ^ flips)
    columns["places"].append(((corner + (place[rows] - low) * scale) * UNIT).astype(np.uint16))
    columns["turns"].append(source.turns[rows])
    columns["sizes"].append(np.clip(np.rint(sizes[rows]), 0, 255).astype(np.uint8))
    columns["rank"].append(np.arange(len(rows)))
    raster = len(source.raster)
    top, left = (int(first[axis] * raster) for axis in (1, 0))
    shown = source.raster[top : top + max(2, int(part * raster)), left : left + max(2, int(part * raster))]
    x, y = (round(float(each) * KEPT_SIDE) for each in corner)
    wide, tall = (round(float(each) * KEPT_SIDE) for each in side)
    sheet[y : y + tall, x : x + wide] = cv2.resize(shown, (wide, tall), interpolation=cv2.INTER_AREA)


def _phash(rgb: Pixels) -> npt.NDArray[np.uint8]:
    """The 64 bits of pHash as imagehash makes them: the median of the 8 × 8 lowest of a 32 × 32 DCT."""
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64)
    low = cv2.dct(small)[:8, :8]
    return np.packbits(low > np.median(low))


def _iscc(rgb: Pixels) -> npt.NDArray[np.uint8]:
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_CUBIC)
    code = iscc_lib.gen_image_code_v0(small.tobytes(), 64)["iscc"]
    return np.frombuffer(bytes.fromhex(_unit(code)), np.uint8)


def _unit(code: str) -> str:
    import base64

    body = code.removeprefix("ISCC:")
    return base64.b32decode(body + "=" * (-len(body) % 8))[2:10].hex()


class Peers:
    """PDQ in eight orientations, pHash and ISCC: which of them find the work, each at the radius it is used with."""

    def __init__(self, works: list[Pixels]) -> None:
        self._pdq = np.stack([pdq_with_orientations(rgb)[1][0] for rgb in works])
        self._phash = np.stack([_phash(rgb) for rgb in works])
        self._iscc = np.stack([_iscc(rgb) for rgb in works])

    def find(self, work: int, rgb: Pixels) -> dict[str, bool]:
        turned = pdq_with_orientations(rgb)[1]

        def within(stored: Pixels, mine: Pixels, radius: int) -> bool:
            return bool(np.bitwise_count(stored ^ mine).sum() <= radius)

        return {
            "pdq": bool((hamming(turned, self._pdq[work][None]) <= NEAR_RADIUS).any()),
            "phash": within(self._phash[work], _phash(rgb), 8),
            "iscc": within(self._iscc[work], _iscc(rgb), 10),
        }


class Asked:
    """What was asked: a transform of a work (−1: unrelated), and all that is proposed for it."""

    def __init__(self, name: str, work: int, found: list[Derivative], peers: dict[str, bool]) -> None:
        self.name, self.work, self.found, self.peers = name, work, found, peers


def run(split: str) -> tuple[list[Asked], set[int], list[str], dict[str, Any]]:
    """Return what was asked of the pictures of ``split``, works that can be covered, all works' sources, figures."""
    sources = TUNING if split == "tuning" else HELD_OUT
    found = [*pictures(sources, EACH)]
    print(f"{len(found)} pictures", file=sys.stderr, flush=True)
    random = np.random.default_rng(11)
    order = [int(at) for at in random.permutation(len(found))]
    works = [found[at][1] for at in order]
    owners = [found[at][0].split("/")[0] for at in order]
    began = time.thread_time()
    features = [kept(rgb) for rgb in works]
    registering = (time.thread_time() - began) / len(works)
    pool = [asked(rgb) for _, rgb in pictures(DISTRACTING, POOL, least=200)]
    bytes_each = [len(encode(each)) for each in features]
    index = segments.built(
        [
            *((number.to_bytes(16, "big"), each) for number, each in enumerate(features)),
            *(
                ((number + (1 << 32)).to_bytes(16, "big"), each)
                for number, each in enumerate(composites(pool, DISTRACTORS))
            ),
        ]
    )
    index.check()
    print(f"{split}: {len(works)} works, {len(pool)} pictures of distractors, {len(index)} in the index", flush=True)
    spent: dict[str, list[float]] = {"extract": [], "search": []}
    questions: list[Asked] = []
    covered: set[int] = set()
    peers = Peers(works)
    least = LEAST if split == "tuning" else min(rule.inliers for rule in RULES)
    proposed([index], asked(works[0]), least)  # what is compiled is compiled

    def ask(name: str, work: int, rgb: Pixels) -> None:
        start = time.thread_time()
        features = asked(rgb)
        middle = time.thread_time()
        found = proposed([index], features, least)
        spent["extract"].append(middle - start)
        spent["search"].append(time.thread_time() - middle)
        questions.append(Asked(name, work, found, peers.find(work, rgb) if work >= 0 else {}))

    for work in range(min(ASKED, len(works))):
        others = [works[int(each)] for each in random.permutation(len(works)) if int(each) != work]
        if coverable(works[work], features[work]):
            covered.add(work)
        for name, rgb in transformed(works[work], others, random):
            ask(name, work, rgb)
        print(f"asked {work + 1}", file=sys.stderr, flush=True)
    for _, rgb in pictures(UNRELATED, UNRELATED_EACH):
        ask("unrelated", -1, rgb)
    sizes = [sum(column.nbytes for column in index.columns.values()) / len(index), max(bytes_each)]
    figures = {
        "works": len(index),
        "ms_register": registering * 1e3,
        "ms_extract": float(np.median(spent["extract"]) * 1e3),
        "ms_search": float(np.median(spent["search"]) * 1e3),
        "bytes_a_work_indexed": sizes[0],
        "bytes_a_work_kept_at_most": sizes[1],
        "mb_resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return questions, covered, owners, figures


def scored(questions: list[Asked], known: set[int], owners: list[str], rules: tuple[Rule, ...]) -> dict[str, Any]:
    """Return recall by transform (all works, coverable ones), and what was found that is not shown.

    A work of the same source, one hand's or one project's, is a sibling: the same picture in another size or light, or
    another picture. They are told apart from works of others, which no picture shows.
    """
    hit: dict[str, list[bool]] = defaultdict(list)
    covered: dict[str, list[bool]] = defaultdict(list)
    peers: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    pairs = false = siblings = alarmed = unrelated = 0
    for each in questions:
        own = each.work.to_bytes(16, "big") if each.work >= 0 else b""
        matches = [found for found in each.found if any(rule.holds(found) for rule in rules)]
        if each.work < 0:
            unrelated += 1
            alarmed += bool(matches)
            continue
        right = any(found.work == own for found in matches)
        hit[each.name].append(right)
        if each.work in known:
            covered[each.name].append(right)
        for name, value in each.peers.items():
            peers[name][each.name].append(value)
        if not each.name.startswith("collage"):  # which shows other works as well
            pairs += len(matches)
            for match in matches:
                if match.work != own:
                    other = int.from_bytes(match.work, "big")
                    sibling = other < len(owners) and owners[other] == owners[each.work]
                    siblings, false = siblings + sibling, false + (not sibling)

    def means(values: dict[str, list[bool]]) -> dict[str, float]:
        return {name: round(float(np.mean(each)), 3) for name, each in values.items()}

    return {
        "recall": means(hit),
        "recall_coverable": means(covered),
        "coverable": [len(known), len({each.work for each in questions if each.work >= 0})],
        "peers": {name: means(each) for name, each in peers.items()},
        "pairs": pairs,
        "false_pairs": false,
        "siblings": siblings,
        "unrelated": unrelated,
        "unrelated_with_a_match": alarmed,
    }


def swept(questions: list[Asked], known: set[int], owners: list[str]) -> None:
    """Print the rules that make the fewest false pairs at each recall."""
    rows = []
    for first in (
        (4, 6, 0.5),
        (5, 6, 0.5),
        (5, 6, 0.6),
        (6, 6, 0.5),
        (6, 8, 0.5),
        (7, 6, 0.5),
        (4, 8, 0.7),
        (5, 4, 0.6),
    ):
        for second in ((8, 8, 0.3), (8, 4, 0.3), (12, 0, 0.5), (99, 99, 1.0)):
            found = scored(questions, known, owners, (Rule(*first), Rule(*second)))
            mean = float(np.mean(list(found["recall_coverable"].values())))
            rows.append((found["false_pairs"], found["unrelated_with_a_match"], -mean, first, second))
    for row in sorted(rows):
        print(f"false {row[0]:4} unrelated {row[1]:4} mean recall {-row[2]:.3f} {row[3]} {row[4]}")


def main() -> None:
    """Measure one split and write ``build/bench/derivative_lookup_<split>.json``."""
    split = "tuning" if sys.argv[1:] == ["tuning"] else "held-out"
    cv2.setNumThreads(1)
    questions, known, owners, figures = run(split)
    found = scored(questions, known, owners, RULES)
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "rules": RULES, "figures": figures, **found}
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"derivative_lookup_{split}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    print(json.dumps(document, indent=1))
    if split == "tuning":
        swept(questions, known, owners)


if __name__ == "__main__":
    main()
