"""The features of a decoded picture: few and small to be kept, more of them to ask with."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from licet.derivative.describing import LONGEST, STEP, described, quantised, reduced
from licet.derivative.features import (
    ASKED_FEATURES,
    ASKED_SIDE,
    KEPT_FEATURES,
    KEPT_SIDE,
    SIZE_STEPS,
    TURNS,
    UNIT,
    Features,
    encode,
)

Pixels = npt.NDArray[np.uint8]
#: Over how many squares, to the longer side, corners are spread: finer where the work may be a part of the picture.
KEPT_CELLS: Final = 8
ASKED_CELLS: Final = 12
#: How many words a question looks under: a picture's features differ a little from the work's.
ASKED_WORDS: Final = 3


def kept(rgb: Pixels) -> Features:
    """Return the features by which a work with these pixels (height × width × 3) is found."""
    return _extracted(rgb, KEPT_FEATURES, KEPT_CELLS, 1, KEPT_SIDE)


def asked(rgb: Pixels) -> Features:
    """Return the features with which it is asked whether these pixels derive from a work."""
    return _extracted(rgb, ASKED_FEATURES, ASKED_CELLS, ASKED_WORDS, ASKED_SIDE)


def asked_bytes(rgb: Pixels) -> bytes:
    """Return `asked` as it travels: what a decoder makes beside (``licet.fingerprints.bounded``)."""
    return encode(asked(rgb))


def kept_bytes(rgb: Pixels) -> bytes:
    """Return `kept` as it is stored."""
    return encode(kept(rgb))


def _extracted(rgb: Pixels, most: int, cells: int, words: int, side: int) -> Features:
    import cv2

    grey = reduced(rgb)
    corners, description = described(grey, most, cells)
    chosen, signatures = quantised(description, words)
    longer = max(grey.shape)
    sizes = np.rint(SIZE_STEPS * np.log2(STEP**corners.levels * (LONGEST / longer)))
    return Features(
        width=rgb.shape[1],
        height=rgb.shape[0],
        words=chosen,
        signatures=signatures,
        places=np.clip(np.rint((corners.places + 0.5) * (UNIT / longer)), 0, UNIT).astype(np.uint16),
        turns=np.rint(corners.turns * (TURNS / (2 * np.pi))).astype(np.int64).astype(np.uint8),
        sizes=np.clip(sizes, 0, 255).astype(np.uint8),
        raster=np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.uint8),
    )
