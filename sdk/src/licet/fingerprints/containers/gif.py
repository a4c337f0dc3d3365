"""GIF: the first frame where it lies on its screen; later frames are walked over, never decoded.

What reaches the decoder is one frame with a palette of our own making, so that it gives back the indices as stored:
what they mean (local or global colours, the transparent one) is applied afterwards.
"""

from __future__ import annotations

import struct
from typing import Final

from licet.fingerprints.containers.common import MAX_PARTS, Container, check_pixels, refusal, refuse

SIGNATURES: Final = (b"GIF87a", b"GIF89a")
_FRAME, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL: Final = b"\xf9\4"
# Colours that no decoder takes for a grey ramp.
_INDICES: Final = bytes(value for index in range(256) for value in (index, 255 - index, 0))


def read(data: bytes, max_pixels: int) -> Container:
    """Return the first frame of the GIF; the canvas is the screen, or what the frame needs where that is more."""
    if len(data) < 13:
        refuse("truncated", "expected the header of a GIF, got the end of the file")
    screen_width, screen_height, flags = struct.unpack_from("<HHB", data, 6)
    if screen_width and screen_height:
        check_pixels(screen_width, screen_height, max_pixels)
    palette, place = _colours(data, 13, flags)
    transparent = b""
    first: Container | None = None
    for _ in range(MAX_PARTS):
        kind = data[place] if place < len(data) else _END
        if kind == _END:
            break
        if kind == _EXTENSION:
            start, place = place, _after_blocks(data, place + 2)
            if first is None and data[start + 1 : start + 3] == _GRAPHIC_CONTROL:
                transparent = data[start + 6 : start + 7] if data[start + 3] & 1 else b""
        elif kind == _FRAME:
            if place + 10 > len(data):
                refuse("truncated", "expected a frame of a GIF, got the end of the file")
            left, top, width, height, packed = struct.unpack_from("<HHHHB", data, place + 1)
            colours, start = _colours(data, place + 10, packed)
            place = _after_blocks(data, start + 1)
            if first is None:
                size = max(screen_width, left + width), max(screen_height, top + height)
                check_pixels(width, height, max_pixels)
                check_pixels(*size, max_pixels)
                body = _alone(width, height, packed, data[start:place])
                first = Container(
                    "gif",
                    *size,
                    1,
                    body,
                    palette=colours or palette,
                    transparency=transparent,
                    place=(left, top),
                    stored=(width, height),
                )
        else:
            refuse("unreadable", f"expected a block of a GIF, got one of the unknown kind {kind:#04x}")
    else:
        refuse("unreadable", f"expected at most {MAX_PARTS:,} parts in a GIF")
    if first is None:
        refuse("truncated" if place >= len(data) else "unreadable", "expected pixels in a GIF, got none")
    if not first.palette:
        refuse("unreadable", "expected a GIF with a palette, got none")
    return first


def _colours(data: bytes, place: int, flags: int) -> tuple[bytes, int]:
    """Return the colour table at ``place``, if the flags promise one, and the place after it."""
    if not flags & 0x80:
        return b"", place
    end = place + (6 << (flags & 7))
    if end > len(data):
        refuse("truncated", "expected the palette of a GIF, got the end of the file")
    return data[place:end], end


def _after_blocks(data: bytes, place: int) -> int:
    """Return the place after a chain of sub-blocks."""
    size = len(data)
    while place < size:
        length = data[place]
        place += length + 1
        if not length:
            return place
    raise refusal("truncated", "expected the end of a block of a GIF, got the end of the file")


def _alone(width: int, height: int, flags: int, pixels: bytes) -> bytes:
    header = SIGNATURES[1] + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + _INDICES
    frame = struct.pack("<BHHHHB", _FRAME, 0, 0, width, height, flags & 0x40)
    return header + frame + pixels + bytes((_END,))
