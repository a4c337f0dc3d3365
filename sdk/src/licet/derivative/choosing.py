"""Which corners of a picture stand for it: evenly over the picture and over sizes, in each spot the strongest.

The strongest of all would crowd where contrast is highest (an outline against the sky, letters beside a picture), and
of whatever is cropped to the rest, or shown among other pictures, nothing would be left.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: How much fewer corners a level of the pyramid gets than the one of half an octave finer or so before it.
FEWER: Final = 1.1

Rows = npt.NDArray[np.intp]


def chosen(
    places: npt.NDArray[np.float32], levels: Rows, strengths: npt.NDArray[np.float32], most: int, cell: float
) -> Rows:
    """Return the rows of at most ``most`` of n corners, the first ones to be kept first.

    In every square of ``cell`` pixels each level's strongest comes before any's second, and levels take turns by their
    shares, so that one with few corners leaves its share to the others. Equal strengths go by place.
    """
    count = len(levels)
    order = np.lexsort((places[:, 1], places[:, 0], levels, -strengths))
    across, down = (places[order] // cell).astype(np.intp).T
    level = levels[order]
    in_cell = _ranks((level << 32) + (down << 16) + across, np.arange(count))
    in_level = _ranks(level, in_cell * count + np.arange(count))
    turns = (in_level + 1) * FEWER**level
    return np.asarray(order[np.lexsort((np.arange(count), turns))[:most]])


def _ranks(groups: npt.NDArray[Any], values: npt.NDArray[Any]) -> Rows:
    """Return of each row how many of the same group have a lesser value, which all differ within a group."""
    order = np.lexsort((values, groups))
    ordered = groups[order]
    starts = np.ones(len(order), np.bool_)
    starts[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    ranks = np.empty(len(order), np.intp)
    ranks[order] = np.arange(len(order)) - first
    return ranks
