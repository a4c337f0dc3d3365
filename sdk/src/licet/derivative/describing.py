"""From a picture in grey to local features: corners on a pyramid, gradients around each, made short by a codebook.

Corners and their direction are ORB's (Rublee et al. 2011: FAST on a pyramid, Harris, intensity centroid); which of them
count is not (`choosing`), nor what is said of each: gradients of a 16 × 16 patch, pooled into 4 × 4 cells and 8
directions (as Lowe 2004), roots of shares (Arandjelović and Zisserman 2012), then 64 principal components. The first 32
choose one of 256 × 256 words (an inverted multi-index, Babenko and Lempitsky 2012), the signs of all 64, turned at
random, make a signature of 64 bits (Jégou et al. 2008).

Equal pixels give equal features on one build of OpenCV and numpy; another build may differ in a few bits, which the
search bears as it bears a JPEG's.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative.choosing import chosen
from licet.errors import InputError

LONGEST: Final = 512  # pixels of the longer side, to which a picture is reduced first
LEVELS: Final = 8
STEP: Final = 1.2
PATCH: Final = 31  # pixels, at its level
EDGE: Final = 16  # pixels, at a corner's level
COMPONENTS: Final = 64
CODED: Final = 32  # components that choose a word, one half each
HALF: Final = CODED // 2
CENTRES: Final = 256
WIDTH: Final = 128
_FAST: Final = 3  # of 255: corners of flat drawings are faint
_LOOKED_AT: Final = 6000  # corners, at the most, among which is chosen
_GRID: Final = 16
_CELLS: Final = 4
_DIRECTIONS: Final = 8
_CLIP: Final = 0.2

Grey = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float32]


class Corners(NamedTuple):
    """n corners: x, y (pixels of the picture that was looked at), turn (radians), level."""

    places: Reals
    turns: Reals
    levels: npt.NDArray[np.intp]


class Codebook(NamedTuple):
    """What shortens a description: ``mean`` 128, ``axes`` 128 × 64, ``centres`` 2 × 256 × 16, ``turning`` 64 × 64."""

    mean: Reals
    axes: Reals
    centres: Reals
    turning: Reals


@lru_cache(maxsize=1)
def codebook() -> Codebook:
    """Return the codebook of this version; features made with another find nothing."""
    with resources.files("licet.derivative").joinpath("codebook.npz").open("rb") as file, np.load(file) as stored:
        return Codebook(*(stored[name].astype(np.float32) for name in Codebook._fields))


def reduced(rgb: Grey) -> Grey:
    """Return ``rgb`` (height × width × 3) in grey, its longer side ``LONGEST`` or what it was, if that is less."""
    cv2 = _opencv()
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    factor = LONGEST / max(height, width)
    if factor >= 1:
        return np.asarray(grey)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def described(grey: Grey, most: int, cells: int, edge: int = EDGE) -> tuple[Corners, Reals]:
    """Return ``most`` corners of ``grey``, fewer where there are fewer, and n × 128 of description.

    They are spread over squares, ``cells`` to the longer side. None is nearer than ``edge`` pixels, at its level, to
    the picture's end.
    """
    corners = _corners(grey, most, cells, edge)
    return corners, _gradients(_patches(grey, corners))


def _corners(grey: Grey, most: int, cells: int, edge: int) -> Corners:
    # Of levels on which there is no room for a corner OpenCV makes an error.
    levels = min(LEVELS, 1 + int(np.log(max(1.0, min(grey.shape) / (2 * edge + 1))) / np.log(STEP)))
    if min(grey.shape) <= 2 * edge:
        return Corners(np.empty((0, 2), np.float32), np.empty(0, np.float32), np.empty(0, np.intp))
    found = (
        _opencv()
        .ORB_create(
            nfeatures=_LOOKED_AT,
            scaleFactor=STEP,
            nlevels=levels,
            edgeThreshold=edge,
            fastThreshold=_FAST,
            patchSize=PATCH,
        )
        .detect(grey, None)
    )
    places = np.array([each.pt for each in found], np.float32).reshape(-1, 2)
    at = np.array([each.octave for each in found], np.intp)
    strengths = np.array([each.response for each in found], np.float32)
    rows = chosen(places, at, strengths, most, max(grey.shape) / cells)
    turns = np.deg2rad(np.array([found[row].angle for row in rows.tolist()], np.float32))
    return Corners(places[rows], turns, at[rows])


def quantised(
    description: Reals, words: int, code: Codebook | None = None
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint64]]:
    """Return the n × ``words`` nearest words of n descriptions, the nearest first, and their signatures."""
    code = code or codebook()
    components = np.asarray((description - code.mean) @ code.axes, np.float32)
    bits = (components @ code.turning) > 0
    signatures = np.packbits(bits, axis=1, bitorder="little").view("<u8").reshape(-1).astype(np.uint64)
    distances = [_distances(components[:, part * HALF : (part + 1) * HALF], code.centres[part]) for part in (0, 1)]
    near = [_least(each, words) for each in distances]
    costs = [np.take_along_axis(each, order, axis=1) for each, order in zip(distances, near, strict=True)]
    # The best pairs are among the best of either half.
    pairs = costs[0][:, :, None] + costs[1][:, None, :]
    first, second = np.divmod(
        np.argsort(pairs.reshape(len(pairs), words * words), axis=1, kind="stable")[:, :words], words
    )
    left = np.take_along_axis(near[0], first, axis=1)
    right = np.take_along_axis(near[1], second, axis=1)
    return (left * CENTRES + right).astype(np.uint16), signatures


def _least(distances: Reals, count: int) -> npt.NDArray[np.intp]:
    """Return the ``count`` least of each row, the least first, of equal ones the first."""
    left = distances.copy()
    rows = np.arange(len(left))
    least = np.empty((len(left), count), np.intp)
    for column in range(count):
        least[:, column] = left.argmin(axis=1)
        left[rows, least[:, column]] = np.inf
    return least


def _distances(values: Reals, centres: Reals) -> Reals:
    return np.asarray((centres**2).sum(axis=1) - 2 * (values @ centres.T), np.float32)


def _patches(grey: Grey, corners: Corners) -> Grey:
    """Return n × 18 × 18 of grey around each corner, turned its way: a border beside 16 × 16."""
    cv2 = _opencv()
    side = _GRID + 2
    grid = ((np.arange(side) - (side - 1) / 2) * (PATCH / _GRID)).astype(np.float32)
    right, down = np.meshgrid(grid, grid)
    patches = np.empty((len(corners.turns), side, side), np.uint8)
    # Not np.unique, which imports something when first called: in a confined process that is too late.
    for level in np.flatnonzero(np.bincount(corners.levels)):
        factor = STEP ** -float(level)
        size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
        image = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if level else grey
        image = cv2.GaussianBlur(image, (0, 0), 1.0)
        rows = np.flatnonzero(corners.levels == level)
        turn = corners.turns[rows, None, None]
        sine, cosine = np.sin(turn), np.cos(turn)
        x = (corners.places[rows, 0] + 0.5) * np.float32(size[0] / grey.shape[1]) - 0.5
        y = (corners.places[rows, 1] + 0.5) * np.float32(size[1] / grey.shape[0]) - 0.5
        across = (x[:, None, None] + right * cosine - down * sine).astype(np.float32)
        along = (y[:, None, None] + right * sine + down * cosine).astype(np.float32)
        patches[rows] = cv2.remap(
            image,
            across.reshape(-1, side),
            along.reshape(-1, side),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(-1, side, side)
    return patches


def _gradients(patches: Grey) -> Reals:
    """Return n × 128: gradients pooled by cell and direction, each share's root."""
    values = patches.astype(np.float32)
    right = (values[:, 1:-1, 2:] - values[:, 1:-1, :-2]).reshape(-1, _GRID * _GRID)
    down = (values[:, 2:, 1:-1] - values[:, :-2, 1:-1]).reshape(-1, _GRID * _GRID)
    # A direction takes what lies within an eighth of a circle of it.
    floor = np.sqrt(right * right + down * down) * np.float32(np.cos(np.pi / 4))
    pooled = np.empty((len(values), _CELLS * _CELLS, _DIRECTIONS), np.float32)
    pool = _pool()
    beyond = np.empty_like(floor)
    for direction in range(_DIRECTIONS // 2):
        angle = direction * 2 * np.pi / _DIRECTIONS
        along = right * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle))
        np.subtract(along, floor, out=beyond)
        pooled[:, :, direction] = np.maximum(beyond, 0, out=beyond) @ pool
        # The opposite one is what is left on the other side.
        np.negative(along, out=along)
        along -= floor
        pooled[:, :, direction + _DIRECTIONS // 2] = np.maximum(along, 0, out=along) @ pool
    flat = pooled.reshape(len(values), WIDTH)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    np.minimum(flat, _CLIP, out=flat)
    flat /= np.maximum(flat.sum(axis=1, keepdims=True), 1e-6)
    return np.sqrt(flat)


@lru_cache(maxsize=1)
def _pool() -> Reals:
    """Return 256 × 16: how much each pixel of a patch counts for each cell, bilinear under a wide Gaussian."""
    at = (np.arange(_GRID) + 0.5) / _GRID * _CELLS - 0.5
    share = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(_CELLS)))
    distance = np.arange(_GRID) - (_GRID - 1) / 2
    weight = np.exp(-(distance[:, None] ** 2 + distance**2) / (2 * (_GRID / 2) ** 2))
    pool = np.einsum("ya,xb,yx->yxab", share, share, weight)
    return np.asarray(pool.reshape(_GRID * _GRID, _CELLS * _CELLS), np.float32)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise InputError("features of pictures need the extra licet[images]", extra="images") from error
    return cv2
