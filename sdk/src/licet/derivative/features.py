"""The form in which a picture's features are kept and sent: at most ``MAX_BYTES`` a picture, nothing in it is executed.

::

    0   4   magic ``LDF2``
    4   1   words a feature (1 as kept, up to 4 as asked)
    5   1   side of the raster (32 as kept, 64 as asked)
    6   2   number of features, uint16 little-endian
    8   8   width and height of the picture, uint32 each
    16  …   words, u2 × features × words; signatures, u8; places x and y, u2 × 2; turns, u1; sizes, u1; raster, u1

All integers are little-endian. A place is in 1/65535 of the longer side, x to the right, y down; a turn in 1/256 of a
circle, clockwise; a size says which step of the pyramid a feature was found at, in steps of 1/8 octave of the longer
side. The raster is the whole picture in grey, squeezed to a square. Every value that fits the types is a possible one,
so what `decode` has to check are lengths and limits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from licet.errors import MalformedError

MAGIC: Final = b"LDF2"
KEPT_SIDE: Final = 32
ASKED_SIDE: Final = 64
#: What a work may have, and what a picture may ask with.
KEPT_FEATURES: Final = 270
ASKED_FEATURES: Final = 800
MAX_WORDS: Final = 4
UNIT: Final = 65535
SIZE_STEPS: Final = 8  # an octave
TURNS: Final = 256
MAX_PICTURE: Final = 1 << 20  # pixels a side

Array = npt.NDArray[Any]
_HEAD: Final = struct.Struct("<4sBBHII")
#: The most bytes that the features of a work, and those of a question, take.
KEPT_BYTES: Final = _HEAD.size + KEPT_FEATURES * 16 + KEPT_SIDE**2
MAX_BYTES: Final = _HEAD.size + ASKED_FEATURES * (14 + 2 * MAX_WORDS) + ASKED_SIDE**2


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What is known of the parts of a picture of ``width`` × ``height`` pixels, n of them, the module says how."""

    width: int
    height: int
    words: npt.NDArray[np.uint16]  # n × k, the nearest first
    signatures: npt.NDArray[np.uint64]
    places: npt.NDArray[np.uint16]  # n × 2
    turns: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.uint8]
    raster: npt.NDArray[np.uint8]  # side × side

    def __len__(self) -> int:
        return len(self.signatures)


def encode(features: Features) -> bytes:
    """Return the bytes of ``features``; `decode` gives them back."""
    head = _HEAD.pack(
        MAGIC, features.words.shape[1], len(features.raster), len(features), features.width, features.height
    )
    columns: tuple[tuple[Array, str], ...] = (
        (features.words, "<u2"),
        (features.signatures, "<u8"),
        (features.places, "<u2"),
        (features.turns, "u1"),
        (features.sizes, "u1"),
        (features.raster, "u1"),
    )
    return head + b"".join(np.ascontiguousarray(column, form).tobytes() for column, form in columns)


def decode(data: bytes, *, kept: bool = False) -> Features:
    """Return the features in ``data``; with ``kept``, only those of a form in which works are kept.

    Raises ``MalformedError`` for anything that `encode` does not write.
    """
    most, side = (KEPT_FEATURES, KEPT_SIDE) if kept else (ASKED_FEATURES, ASKED_SIDE)
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise MalformedError(f"features: expected bytes that begin with {MAGIC.decode()}, got others")
    _, words, raster, count, width, height = _HEAD.unpack_from(data)
    if not 1 <= words <= (1 if kept else MAX_WORDS):
        raise MalformedError(f"features: expected {'1 word' if kept else f'1 to {MAX_WORDS} words'}, got {words}")
    if raster != side:
        raise MalformedError(f"features: expected a raster of {side} × {side}, got {raster}")
    if count > most:
        raise MalformedError(f"features: expected at most {most}, got {count}")
    if not (1 <= width <= MAX_PICTURE and 1 <= height <= MAX_PICTURE):
        raise MalformedError(
            f"features: expected a picture of 1 to {MAX_PICTURE} pixels a side, got {width} × {height}"
        )
    whole = _HEAD.size + count * (14 + 2 * words) + raster * raster
    if len(data) != whole:
        raise MalformedError(f"features: expected {whole} bytes for {count} features, got {len(data)}")
    at = _HEAD.size

    def column(form: str, *shape: int) -> Array:
        nonlocal at
        items = int(np.prod(shape))
        taken = np.frombuffer(data, form, items, at).reshape(shape)
        at += taken.nbytes
        return taken

    return Features(
        width,
        height,
        column("<u2", count, words),
        column("<u8", count),
        column("<u2", count, 2),
        column("u1", count),
        column("u1", count),
        column("u1", raster, raster),
    )
