"""Which works a picture derives from: words propose, bits and rarity choose few, places and pixels decide.

1. Under each word of each asked feature, postings whose signature is at most ``RADIUS`` bits away. A feature that
   finds too many works says nothing (a letter, a corner of a frame) and is dropped. What an asked picture costs has a
   bound, whatever is in it and whatever was registered: see ``_MOST_COMPARED`` and `scanned`.
2. Of each work the features count by their rarity; the ``CANDIDATES`` works of most weight are looked at.
3. `geometry.fitted`, then `raster.agreement`, then `Rule`.

Thresholds were chosen on one set of pictures and measured on another (docs/internals/derivatives).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative import geometry, raster
from licet.derivative.features import KEPT_FEATURES, Features
from licet.derivative.segment import Columns, DerivativeSegment
from licet.errors import MalformedError

RADIUS: Final = 14
CANDIDATES: Final = 48
_FEWEST: Final = 4  # features in common, below which a work is not looked at
_COMMON: Final = 30
#: Postings from which on the compiled loop is worth it: once it is loaded, and with loading it.
_WORTH: Final = 20_000
_WORTH_LOADING: Final = 2_000_000
_COMMON_SHARE: Final = 0.01
#: Features of one work that look like the same asked one, above which it says little of a place (chequers, halftone):
#: where fewer than so many lie alike, they have to without such ones.
_ALIKE: Final = 8
_ENOUGH: Final = 10
#: Postings of a segment that one picture's features are held against: of pictures a fifth of it, at 50,000 works.
_MOST_COMPARED: Final = 1 << 23
_AT_A_TIME: Final = 1 << 20
#: Postings that one feature may find, however few works there are: all of some works that repeat it.
_MOST_FOUND: Final = 4 * KEPT_FEATURES

Numbers = npt.NDArray[np.int64]


class Derivative(NamedTuple):
    """A work (16 bytes) and what speaks for it: features that lie alike, windows that say something, and agree."""

    work: bytes
    inliers: int
    textured: int
    agree: int


class Rule(NamedTuple):
    """``inliers`` and ``agree`` at the least, and ``agree`` at least ``share`` of what is textured."""

    inliers: int
    agree: int
    share: float

    def holds(self, found: Derivative) -> bool:
        return (
            found.inliers >= self.inliers and found.agree >= self.agree and found.agree >= self.share * found.textured
        )


#: Any of these makes a match.
RULES: Final = (Rule(5, 6, 0.5), Rule(8, 4, 0.3), Rule(12, 0, 0.5))


class _Hits(NamedTuple):
    """Asked features beside postings that look alike, each pair of feature and work once, by the fewest bits."""

    asked: Numbers
    posting: Numbers
    work: Numbers
    repeated: npt.NDArray[np.bool_]  # more than ``_ALIKE`` of the work look like that feature


def search(segments: Sequence[DerivativeSegment], asked: Features, rules: Sequence[Rule] = RULES) -> list[Derivative]:
    """Return the works of ``segments`` that the asked picture derives from, those with most inliers first.

    The segments are one index: what is common is so in all of them. A work in two of them may come twice.
    """
    least = min((rule.inliers for rule in rules), default=0)
    found = [each for each in proposed(segments, asked, least) if any(rule.holds(each) for rule in rules)]
    return sorted(found, key=lambda each: (-each.inliers, -each.agree, each.work))


def proposed(segments: Sequence[DerivativeSegment], asked: Features, least: int = 0) -> list[Derivative]:
    """Return every work of which ``least`` features or more lie like the asked picture's, whatever the rules say."""
    works = sum(map(len, segments))
    common = max(_COMMON, int(_COMMON_SHARE * works))
    hits = [_hits(segment, asked, max(common * _ALIKE, _MOST_FOUND)) for segment in segments]
    often = np.zeros(len(asked), np.int64)
    for each in hits:
        often += np.bincount(each.asked, minlength=len(asked))
    weight = np.log((works + 1) / (often + 1)) + 1.0
    weight[often > common] = 0
    candidates: list[tuple[float, int, int]] = []
    for number, each in enumerate(hits):
        says = weight[each.asked] > 0
        scores = np.bincount(each.work[says], weight[each.asked[says]], minlength=len(segments[number]))
        counts = np.bincount(each.work[says], minlength=len(segments[number]))
        place = np.flatnonzero(counts >= _FEWEST)
        best = place[np.lexsort((place, -scores[place]))[:CANDIDATES]]
        candidates.extend((-float(scores[work]), number, int(work)) for work in best)
    found = []
    by_work = [np.argsort(each.work, kind="stable") for each in hits]
    for _, number, work in sorted(candidates)[:CANDIDATES]:
        each = hits[number]
        first, last = np.searchsorted(each.work, (work, work + 1), sorter=by_work[number])
        mine = by_work[number][first:last]
        mine = mine[weight[each.asked[mine]] > 0]
        looked = _looked_at(
            segments[number], work, asked, each.asked[mine], each.posting[mine], each.repeated[mine], least
        )
        if looked is not None:
            found.append(looked)
    return found


