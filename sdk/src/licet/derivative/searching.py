"""Which works a picture derives from: words propose, bits and rarity choose few, places and pixels decide.

1. Under each word of each asked feature, postings whose signature is at most ``RADIUS`` bits away. A feature that
   finds too many works says nothing (a letter, a corner of a frame) and is dropped (`postings`).
2. Of each work the features count by their rarity; the ``CANDIDATES`` works of most weight are looked at.
3. `geometry.fitted`, then `raster.agreement`, then `Rule`.

Thresholds were chosen on one set of pictures and measured on another (docs/internals/derivatives).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative import geometry, raster
from licet.derivative.features import KEPT_FEATURES, Features
from licet.derivative.postings import Hits, Numbers, hits
from licet.derivative.segment import Columns, DerivativeSegment

CANDIDATES: Final = 32  # on the pictures to tune on, the last of 295 matches came twentieth
_FEWEST: Final = 4  # features in common, below which a work is not looked at
_COMMON: Final = 30
_COMMON_SHARE: Final = 0.01
#: Where fewer than so many lie alike, they have to without features that the work repeats (`postings.ALIKE`).
_ENOUGH: Final = 10
#: A feature that finds so many times as many postings as it may find works is taken to be common, and left unread.
_OFTEN: Final = 4
#: Postings that one feature may find, however few works there are: all of some works that repeat it.
_MOST_FOUND: Final = 4 * KEPT_FEATURES


class Derivative(NamedTuple):
    """A work (16 bytes) and what speaks for it.

    Features that lie alike and how far they are spread (`geometry.Fit`); windows of it that are shown, those of them
    that say something, and those that agree (`raster.Agreement`).
    """

    work: bytes
    inliers: int
    spread: float
    shown: int
    textured: int
    agree: int


class Rule(NamedTuple):
    """What a match has at the least: ``inliers``, ``agree``, and that as a ``share`` of what is textured.

    And so much ``spread``, and windows that agree as a share, ``whole``, of all that are shown.
    """

    inliers: int
    agree: int
    share: float
    spread: float = 0.045
    whole: float = 0.0

    def holds(self, found: Derivative) -> bool:
        return (
            found.inliers >= self.inliers
            and found.agree >= self.agree
            and found.agree >= self.share * found.textured
            and found.spread >= self.spread
            and found.agree >= self.whole * found.shown
        )


#: Any of these makes a match. Two pictures with the same line of letters agree in places and pixels, in a line alone;
#: what lies in a strip is believed where pixels agree over most of what is shown: a horizon, a long figure.
RULES: Final = (Rule(5, 6, 0.5), Rule(8, 4, 0.3), Rule(12, 0, 0.5), Rule(8, 4, 0.7, spread=0.008, whole=0.5))


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
    found = [hits(segment, asked, max(_OFTEN * common, _MOST_FOUND)) for segment in segments]
    often = np.zeros(len(asked), np.int64)
    for each in found:
        often += np.bincount(each.asked, minlength=len(asked))
    weight = np.log((works + 1) / (often + 1)) + 1.0
    weight[often > common] = 0
    candidates = [
        (-score, number, work, rows)
        for number, (segment, each) in enumerate(zip(segments, found, strict=True))
        for score, work, rows in _best(each, weight, len(segment))
    ]
    looked = [
        _looked_at(segments[number], work, asked, found[number].of(rows), least)
        for _, number, work, rows in sorted(candidates, key=lambda each: each[:3])[:CANDIDATES]
    ]
    return [each for each in looked if each is not None]


def _best(found: Hits, weight: npt.NDArray[np.float64], works: int) -> Iterator[tuple[float, int, Numbers]]:
    """Yield the ``CANDIDATES`` works of most weight: that, the work, and which hits are of it and say something."""
    gives = weight[found.asked]
    scores = np.bincount(found.work, gives, minlength=works)
    counts = np.bincount(found.work[gives > 0], minlength=works)
    place = np.flatnonzero(counts >= _FEWEST)
    best = place[np.lexsort((place, -scores[place]))[:CANDIDATES]]
    among = np.zeros(works, np.bool_)
    among[best] = True
    rows = np.flatnonzero(among[found.work] & (gives > 0))
    rows = rows[np.argsort(found.work[rows], kind="stable")]
    ends = np.searchsorted(found.work[rows], (best, best + 1))
    for work, first, last in zip(best.tolist(), *ends.tolist(), strict=True):
        yield float(scores[work]), work, rows[first:last]


def _looked_at(segment: DerivativeSegment, work: int, asked: Features, mine: Hits, least: int) -> Derivative | None:
    columns = segment.columns
    fit = _fit(columns, asked, mine.asked, mine.posting, least)
    if fit is not None and fit.inliers < _ENOUGH and mine.repeated.any():
        fit = _fit(columns, asked, mine.asked[~mine.repeated], mine.posting[~mine.repeated], least)
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
    return Derivative(columns["work.id"][work].tobytes(), fit.inliers, fit.spread, *seen)


def _fit(columns: Columns, asked: Features, feature: Numbers, posting: Numbers, least: int) -> geometry.Fit | None:
    return geometry.fitted(
        geometry.Pairs(
            columns["posting.place"][posting].astype(float),
            asked.places[feature].astype(float),
            asked.turns[feature].astype(float) - columns["posting.turn"][posting],
            asked.sizes[feature].astype(float) - columns["posting.size"][posting],
        ),
        max(4, least),
    )
