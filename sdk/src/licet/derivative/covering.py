"""Whether a work can be found by its features at all: it is changed as others would, and asked for.

A picture of few corners (a line on white, a sky) has no features to speak of. Its owner is told, because no search for
derivatives will find it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from licet.derivative.extracting import asked
from licet.derivative.features import Features
from licet.derivative.searching import search
from licet.derivative.segment import built

_ONE: Final = bytes(16)
_LONGEST: Final = 720
_DEGREES: Final = 4.0
_TRIMMED: Final = 0.1

Pixels = npt.NDArray[np.uint8]


def coverable(rgb: Pixels, features: Features) -> bool:
    """Return whether ``features`` (as kept) are found from ``rgb`` turned and cut at each side, or as a quarter sheet.

    A work that is found one way and not the other is found by most of what is made of it, so one is enough.
    """
    alone = [built([(_ONE, features)])]
    return any(search(alone, asked(changed(rgb))) for changed in (_cut, _among))


def _cut(rgb: Pixels) -> Pixels:
    """Return ``rgb`` turned by a few degrees and cut by a tenth at each side, through a JPEG."""
    import cv2

    height, width = rgb.shape[:2]
    factor = min(1.0, _LONGEST / max(height, width))
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else rgb
    height, width = small.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), _DEGREES, 1.0)
    turned = cv2.warpAffine(small, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    down, right = int(height * _TRIMMED), int(width * _TRIMMED)
    part = turned[down : height - down or None, right : width - right or None]
    stored = cv2.imencode(".jpg", np.ascontiguousarray(part), [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)


def _among(rgb: Pixels) -> Pixels:
    """Return a grey sheet on which ``rgb`` takes a part with half of its longer side."""
    import cv2

    height, width = rgb.shape[:2]
    factor = 512 / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    sheet = np.full((1024, 1024, 3), 128, np.uint8)
    sheet[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return sheet
