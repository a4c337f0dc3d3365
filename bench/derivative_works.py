"""Works that are no picture's, to look among: 50,000 a segment as the service keeps them, mapped from ``build/bench``.

Composites of real features of the pictures that nothing else is made of (`bench.derivative_pictures`): one to four
panes, each a part of one, moved, scaled, a few bits changed, with the raster that belongs to it. Beyond the first
100,000 works they are those ones turned by a quarter, a half and three, and more of their bits changed: which words
and how many, the search meets as before, while no two works lie alike. Segments are made once and found again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from bench.derivative_pictures import DISTRACTING, pictures
from bench.measuring import BUILD
from licet.derivative import segment as segments
from licet.derivative.extracting import asked
from licet.derivative.features import KEPT_FEATURES, KEPT_SIDE, SIZE_STEPS, TURNS, UNIT, Features
from licet.derivative.segment import DerivativeSegment

A_SEGMENT: Final = 50_000
MADE: Final = 2  # segments of composites; all others are theirs turned
POOL: Final = 70  # pictures of a source
_NOISE: Final = 0.06  # of the bits of a signature
_OTHER_WORD: Final = 0.3
_FOLDER: Final = BUILD / "derivative_works"
Pixels = npt.NDArray[np.uint8]


def among(works: int) -> list[DerivativeSegment]:
    """Return so many works, at the most 400,000, in segments of 50,000."""
    return [_kept(number) for number in range(works // A_SEGMENT)]


def _kept(number: int) -> DerivativeSegment:
    named = _FOLDER / f"{number}.name"
    if not named.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        quarters, source = divmod(number, MADE)
        made = _turned(_kept(source), quarters, number) if quarters else _composed(number)
        named.write_text(segments.write(_FOLDER, made)[0])
    return segments.opened(_FOLDER / named.read_text())


def _composed(number: int) -> DerivativeSegment:
    pool = [asked(rgb) for _, rgb in pictures(DISTRACTING, POOL, least=200)]
    first = (1 << 32) + number * A_SEGMENT
    random = np.random.default_rng((5, number))
    return segments.built(
        ((first + at).to_bytes(16, "big"), each) for at, each in enumerate(composites(pool, A_SEGMENT, random))
    )


def _turned(segment: DerivativeSegment, quarters: int, number: int) -> DerivativeSegment:
    """Return the works of ``segment`` under other names, turned about the middle of their sheets, with bits changed."""
    random = np.random.default_rng((6, number))
    columns = dict(segment.columns)
    first = (1 << 32) + number * A_SEGMENT
    names = b"".join((first + at).to_bytes(16, "big") for at in range(len(segment)))
    columns["work.id"] = np.frombuffer(names, np.uint8).reshape(-1, 16)
    side = columns["work.raster"].reshape(-1, KEPT_SIDE, KEPT_SIDE)
    columns["work.raster"] = np.rot90(side, -quarters, axes=(1, 2)).reshape(len(segment), -1).copy()
    x, y = columns["posting.place"].T
    for _ in range(quarters):
        x, y = UNIT - y, x
    columns["posting.place"] = np.ascontiguousarray(np.column_stack((x, y)), "<u2")
    columns["posting.turn"] = ((columns["posting.turn"].astype(np.int64) + quarters * TURNS // 4) % TURNS).astype("|u1")
    signatures = columns["posting.signature"].copy()
    for start in range(0, len(signatures), 1 << 20):
        some = signatures[start : start + (1 << 20)]
        some ^= np.packbits(random.random((len(some), 64), np.float32) < _NOISE, axis=1).view("<u8").reshape(-1)
    columns["posting.signature"] = signatures
    return DerivativeSegment(columns)


def composites(pool: list[Features], count: int, random: np.random.Generator) -> Iterator[Features]:
    """Yield works that are parts of the pictures of ``pool``, one to four of them each."""
    for _ in range(count):
        layout = ((1, 1), (2, 1), (1, 2), (2, 2))[int(random.choice(4, p=(0.4, 0.2, 0.2, 0.2)))]
        columns: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
        sheet = np.empty((KEPT_SIDE, KEPT_SIDE), np.uint8)
        side = np.array([1.0, 1.0]) / np.array(layout)
        for at in range(layout[0] * layout[1]):
            corner = np.array([at % layout[0], at // layout[0]]) * side
            _pane(pool[int(random.integers(len(pool)))], corner, side, random, columns, sheet)
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        # The strongest would stay: of each pane the first, which are in that order.
        order = np.argsort(joined.pop("rank"), kind="stable")[:KEPT_FEATURES]
        taken = {name: column[order] for name, column in joined.items()}
        yield Features(width=1000, height=1000, raster=sheet, **taken)


def _pane(
    source: Features,
    corner: npt.NDArray[np.float64],
    side: npt.NDArray[np.float64],
    random: np.random.Generator,
    columns: dict[str, list[npt.NDArray[Any]]],
    sheet: Pixels,
) -> None:
    """Lay a part of ``source`` into the pane at ``corner`` (in sheets) of a square sheet: add what is seen there."""
    longer = max(source.width, source.height)
    extent = np.array([source.width, source.height]) / longer
    part = float(random.uniform(0.45, 0.95))
    first = random.uniform(0, 1 - part, 2)
    low, size = first * extent, extent * part
    place = source.places.astype(float) / UNIT
    scale = side / size
    inside = ((place > low) & (place < low + size)).all(axis=1)
    sizes = source.sizes + SIZE_STEPS * np.log2(np.sqrt(scale.prod()))
    rows = np.flatnonzero(inside & (sizes >= 0))
    flips = np.packbits(random.random((len(rows), 64)) < _NOISE, axis=1).view(np.uint64).reshape(-1)
    other = np.where(random.random(len(rows)) < _OTHER_WORD, random.integers(1, source.words.shape[1], len(rows)), 0)
    columns["words"].append(source.words[rows, other][:, None])
    columns["signatures"].append(source.signatures[rows] ^ flips)
    columns["places"].append(((corner + (place[rows] - low) * scale) * UNIT).astype(np.uint16))
    columns["turns"].append(source.turns[rows])
    columns["sizes"].append(np.clip(np.rint(sizes[rows]), 0, 255).astype(np.uint8))
    columns["rank"].append(np.arange(len(rows)))
    raster = len(source.raster)
    top, left = (int(first[axis] * raster) for axis in (1, 0))
    shown = source.raster[top : top + max(2, int(part * raster)), left : left + max(2, int(part * raster))]
    x, y = (round(float(each) * KEPT_SIDE) for each in corner)
    wide, tall = (round(float(each) * KEPT_SIDE) for each in side)
    sheet[y : y + tall, x : x + wide] = cv2.resize(shown, (wide, tall), interpolation=cv2.INTER_AREA)
