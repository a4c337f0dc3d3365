"""Matches by parts, which the service alone can find (semantics 27), beside those that a look-up found here."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from licet.decisions import KEY_KINDS, MATCH_KINDS
from licet.index.lookup import Index, Matches, Numbers

DERIVATIVE: Final = MATCH_KINDS.index("derivative")
PARTS: Final = KEY_KINDS.index("parts")
MOST_INLIERS: Final = 32_767


def with_parts(
    index: Index, found: Matches, row: Numbers, work: npt.NDArray[np.uint8], inliers: npt.NDArray[np.integer]
) -> tuple[Matches, Numbers]:
    """Return ``found`` with, after the others of each row, the works (n × 16 bytes) that parts of it are of.

    Those with most ``inliers`` first (their ``distance``), ties by work id. A work that ``found`` has in that row
    already stays as it was. Second: the rows whose work ``index`` does not hold, and which are not among them.
    """
    inliers = inliers.astype(np.int64)
    number = index.works.find(work) if len(row) else np.empty(0, np.int64)
    unknown = np.unique(row[number < 0])
    held = number >= 0
    # Of a work found twice in a row the better one counts.
    order = np.lexsort((-inliers[held], number[held], row[held]))
    row, number, inliers = row[held][order], number[held][order], inliers[held][order]
    first = np.ones(len(row), np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (number[1:] != number[:-1])
    pairs = row * len(index.works) + number
    first &= ~np.isin(pairs, found.row * len(index.works) + found.work)
    row, number, inliers = row[first], number[first], np.minimum(inliers[first], MOST_INLIERS)
    if not len(row):
        return found, unknown
    hi, lo = index.works.halves(number)
    order = np.lexsort((lo, hi, -inliers, row))
    rows = np.concatenate((found.row, row[order]))
    place = np.argsort(rows, kind="stable")
    return Matches(
        rows[place],
        np.concatenate((found.work, number[order].astype(np.int32)))[place],
        np.concatenate((found.kind, np.full(len(row), DERIVATIVE, np.uint8)))[place],
        np.concatenate((found.key, np.full(len(row), PARTS, np.uint8)))[place],
        np.concatenate((found.distance, inliers[order].astype(np.int16)))[place],
    ), unknown


def without_parts(found: Matches) -> tuple[Matches, Matches]:
    """Return ``found`` without the matches by parts, and those."""
    parts = found.kind == DERIVATIVE

    def taken(mask: npt.NDArray[np.bool_]) -> Matches:
        return Matches(*(getattr(found, name)[mask] for name in ("row", "work", "kind", "key", "distance")))

    return taken(~parts), taken(parts)