def _hits(segment: DerivativeSegment, asked: Features, most: int) -> _Hits:
    words = asked.words.astype(np.int64)
    start, end = _affordable(segment.starts[words], segment.starts[words + 1])
    columns = segment.columns
    feature, posting, bits = scanned(start, end, asked.signatures, columns["posting.signature"], most)
    work = columns["posting.work"][posting].astype(np.int64)
    if len(work) and work.max() >= len(segment):
        raise MalformedError(f"posting.work: expected rows below {len(segment)}, got {work.max()}")
    order = np.lexsort((posting, bits, work, feature))
    feature, posting, work = feature[order], posting[order], work[order]
    first = np.ones(len(feature), np.bool_)
    first[1:] = (feature[1:] != feature[:-1]) | (work[1:] != work[:-1])
    at = np.flatnonzero(first)
    return _Hits(feature[at], posting[at], work[at], np.diff(at, append=len(first)) > _ALIKE)


def _affordable(start: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Return the ranges without the longest of them, so that there are no more than ``_MOST_COMPARED`` postings."""
    lengths = (end - start).reshape(-1)
    if lengths.sum() <= _MOST_COMPARED:
        return start, end
    order = np.argsort(lengths, kind="stable")
    end = end.copy()
    end.reshape(-1)[order[np.cumsum(lengths[order]) > _MOST_COMPARED]] = 0
    return np.minimum(start, end), end


def scanned(
    start: Numbers, end: Numbers, asked: npt.NDArray[np.uint64], stored: npt.NDArray[np.uint64], most: int
) -> tuple[Numbers, Numbers, npt.NDArray[np.uint8]]:
    """Return (asked, stored, bits) of those from ``start`` to ``end``, n × words, that are at most ``RADIUS`` apart.

    Of an asked one that finds more than ``most`` there is none: it finds too many works, or works that repeat it.
    """
    postings = int((end - start).sum())
    module = _compiled(postings)
    if module is None:
        return _scanned_plainly(start, end, asked, stored, most)
    room = max(1024, postings // 64)
    while True:
        feature, posting, bits = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint8)
        count = module.scan(
            np.ascontiguousarray(start), np.ascontiguousarray(end), asked, stored, RADIUS, most, feature, posting, bits
        )
        if count <= room:
            return feature[:count], posting[:count], bits[:count]
        room = count


def _scanned_plainly(
    start: Numbers, end: Numbers, asked: npt.NDArray[np.uint64], stored: npt.NDArray[np.uint64], most: int
) -> tuple[Numbers, Numbers, npt.NDArray[np.uint8]]:
    lengths, first = (end - start).reshape(-1), start.reshape(-1)
    looks = np.repeat(np.arange(len(asked)), start.shape[1])
    total = np.cumsum(lengths)
    cuts = np.searchsorted(total, np.arange(_AT_A_TIME, int(lengths.sum()), _AT_A_TIME)).tolist()
    count = np.zeros(len(asked), np.int64)
    features, postings, distances = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.uint8)]
    for low, high in zip([0, *cuts], [*cuts, len(lengths)], strict=True):
        some = lengths[low:high]
        feature = np.repeat(looks[low:high], some)
        posting = np.arange(len(feature)) - np.repeat(np.cumsum(some) - some - first[low:high], some)
        bits = np.bitwise_count(stored[posting] ^ asked[feature])
        near = np.flatnonzero(bits <= RADIUS)
        count += np.bincount(feature[near], minlength=len(asked))
        near = near[count[feature[near]] <= most]
        features.append(feature[near])
        postings.append(posting[near])
        distances.append(bits[near])
    found = np.concatenate(features)
    few = count[found] <= most
    return found[few], np.concatenate(postings)[few], np.concatenate(distances)[few]


def _compiled(postings: int) -> ModuleType | None:
    """Return the compiled loop where it is there, and worth its start."""
    loaded = "licet.derivative.kernels" in sys.modules
    return _loaded() if postings >= (_WORTH if loaded else _WORTH_LOADING) else None


@cache
def _loaded() -> ModuleType | None:
    try:
        from licet.derivative import kernels
    except ImportError:  # not installed, or not for this numpy
        return None
    return kernels


def _looked_at(
    segment: DerivativeSegment,
    work: int,
    asked: Features,
    feature: Numbers,
    posting: Numbers,
    repeated: npt.NDArray[np.bool_],
    least: int,
) -> Derivative | None:
    columns = segment.columns
    fit = _fit(columns, asked, feature, posting)
    if fit is not None and fit.inliers < _ENOUGH and repeated.any():
        fit = _fit(columns, asked, feature[~repeated], posting[~repeated])
    if fit is None or fit.inliers < least:
        return None
    width, height = columns["work.size"][work].tolist()
    side = int(np.sqrt(columns["work.raster"].shape[1]))
    seen = raster.agreement(
        columns["work.raster"][work].reshape(side, side),
        (width, height),
        asked.raster,
        (asked.width, asked.height),
        fit.affine,
    )
    return Derivative(columns["work.id"][work].tobytes(), fit.inliers, seen.textured, seen.agree)


def _fit(columns: Columns, asked: Features, feature: Numbers, posting: Numbers) -> geometry.Fit | None:
    return geometry.fitted(
        geometry.Pairs(
            columns["posting.place"][posting].astype(float),
            asked.places[feature].astype(float),
            asked.turns[feature].astype(float) - columns["posting.turn"][posting],
            asked.sizes[feature].astype(float) - columns["posting.size"][posting],
        )
    )
