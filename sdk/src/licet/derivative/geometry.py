"""Whether features that look alike also lie alike: one affine map under which enough of them meet.

Each pair of features alone says how one picture would lie in the other, by place, turn and size. Every such guess is
tried on all pairs, the best one is refined to an affine map by least squares, and what meets under it is counted once
for each small cell of both pictures, so that a crowd of corners in one spot is one.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative import loops
from licet.derivative.features import SIZE_STEPS, TURNS, UNIT

Reals = npt.NDArray[np.float64]

#: How far apart, of the asked picture's longer side, two features may be that meet.
NEAR: Final = 0.02
_ROUGH: Final = 0.04
_TURN: Final = 20 / 360
_OCTAVES: Final = 0.75
#: Under a guess: the square of how far apart, how much turned, how much larger.
_LIMITS: Final = np.array([(_ROUGH * UNIT) ** 2, _TURN * TURNS, _OCTAVES * SIZE_STEPS])
_CELL: Final = UNIT / 51.2  # ten pixels of 512
_ROUNDS: Final = 3
_MOST_GUESSES: Final = 96
#: Sides of a work may be stretched against each other by so much in what is shown of it, and no more.
_STRETCH: Final = 2.0


class Pairs(NamedTuple):
    """Features of a work beside those of the asked picture that look alike: places n × 2 in units, turns, sizes."""

    work_places: Reals
    asked_places: Reals
    turns: Reals  # of the asked one against the work's, in 1/256 of a circle
    sizes: Reals  # the same in steps of 1/8 octave


class Fit(NamedTuple):
    """``affine`` 2 × 3 takes places in the work to the asked picture's; ``inliers`` lie in cells of their own.

    ``spread`` says how far they lie from a line: the smaller deviation, of the longer side of the picture in which that
    is more. Of a part that was cut out it is the asked one, of a work that is a part of a sheet the work.
    """

    affine: Reals
    inliers: int
    spread: float


def fitted(pairs: Pairs, least: int = 4) -> Fit | None:
    """Return the map under which most of ``pairs`` meet, None where fewer than four do, or it crushes.

    None as well where fewer than ``least`` meet roughly under the best guess. A closer map could make more of them,
    but of what is a match at least seven do (docs/internals/derivatives).
    """
    if len(pairs.turns) < max(4, least):
        return None
    meets = _best_guess(pairs, least)
    if meets is None:
        return None
    affine: Reals | None = None
    for _ in range(_ROUNDS):
        if meets.sum() < 4:
            return None
        affine = _least_squares(pairs.work_places[meets], pairs.asked_places[meets])
        if affine is None or not _plausible(affine):
            return None
        distance = np.hypot(*(_moved(affine, pairs.work_places) - pairs.asked_places).T)
        meets = (distance < NEAR * UNIT) & _turned_alike(pairs, affine)
    if affine is None or meets.sum() < 4:
        return None
    spread = max(_spread(pairs.work_places[meets]), _spread(pairs.asked_places[meets])) / UNIT
    inliers = min(_cells(pairs.work_places[meets]), _cells(pairs.asked_places[meets]))
    return Fit(affine, inliers, spread) if inliers >= 4 else None


def _best_guess(pairs: Pairs, least: int) -> npt.NDArray[np.bool_] | None:
    """Return which pairs meet under the similarity of that pair which most others agree with, None if not ``least``."""
    guesses = _guesses(len(pairs.turns))
    angle = pairs.turns[guesses] * (2 * np.pi / TURNS)
    scale = 2 ** (pairs.sizes[guesses] / SIZE_STEPS)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    module = loops.ready()
    if module is None:
        met = _meeting(pairs, guesses, cosine, sine).sum(axis=1)
    else:
        met = np.empty(len(guesses), np.int64)
        module.meet(*map(np.ascontiguousarray, pairs), guesses, cosine, sine, _LIMITS, met)
    at = int(np.argmax(met))
    if met[at] < least:
        return None
    best = slice(at, at + 1)
    return np.asarray(_meeting(pairs, guesses[best], cosine[best], sine[best])[0])


def _meeting(pairs: Pairs, guesses: npt.NDArray[np.intp], cosine: Reals, sine: Reals) -> npt.NDArray[np.bool_]:
    """Return guesses × pairs: which meet. A compiled loop says the same, to the bit: change both or none."""
    x, y = pairs.work_places.T
    from_x, from_y = x[None] - x[guesses, None], y[None] - y[guesses, None]
    off_x = cosine[:, None] * from_x - sine[:, None] * from_y + pairs.asked_places[guesses, 0, None]
    off_y = sine[:, None] * from_x + cosine[:, None] * from_y + pairs.asked_places[guesses, 1, None]
    off_x -= pairs.asked_places[:, 0]
    off_y -= pairs.asked_places[:, 1]
    near = off_x * off_x + off_y * off_y < _LIMITS[0]
    turn = np.abs((pairs.turns[None] - pairs.turns[guesses, None] + TURNS / 2) % TURNS - TURNS / 2) < _LIMITS[1]
    return np.asarray(near & turn & (np.abs(pairs.sizes[None] - pairs.sizes[guesses, None]) < _LIMITS[2]))


@cache
def _guesses(pairs: int) -> npt.NDArray[np.intp]:
    """Return which of so many pairs are tried."""
    return np.linspace(0, pairs - 1, min(pairs, _MOST_GUESSES)).astype(np.intp)


def _least_squares(source: Reals, target: Reals) -> Reals | None:
    """Return the affine map; a similarity where the places are nearly on one line."""
    middle, spread = source.mean(axis=0), target.mean(axis=0)
    a, b = source - middle, target - spread
    moment = a.T @ a
    low, high = _eigenvalues(*moment.reshape(-1)[[0, 1, 3]].tolist())
    if high <= 0:
        return None
    if low > 0.02 * high and len(source) >= 6:
        linear = np.linalg.solve(moment, a.T @ b).T
    else:
        norm = (a**2).sum()
        cosine, sine = (a * b).sum() / norm, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / norm
        linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate((linear, (spread - linear @ middle)[:, None]), axis=1)


def _plausible(affine: Reals) -> bool:
    a, b, c, d = affine[:, :2].reshape(-1).tolist()
    # How much it stretches, across and along: the roots of what its square does.
    low, high = _eigenvalues(a * a + c * c, a * b + c * d, b * b + d * d)
    least, most = math.sqrt(max(low, 0.0)), math.sqrt(high)
    return a * d - b * c > 0 and most < _STRETCH * least and 1 / 16 < least < 16


def _eigenvalues(a: float, b: float, c: float) -> tuple[float, float]:
    """Return both of the symmetric matrix a b, b c: the lesser first."""
    middle, half = (a + c) / 2, math.hypot((a - c) / 2, b)
    return middle - half, middle + half


def _turned_alike(pairs: Pairs, affine: Reals) -> npt.NDArray[np.bool_]:
    a, b, c, d = affine[:, :2].reshape(-1).tolist()
    angle = math.atan2(c - b, a + d) * (TURNS / (2 * math.pi))
    size = SIZE_STEPS / 2 * math.log2(a * d - b * c)
    turn = np.abs((pairs.turns - angle + TURNS / 2) % TURNS - TURNS / 2) < _TURN * TURNS
    return np.asarray(turn & (np.abs(pairs.sizes - size) < _OCTAVES * SIZE_STEPS))


def _moved(affine: Reals, places: Reals) -> Reals:
    return np.asarray(places @ affine[:, :2].T + affine[:, 2])


def _spread(places: Reals) -> float:
    away = places - places.mean(axis=0)
    moment = (away.T @ away / (len(places) - 1)).reshape(-1)[[0, 1, 3]]
    return math.sqrt(max(_eigenvalues(*moment.tolist())[0], 0.0))


def _cells(places: Reals) -> int:
    return len(np.unique((places // _CELL).astype(np.int64) @ np.array([64, 1])))
