"""What every reader of a container shares: the result, the limits, the refusal, and EXIF's word on which way is up."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from licet.errors import PictureError

#: How decoding ended that ended its process with it (``licet.fingerprints.bounded``).
Ended = Literal["too-slow", "too-much-memory", "crashed"]
Why = Literal["truncated", "not-a-picture", "too-large", "too-many-pixels", "unsupported-format", "unreadable"] | Ended

#: How many segments, chunks, blocks or boxes a file may have, whatever its size.
MAX_PARTS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Container:
    """A picture's declared form and the bytes to decode; width and height are as stored, before orientation.

    ``orientation`` is the EXIF value 1–8 (1 where absent or nonsense). What the samples in ``body`` mean is said
    beside it, as the decoder is not asked: ``palette`` holds RGB triples, ``transparency`` the format's own word on
    it (tRNS of PNG, an index of GIF), ``place`` where the decoded picture lies on a larger canvas (GIF), ``samples``
    what those of a TIFF are.
    """

    format: Literal["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]
    width: int
    height: int
    orientation: int
    body: bytes
    colour: int = 0
    depth: int = 8
    palette: bytes = b""
    transparency: bytes = b""
    place: tuple[int, int] | None = None
    stored: tuple[int, int] | None = None  # of what ``body`` holds, where that is smaller than the canvas
    samples: Literal["", "grey", "inverted", "palette", "rgb", "alpha", "premultiplied", "cmyk"] = ""
    plain: bool = False  # a baseline JPEG of one scan without markers in it

    @property
    def pixels(self) -> int:
        """How many pixels decoding makes: of the picture that is stored or of its canvas, whichever has more."""
        width, height = self.stored or (self.width, self.height)
        return max(width * height, self.width * self.height)


def refusal(why: Why, message: str) -> PictureError:
    """Return the error with ``details["why"]``."""
    return PictureError(message, why=why)


def refuse(why: Why, message: str, cause: Exception | None = None) -> NoReturn:
    """Raise :func:`refusal`."""
    raise refusal(why, message) from cause


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture without any pixel, and one with more than ``max_pixels``."""
    if width < 1 or height < 1:
        refuse("unreadable", f"expected a width and a height of at least 1, got {width} × {height}")
    if width * height > max_pixels:
        got = f"{width * height:,} ({width:,} × {height:,})"
        refuse("too-many-pixels", f"expected at most {max_pixels:,} pixels, got {got}")


def exif_orientation(exif: bytes) -> int:
    """Return the orientation 1–8 in IFD 0 of an EXIF block; 1 where it is absent, damaged or out of range."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, values, value = struct.unpack_from(order + "HHIH", tiff, place)
        if tag == 0x0112:
            return value if (kind, values) == (3, 1) and 1 <= value <= 8 else 1
    return 1
