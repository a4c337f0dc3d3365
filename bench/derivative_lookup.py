"""How well derivatives are found among 100,000 works, and how often a picture finds what it does not show.

``python -m bench.derivative_lookup tuning`` sweeps the rule on the pictures it is chosen on; ``… held-out`` measures
the rule as it is on pictures of other sources, beside PDQ, pHash and ISCC on the same ones; ``… growth`` asks 120
questions of the pictures to tune on among more and more works. Minutes each. Pictures: `bench.derivative_pictures`;
works that are no picture's: `bench.derivative_works`. Time is the processor's, of a process with one thread.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import cv2
import iscc_lib
import numpy as np
import numpy.typing as npt

from bench.derivative_pictures import HELD_OUT, TUNING, UNRELATED, pictures, transformed
from bench.derivative_works import A_SEGMENT, among
from bench.measuring import BUILD
from licet.derivative import segment as segments
from licet.derivative.covering import coverable
from licet.derivative.extracting import asked, kept
from licet.derivative.features import Features, encode
from licet.derivative.searching import RULES, Derivative, Rule, proposed
from licet.derivative.segment import DerivativeSegment
from licet.fingerprints.pdq import NEAR_RADIUS, hamming, pdq_with_orientations

AMONG: Final = 100_000
ASKED: Final = int(os.environ.get("LICET_BENCH_ASKED", "400"))
UNRELATED_EACH: Final = int(os.environ.get("LICET_BENCH_UNRELATED", "40"))
EACH: Final = 44  # works of a source, at the most
LEAST: Final = 4  # features that lie alike, below which no rule is tried when rules are chosen
GROWTH: Final = (50_000, 100_000, 200_000, 400_000)
Pixels = npt.NDArray[np.uint8]


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


class Spent:
    """Seconds of the processor for each question: its features, and the search."""

    def __init__(self) -> None:
        self.features: list[float] = []
        self.search: list[float] = []

    def ask(self, index: Sequence[DerivativeSegment], rgb: Pixels, least: int) -> list[Derivative]:
        """Return what is proposed for ``rgb``."""
        start = time.process_time()
        features = asked(rgb)
        middle = time.process_time()
        found = proposed(index, features, least)
        self.features.append(middle - start)
        self.search.append(time.process_time() - middle)
        return found

    def figures(self) -> dict[str, float]:
        """Milliseconds in the median, and pictures a second of one core: both steps, in the mean."""
        return {
            "ms_features": float(np.median(self.features) * 1e3),
            "ms_search": float(np.median(self.search) * 1e3),
            "pictures_a_second": len(self.features) / (sum(self.features) + sum(self.search)),
        }


def works_of(split: str) -> tuple[list[Pixels], list[str]]:
    """Return the works of ``split``, in an order that says nothing, and the source of each."""
    found = [*pictures(TUNING if split == "tuning" else HELD_OUT, EACH)]
    order = [int(at) for at in np.random.default_rng(11).permutation(len(found))]
    return [found[at][1] for at in order], [found[at][0].split("/")[0] for at in order]


def derived(works: list[Pixels], work: int) -> Iterator[tuple[str, Pixels]]:
    """Yield what is made of ``work``: the same whatever was made of others."""
    random = np.random.default_rng((11, work))
    others = [works[int(each)] for each in random.permutation(len(works))[:9] if int(each) != work]
    return transformed(works[work], others, random)


def run(split: str) -> tuple[list[Asked], set[int], list[str], dict[str, Any]]:
    """Return what was asked of the pictures of ``split``, works that can be covered, all works' sources, figures."""
    works, owners = works_of(split)
    began = time.process_time()
    features = [kept(rgb) for rgb in works]
    registering = (time.process_time() - began) / len(works)
    index = [segments.built((number.to_bytes(16, "big"), each) for number, each in enumerate(features)), *among(AMONG)]
    count = sum(map(len, index))
    print(f"{split}: {len(works)} works, {count} in the index", flush=True)
    spent = Spent()
    questions: list[Asked] = []
    covered: set[int] = set()
    peers = Peers(works)
    least = LEAST if split == "tuning" else min(rule.inliers for rule in RULES)
    proposed(index, asked(works[0]), least)  # what is compiled is compiled
    for work in range(min(ASKED, len(works))):
        if coverable(works[work], features[work]):
            covered.add(work)
        for name, rgb in derived(works, work):
            questions.append(Asked(name, work, spent.ask(index, rgb, least), peers.find(work, rgb)))
        print(f"asked {work + 1}", file=sys.stderr, flush=True)
    for _, rgb in pictures(UNRELATED, UNRELATED_EACH):
        questions.append(Asked("unrelated", -1, spent.ask(index, rgb, least), {}))
    figures = {
        "works": count,
        "ms_register": registering * 1e3,
        **spent.figures(),
        "bytes_a_work_indexed": sum(column.nbytes for each in index for column in each.columns.values()) / count,
        "bytes_a_work_kept_at_most": max(len(encode(each)) for each in features),
        "mb_resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return questions, covered, owners, figures


def growth() -> list[dict[str, Any]]:
    """Return what 120 questions of 20 works of the pictures to tune on take and find, among more and more works."""
    works, _ = works_of("tuning")
    own = segments.built((number.to_bytes(16, "big"), kept(rgb)) for number, rgb in enumerate(works))
    questions: list[tuple[int, str, Features]] = [
        (work, name, asked(rgb))
        for work in range(20)
        for name, rgb in derived(works, work)
        if name in {"crop-20", "crop-20-each-side", "border", "screenshot", "tilt-3", "collage-2x2"}
    ]
    rows = []
    for count in GROWTH:
        index = [own, *among(count)]
        seconds, right, wrong = [], 0, 0
        proposed(index, questions[0][2], LEAST)
        for work, name, features in questions:
            start = time.process_time()
            found = [each for each in proposed(index, features, 5) if any(rule.holds(each) for rule in RULES)]
            seconds.append(time.process_time() - start)
            numbers = [int.from_bytes(each.work, "big") for each in found]
            right += work in numbers
            wrong += sum(number >= 1 << 32 for number in numbers) if not name.startswith("collage") else 0
        rows.append(
            {
                "works": sum(map(len, index)),
                "questions": len(questions),
                "ms_median": float(np.median(seconds) * 1e3),
                "ms_mean": float(np.mean(seconds) * 1e3),
                "found": right,
                "composites_found": wrong,
                "mb_mapped": A_SEGMENT * (count // A_SEGMENT) * 5908 / 1e6,
                "mb_resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
        print(rows[-1], flush=True)
    return rows


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
            found = scored(questions, known, owners, (Rule(*first), Rule(*second), RULES[-1]))
            mean = float(np.mean(list(found["recall_coverable"].values())))
            rows.append((found["false_pairs"], found["unrelated_with_a_match"], -mean, first, second))
    for row in sorted(rows):
        print(f"false {row[0]:4} unrelated {row[1]:4} mean recall {-row[2]:.3f} {row[3]} {row[4]}")


def main() -> None:
    """Measure one split, or growth, and write ``build/bench/derivative_lookup_<split>.json``."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        # More threads than one wait busily for each other, and that would count as work. numpy reads it when it loads.
        module = "bench.derivative_lookup"
        os.execve(
            sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        )
    split = sys.argv[1] if sys.argv[1:] in (["tuning"], ["growth"]) else "held-out"
    cv2.setNumThreads(1)
    BUILD.mkdir(parents=True, exist_ok=True)
    if split == "growth":
        (BUILD / "derivative_lookup_growth.json").write_text(json.dumps(growth(), indent=2) + "\n", "utf-8")
        return
    questions, known, owners, figures = run(split)
    found = scored(questions, known, owners, RULES)
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "rules": RULES, "figures": figures, **found}
    (BUILD / f"derivative_lookup_{split}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    print(json.dumps(document, indent=1))
    if split == "tuning":
        swept(questions, known, owners)


if __name__ == "__main__":
    main()
