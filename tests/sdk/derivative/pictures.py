"""Pictures for these tests: parts of the demo's, and shapes that any picture may have."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from licet.derivative.features import KEPT_SIDE, UNIT, Features
from licet.fingerprints.decode import decode

Pixels = npt.NDArray[np.uint8]
_FOLDER = Path(__file__).parents[3] / "demo/pictures"


@cache
def demo(count: int) -> tuple[Pixels, ...]:
    """The first ``count`` of the demo's pictures, by path."""
    paths = sorted(path for path in _FOLDER.rglob("*") if path.suffix.lower() in {".jpg", ".png", ".webp"})
    return tuple(decode(path.read_bytes()).rgb for path in paths[:count])


def posted(rgb: Pixels) -> Pixels:
    """``rgb`` as a JPEG of quality 70 shows it."""
    stored = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()


def shapes() -> dict[str, tuple[Pixels, Pixels]]:
    """Pairs of pictures that share nothing but a generic shape."""
    height, width = 480, 640
    random = np.random.default_rng(3)
    found: dict[str, tuple[Pixels, Pixels]] = {}

    def both(name: str, draw: Any) -> None:
        made = []
        for number in (0, 1):
            sheet = np.full((height, width, 3), 255, np.uint8)
            draw(sheet, number)
            made.append(sheet)
        found[name] = made[0], made[1]

    def frame(sheet: Pixels, number: int) -> None:
        shown = np.asarray(cv2.resize(demo(2)[number], (width - 80, height - 80), interpolation=cv2.INTER_AREA))
        sheet[:] = (120, 80, 30)
        for at in range(8, 40, 8):
            cv2.rectangle(sheet, (at, at), (width - at, height - at), (200 - 3 * at, 160, 90), 3)
        sheet[40:-40, 40:-40] = shown

    def stripes(sheet: Pixels, number: int) -> None:
        for at in range(0, width, 40 + 8 * number):
            sheet[:, at : at + 20] = (20, 60 + 60 * number, 160)

    def flag(sheet: Pixels, number: int) -> None:
        colours = (((0, 85, 164), (255, 255, 255), (239, 65, 53)), ((0, 146, 70), (255, 255, 255), (206, 43, 55)))
        for at, colour in enumerate(colours[number]):
            sheet[:, at * width // 3 : (at + 1) * width // 3] = colour

    def caption(sheet: Pixels, number: int) -> None:
        sheet[: height - 90] = random.integers(0, 256, (1, 1, 3)) if number else (90, 110, 60)
        cv2.circle(sheet, (200 + 200 * number, 180), 90, (200, 30 + 150 * number, 60), -1)
        cv2.putText(sheet, "WHEN YOU SEE IT", (60, height - 30), cv2.FONT_HERSHEY_DUPLEX, 1.6, (0, 0, 0), 3)

    def inner(sheet: Pixels, number: int) -> None:
        sheet[:] = cv2.resize(demo(2)[number], (width, height), interpolation=cv2.INTER_AREA)

    def logo(sheet: Pixels, number: int) -> None:
        inner(sheet, number)
        cv2.circle(sheet, (width - 70, height - 60), 40, (250, 250, 250), -1)
        cv2.putText(sheet, "LOGO", (width - 104, height - 52), cv2.FONT_HERSHEY_DUPLEX, 0.8, (10, 10, 10), 2)

    def gradient(sheet: Pixels, number: int) -> None:
        down, right = np.mgrid[:height, :width]
        grey = (down * 255 // height, (down + right) * 255 // (height + width))[number]
        sheet[:] = grey[..., None]

    def halftone(sheet: Pixels, number: int) -> None:
        for down in range(8, height, 16):
            for right in range(8, width, 16):
                share = (down / height, right / width)[number]
                cv2.circle(sheet, (right, down), int(2 + 6 * share), (20, 20, 20), -1)

    def checks(sheet: Pixels, number: int) -> None:
        side = 32 + 16 * number
        for down in range(0, height, side):
            for right in range((down // side % 2) * side, width, 2 * side):
                sheet[down : down + side, right : right + side] = (30, 90, 60)

    def lines(sheet: Pixels, number: int) -> None:
        words = "lorem ipsum dolor sit amet magna aliqua consetetur sadipscing".split()
        for at in range(14):
            text = " ".join(random.permutation(words)[:5])
            cv2.putText(sheet, text, (20, 30 + 32 * at), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 1)

    def captioned(sheet: Pixels, number: int) -> None:
        inner(sheet, number)
        sheet[-80:] = 255
        cv2.putText(sheet, "SEE YOU AT THE FAIR 2024", (20, height - 25), cv2.FONT_HERSHEY_DUPLEX, 1.2, (0, 0, 0), 3)

    def cards(sheet: Pixels, number: int) -> None:
        sheet[:] = (236, 228, 214)
        cv2.circle(sheet, (160 + 300 * number, 150), 90, (40, 90, 60), -1)
        for at, text in enumerate(("SEE YOU AT THE FAIR 2024", "ALL RIGHTS ARE RESERVED")):
            cv2.putText(sheet, text, (20, 370 + 44 * at), cv2.FONT_HERSHEY_DUPLEX, 1.1, (0, 0, 0), 2)

    for draw in (frame, stripes, flag, caption, logo, gradient, halftone, checks, lines, captioned, cards):
        both(draw.__name__, draw)
    return found


def anything(count: int, seed: int = 0, words: int = 1, side: int = KEPT_SIDE) -> Features:
    """Features that no picture has, of every value that may be."""
    random = np.random.default_rng(seed)
    return Features(
        width=int(random.integers(1, 5000)),
        height=int(random.integers(1, 5000)),
        words=random.integers(0, 1 << 16, (count, words), np.uint16),
        signatures=random.integers(0, 1 << 64, count, np.uint64),
        places=random.integers(0, UNIT + 1, (count, 2), np.uint16),
        turns=random.integers(0, 256, count, np.uint8),
        sizes=random.integers(0, 60, count, np.uint8),
        raster=random.integers(0, 256, (side, side), np.uint8),
    )
