"""Whether features that look alike also lie alike: one affine map under which enough of them meet.

Each pair of features alone says how one picture would lie in the other, by place, turn and size. Every such guess is
tried on all pairs, the best one is refined to an affine map by least squares, and what meets under it is counted once
for each small cell of both pictures, so that a crowd of corners in one spot is one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative.features import SIZE_STEPS, TURNS, UNIT

Reals = npt.NDArray[np.float64]

#: How far apart, of the asked picture's longer side, two features may be that meet.
NEAR: Final = 0.02
_ROUGH: Final = 0.04
_TURN: Final = 20 / 360
_OCTAVES: Final = 0.75
_CELL: Final = UNIT / 51.2  # ten pixels of 512
_ROUNDS: Final = 3
_MOST_GUESSES: Final = 96
#: How far what meets is spread across the work, at the least (the smaller deviation, of the longer side): two pictures
#: under the same line of letters show nothing of each other.
SPREAD: Final = 0.045
#: Sides of a work may be stretched against each other by so much in what is shown of it, and no more.
_STRETCH: Final = 2.0


class Pairs(NamedTuple):
    """Features of a work beside those of the asked picture that look alike: places n × 2 in units, turns, sizes."""

    work_places: Reals
    asked_places: Reals
    turns: Reals  # of the asked one against the work's, in 1/256 of a circle
    sizes: Reals  # the same in steps of 1/8 octave


class Fit(NamedTuple):
    """``affine`` 2 × 3 takes places in the work to the asked picture's; ``inliers`` lie in cells of their own."""

    affine: Reals
    inliers: int


def fitted(pairs: Pairs) -> Fit | None:
    """Return the map under which most of ``pairs`` meet, None where fewer than four do, on a line, or it crushes."""
    if len(pairs.turns) < 4:
        return None
    meets = _best_guess(pairs)
    affine: Reals | None = None
    for _ in range(_ROUNDS):
        if meets.sum() < 4:
            return None
        affine = _least_squares(pairs.work_places[meets], pairs.asked_places[meets])
        if affine is None or not _plausible(affine):
            return None
        distance = np.hypot(*(_moved(affine, pairs.work_places) - pairs.asked_places).T)
        meets = (distance < NEAR * UNIT) & _turned_alike(pairs, affine)
    if affine is None or meets.sum() < 4 or _spread(pairs.work_places[meets]) < SPREAD * UNIT:
        return None
    inliers = min(_cells(pairs.work_places[meets]), _cells(pairs.asked_places[meets]))
    return Fit(affine, inliers) if inliers >= 4 else None


def _best_guess(pairs: Pairs) -> npt.NDArray[np.bool_]:
    """Return which pairs meet under the similarity of that pair which most others agree with."""
    guesses = np.linspace(0, len(pairs.turns) - 1, min(len(pairs.turns), _MOST_GUESSES)).astype(np.intp)
    angle = pairs.turns[guesses] * (2 * np.pi / TURNS)
    scale = 2 ** (pairs.sizes[guesses] / SIZE_STEPS)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    x, y = pairs.work_places.T
    from_x, from_y = x[None] - x[guesses, None], y[None] - y[guesses, None]
    to_x = cosine[:, None] * from_x - sine[:, None] * from_y + pairs.asked_places[guesses, 0, None]
    to_y = sine[:, None] * from_x + cosine[:, None] * from_y + pairs.asked_places[guesses, 1, None]
    distance = np.hypot(to_x - pairs.asked_places[:, 0], to_y - pairs.asked_places[:, 1])
    turn = np.abs((pairs.turns[None] - pairs.turns[guesses, None] + TURNS / 2) % TURNS - TURNS / 2) < _TURN * TURNS
    size = np.abs(pairs.sizes[None] - pairs.sizes[guesses, None]) < _OCTAVES * SIZE_STEPS
    meets = (distance < _ROUGH * UNIT) & turn & size
    best: npt.NDArray[np.bool_] = meets[int(np.argmax(meets.sum(axis=1)))]
    return best


def _least_squares(source: Reals, target: Reals) -> Reals | None:
    """Return the affine map; a similarity where the places are nearly on one line."""
    middle, spread = source.mean(axis=0), target.mean(axis=0)
    a, b = source - middle, target - spread
    moment = a.T @ a
    eigen = np.linalg.eigvalsh(moment)
    if eigen[1] <= 0:
        return None
    if eigen[0] > 0.02 * eigen[1] and len(source) >= 6:
        linear = np.linalg.solve(moment, a.T @ b).T
    else:
        norm = (a**2).sum()
        cosine, sine = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
        linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate((linear, (spread - linear @ middle)[:, None]), axis=1)


def _plausible(affine: Reals) -> bool:
    values = np.linalg.svd(affine[:, :2], compute_uv=False)
    return bool(np.linalg.det(affine[:, :2]) > 0 and values[0] < _STRETCH * values[1] and 1 / 16 < values[1] < 16)


def _turned_alike(pairs: Pairs, affine: Reals) -> npt.NDArray[np.bool_]:
    angle = np.arctan2(affine[1, 0] - affine[0, 1], affine[0, 0] + affine[1, 1]) * (TURNS / (2 * np.pi))
    size = SIZE_STEPS * np.log2(np.sqrt(np.linalg.det(affine[:, :2])))
    turn = np.abs((pairs.turns - angle + TURNS / 2) % TURNS - TURNS / 2) < _TURN * TURNS
    return np.asarray(turn & (np.abs(pairs.sizes - size) < _OCTAVES * SIZE_STEPS))


def _moved(affine: Reals, places: Reals) -> Reals:
    return np.asarray(places @ affine[:, :2].T + affine[:, 2])


def _spread(places: Reals) -> float:
    return float(np.sqrt(max(np.linalg.eigvalsh(np.cov(places.T))[0], 0.0)))


def _cells(places: Reals) -> int:
    return len(np.unique((places // _CELL).astype(np.int64) @ np.array([64, 1])))
