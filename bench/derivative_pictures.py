"""Pictures for measuring the derivative tier: where they come from, split by source, and what is done to them.

``python -m bench.derivative_pictures`` puts Debian's packages, unpacked, into the folder that LICET_BENCH_SOURCES names
(build/pictures without it), a gigabyte. A source is one package: what is chosen on the pictures of some is measured on
those of others. Works that PDQ finds alike are one: of each such group the first stays.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from bench.measuring import BUILD
from licet.errors import PictureError
from licet.fingerprints.decode import decode
from licet.fingerprints.pdq import hamming, pdq_with_orientations

SOURCES: Final = Path(os.environ.get("LICET_BENCH_SOURCES", BUILD.parent / "pictures"))
TUNING: Final = (
    "desktop-base",
    "dreamchess-data",
    "fillets-ng-data",
    "freeorion-data",
    "palapeli-data",
    "planetblupi-common",
    "plasma-workspace-wallpapers",
    "stellarium-data",
    "supertux-data",
    "tuxpaint-stamps-default",
)
HELD_OUT: Final = (
    "ardentryst",
    "endless-sky-data",
    "gnome-backgrounds",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "naev-data",
    "openclipart-png",
    "renpy-demo",
    "renpy-thequestion",
    "sway-backgrounds",
    "ukui-wallpapers",
    "warmux-data",
    "wesnoth-1.16-data",
)
DISTRACTING: Final = ("hedgewars-data", "kstars-data", "pysiogame", "unknown-horizons")
#: Pictures to ask with that show no work: of sources that neither works nor distractors nor choices come from.
UNRELATED: Final = (
    "boswars-data",
    "flare-game",
    "freedroidrpg-data",
    "gcompris-qt-data",
    "krita-data",
    "lincity-ng-data",
    "megaglest-data",
    "tuxpaint-data",
    "warzone2100-data",
)
#: Where in a package pictures lie that somebody would show, if there are others (textures, buttons, sheets of sprites).
SHOWN: Final = {
    "endless-sky-data": ("images/land", "images/scene"),
    "freeorion-data": (
        "art/species",
        "art/nebulae",
        "art/planets",
        "art/encyclopedia",
        "art/hulls_design",
        "art/buildings",
    ),
    "renpy-demo": ("game/images",),
    "renpy-thequestion": ("game/images",),
    "stellarium-data": ("nebulae", "skycultures", "landscapes"),
    "supertux-data": ("images/background", "images/title", "images/engine"),
    "wesnoth-1.16-data": ("images/portraits", "images/story", "images/maps"),
}

Pixels = npt.NDArray[np.uint8]
Placed = tuple[Pixels, npt.NDArray[np.float64]]
_LEAST: Final = 320  # pixels of the shorter side
_MOST: Final = 1024  # pixels of the longer side, to which pictures are reduced once


def pictures(sources: tuple[str, ...], most: int, *, least: int = _LEAST) -> Iterator[tuple[str, Pixels]]:
    """Yield up to ``most`` pictures of each source with their path, in an order that says nothing, no two near."""
    seen: list[npt.NDArray[np.uint8]] = []
    for source in sources:
        taken = 0
        shown = SHOWN.get(source, ("",))
        found = [
            path
            for path in (SOURCES / source).rglob("*")
            if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} and any(each in str(path) for each in shown)
        ]
        for path in sorted(found, key=lambda each: hashlib.sha256(str(each.relative_to(SOURCES)).encode()).digest()):
            if taken == most:
                break
            rgb = _opened(path, least)
            if rgb is None:
                continue
            hashed, turned = pdq_with_orientations(rgb)
            if hashed.quality < 50 or (seen and (hamming(turned[:, None], np.stack(seen)[None]) <= 40).any()):
                continue
            seen.append(turned[0])
            taken += 1
            yield str(path.relative_to(SOURCES)), rgb


def _opened(path: Path, least: int) -> Pixels | None:
    if path.is_symlink():
        return None
    try:
        rgb = decode(path.read_bytes()).rgb
    except PictureError:
        return None
    if min(rgb.shape[:2]) < least:
        return None
    factor = _MOST / max(rgb.shape[:2])
    return rgb if factor >= 1 else np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def transformed(rgb: Pixels, others: list[Pixels], random: np.random.Generator) -> Iterator[tuple[str, Pixels]]:
    """Yield each transform's name and picture, as it comes out of a JPEG."""
    height, width = rgb.shape[:2]
    for percent in (10, 20, 40):
        # A part that lacks so much of each side's length in all, anywhere.
        tall, wide = int(height * (1 - percent / 100)), int(width * (1 - percent / 100))
        top, left = int(random.integers(0, height - tall + 1)), int(random.integers(0, width - wide + 1))
        yield f"crop-{percent}", _posted(rgb[top : top + tall, left : left + wide], random)
    down, right = int(height * 0.2), int(width * 0.2)
    yield "crop-20-each-side", _posted(rgb[down : height - down, right : width - right], random)
    edge = int(0.1 * max(height, width))
    colour = [int(each) for each in random.integers(0, 256, 3)]
    framed = cv2.copyMakeBorder(rgb, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=colour)
    yield "border", _posted(np.asarray(framed), random)
    yield "screenshot", _posted(_screenshot(rgb, random), random)
    angle = float(random.choice([-3, 3]))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    tilted = cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    yield "tilt-3", _posted(np.asarray(tilted), random)
    for side in (2, 3):
        yield f"collage-{side}x{side}", _posted(_collage(rgb, others, side, random), random)
    yield "mirror-crop-10", _posted(rgb[height // 20 : -height // 20, width // 20 : -width // 20][:, ::-1], random)
    yield "jpeg-30", _jpeg(rgb, 30)


def _posted(rgb: Pixels, random: np.random.Generator) -> Pixels:
    """Return what a site that makes its own JPEG, of at most 1,080 pixels, shows."""
    factor = min(1.0, 1080 / max(rgb.shape[:2]))
    reduced = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else rgb
    return _jpeg(np.ascontiguousarray(reduced), int(random.integers(60, 91)))


def _jpeg(rgb: Pixels, quality: int) -> Pixels:
    encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)


def _screenshot(rgb: Pixels, random: np.random.Generator) -> Pixels:
    """Return a page with bars, lines of text and the picture on about a third of it or more."""
    dark = bool(random.integers(2))
    page = np.full((900, 1440, 3), 24 if dark else 246, np.uint8)
    ink = (220, 220, 220) if dark else (30, 30, 30)
    page[:64] = (60, 66, 82)
    for at, word in enumerate(("Home", "Explore", "Messages", "Profile")):
        cv2.putText(page, word, (30 + 160 * at, 42), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (240, 240, 240), 2)
    factor = min(720 / rgb.shape[0], 900 / rgb.shape[1])
    shown = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    left = int(random.integers(20, 100))
    page[100 : 100 + shown.shape[0], left : left + shown.shape[1]] = shown
    for line in range(20):
        text = " ".join("lorem ipsum dolor sit amet magna aliqua".split()[int(random.integers(5)) :])
        cv2.putText(page, text, (left + shown.shape[1] + 30, 140 + 36 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, ink, 1)
    return page


def _collage(rgb: Pixels, others: list[Pixels], side: int, random: np.random.Generator) -> Pixels:
    """Return ``side`` × ``side`` panes, each the middle square of a picture."""
    pane = 1080 // side
    sheet = np.empty((pane * side, pane * side, 3), np.uint8)
    panes = [rgb, *others[: side * side - 1]]
    for at, place in enumerate(random.permutation(side * side)):
        each = panes[at % len(panes)]
        short = min(each.shape[:2])
        top, left = (each.shape[0] - short) // 2, (each.shape[1] - short) // 2
        square = cv2.resize(each[top : top + short, left : left + short], (pane, pane), interpolation=cv2.INTER_AREA)
        row, column = divmod(int(place), side)
        sheet[row * pane : (row + 1) * pane, column * pane : (column + 1) * pane] = square
    return sheet


def main() -> None:
    """Fetch what is not there yet."""
    SOURCES.mkdir(parents=True, exist_ok=True)
    for package in (*TUNING, *HELD_OUT, *DISTRACTING, *UNRELATED):
        if not (SOURCES / package).is_dir():
            subprocess.run(["apt-get", "download", package], cwd=SOURCES, check=True)
            archive = next(SOURCES.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive.name, package], cwd=SOURCES, check=True)
            archive.unlink()
    print(f"derivative_pictures: {SOURCES}")


if __name__ == "__main__":
    main()
