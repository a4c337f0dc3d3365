"""ISO base media boxes (ISO/IEC 14496-12), as far as pictures in them need: lengths, names, bits."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from licet.fingerprints.containers.common import MAX_PARTS, refuse


class Box(NamedTuple):
    """A box in some bytes: it begins at ``start``, its content is ``body`` to ``end``."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes from ``start`` that fill the bytes up to ``end``."""
    for _ in range(MAX_PARTS):
        if start == end:
            return
        found = box_at(data, start, end)
        if found is None or found.end > end:
            refuse("unreadable", "expected whole boxes in an AVIF, got one that ends elsewhere")
        yield found
        start = found.end
    refuse("unreadable", f"expected at most {MAX_PARTS:,} boxes in an AVIF")


def box_at(data: bytes, start: int, end: int) -> Box | None:
    """Return the box at ``start``, which may reach beyond ``end``; None where there is none."""
    if end - start < 8:
        return None
    size, kind = struct.unpack_from(">I4s", data, start)
    body = start + 8
    if size == 1 and end - start >= 16:
        (size,) = struct.unpack_from(">Q", data, body)
        body += 8
    elif size == 0:
        size = end - start
    if size < body - start or not kind.isascii() or min(kind) < 0x20:
        return None
    return Box(kind, start, body, start + size)


class Reader:
    """Big-endian numbers one after the other; reading beyond the end refuses the picture."""

    def __init__(self, data: bytes, place: int, end: int) -> None:
        self._data = data
        self.place = place
        self._end = end

    def number(self, size: int) -> int:
        """Return the next number of ``size`` bytes; of no bytes it is 0."""
        if self.place + size > self._end:
            refuse("unreadable", "expected a whole box in an AVIF, got its beginning")
        self.place += size
        return int.from_bytes(self._data[self.place - size : self.place], "big")

    def full(self) -> tuple[int, int]:
        """Return the version and flags with which a full box begins."""
        return self.number(1), self.number(3)


class Bits:
    """Bits from the highest on."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        if count > self._left:
            refuse("unreadable", "expected a whole header of AV1, got its beginning")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)


def flag(bits: Bits) -> bool:
    """Return the next bit."""
    return bool(bits.take(1))
