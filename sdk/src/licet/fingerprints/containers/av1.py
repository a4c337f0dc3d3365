"""AV1 as far as a still picture needs: how large its frames may be and how many there are (AV1 specification, 5.5)."""

from __future__ import annotations

from typing import Final

from licet.fingerprints.containers.boxes import Bits, flag
from licet.fingerprints.containers.common import check_pixels, refusal, refuse

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
# A still picture is one frame, a layered one up to four; hidden frames are decoded as well.
_MAX_FRAMES: Final = 32
_HEADER_BYTES: Final = 256


def checked_pixels(data: bytes, max_pixels: int) -> int:
    """Return how many pixels a frame of these units may have at most; refuse what is over a limit."""
    place = frames = largest = 0
    while place < len(data):
        head = data[place]
        place += 2 if head & 4 else 1
        size = len(data) - place
        if head & 2:
            size, place = _leb128(data, place)
        if head & 0x80 or size < 0 or place + size > len(data):
            refuse("unreadable", "expected whole units of AV1, got one that ends elsewhere")
        kind = head >> 3 & 15
        if kind == _SEQUENCE:
            width, height = _frame_size(Bits(data[place : place + min(size, _HEADER_BYTES)]))
            check_pixels(width, height, max_pixels)
            largest = max(largest, width * height)
        elif kind in (_FRAME_HEADER, _FRAME):
            frames += 1
            if not largest or frames > _MAX_FRAMES:
                refuse("unreadable", f"expected a header and at most {_MAX_FRAMES} frames of AV1 in a still picture")
        place += size
    if not frames:
        refuse("unreadable", "expected a frame of AV1, got none")
    return largest


def _leb128(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[place : place + 8]):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, place + index + 1
    raise refusal("unreadable", "expected a length of AV1, got none")


def _frame_size(bits: Bits) -> tuple[int, int]:
    """Return the largest width and height that a sequence header allows."""
    bits.take(4)  # profile, still picture
    if flag(bits):  # reduced header
        bits.take(5)
    else:
        _operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _operating_points(bits: Bits) -> None:
    delay = 0
    timed = flag(bits)
    if timed:
        bits.take(64)
        if flag(bits):
            _variable(bits)
    modelled = timed and flag(bits)
    if modelled:
        delay = bits.take(5) + 1
        bits.take(42)
    displayed = flag(bits)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if modelled and flag(bits):
            bits.take(2 * delay + 1)
        if displayed and flag(bits):
            bits.take(4)


def _variable(bits: Bits) -> None:
    zeros = 0
    while not flag(bits):
        zeros += 1
    bits.take(min(zeros, 32))
