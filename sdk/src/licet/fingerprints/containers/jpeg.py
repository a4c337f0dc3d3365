"""JPEG: baseline and progressive, 8 bits, one frame; only tables, scans and what says the colours is kept."""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from licet.fingerprints.containers.common import MAX_PARTS, Container, check_pixels, exif_orientation, refusal, refuse

# A progressive JPEG is decoded once per scan: a small file with thousands of scans is a bomb in time.
_MAX_SCANS: Final = 256
_NEXT_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")
_NEXT_MARKER_IN_SCAN: Final = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_END: Final = re.compile(rb"\xff(\xd9)")
# Frame headers of every coding, so that those which are not supported are named as such.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xCC}
# Tables, frames, scans, restart intervals, and the two application parts that say what the colours are.
_NEEDED: Final = frozenset(range(0xC0, 0xD0)) | {0xDA, 0xDB, 0xDD, 0xE0, 0xEE}


class _Frame(NamedTuple):
    width: int
    height: int
    components: int
    progressive: bool


def read(data: bytes, max_pixels: int) -> Container:
    """Return the JPEG without any segment that does not make pixels."""
    parts = [data[:2]]
    frame = _Frame(0, 0, 0, False)
    orientation = scans = 0
    place, scan, pattern = 2, 0, _NEXT_MARKER
    for _ in range(MAX_PARTS):
        found = pattern.search(data, place)
        if found is None:
            refuse("truncated", "expected the end of a JPEG, got the end of the file")
        start, kind = found.end() - 2, found.group(1)[0]
        if pattern is not _NEXT_MARKER:
            parts.append(data[place:start])
        place = start + 2
        if kind == 0xD9 and scans:
            parts.append(b"\xff\xd9")
            plain = scans == 1 and pattern is _END and _ends_at(data, scan, found.end())
            return Container("jpeg", frame.width, frame.height, orientation or 1, b"".join(parts), plain=plain)
        if kind in (0xD8, 0xD9):
            refuse("unreadable", "expected pixels in a JPEG, got none")
        if kind == 0x01 or 0xD0 <= kind <= 0xD7:
            continue
        body = _body(data, place)
        place += 2 + len(body)
        pattern = _NEXT_MARKER
        if kind == 0xE1 and body.startswith(b"Exif\0\0") and not orientation:
            orientation = exif_orientation(body)
        if kind in _FRAMES:
            if frame.width:
                refuse("unreadable", "expected one frame in a JPEG, got two")
            frame = _frame(kind, body, max_pixels)
        if kind in _NEEDED:
            parts.append(data[start:place])
        if kind == 0xDA:
            scans += 1
            if not frame.width or scans > _MAX_SCANS:
                refuse("unreadable", f"expected a frame and at most {_MAX_SCANS} scans in a JPEG")
            whole = not frame.progressive and body[:1] == bytes((frame.components,))
            pattern, scan = (_END if whole else _NEXT_MARKER_IN_SCAN), place
    raise refusal("unreadable", f"expected at most {MAX_PARTS:,} parts in a JPEG")


def _ends_at(data: bytes, scan: int, end: int) -> bool:
    """Return whether a scan holds no marker before that of the end."""
    found = _NEXT_MARKER_IN_SCAN.search(data, scan)
    return found is not None and found.end() == end


def _body(data: bytes, place: int) -> bytes:
    length = int.from_bytes(data[place : place + 2], "big")
    if place + max(length, 2) > len(data):
        refuse("truncated", "expected the end of a JPEG, got the end of the file")
    if length < 2:
        refuse("unreadable", f"expected a JPEG segment of at least 2 bytes, got {length}")
    return data[place + 2 : place + length]


def _frame(kind: int, body: bytes, max_pixels: int) -> _Frame:
    if len(body) < 6:
        refuse("unreadable", f"expected a JPEG frame header of at least 6 bytes, got {len(body)}")
    depth, height, width, components = struct.unpack_from(">BHHB", body)
    check_pixels(width, height, max_pixels)
    if kind not in (0xC0, 0xC1, 0xC2) or depth != 8 or components not in (1, 3, 4):
        got = f"type {kind - 0xC0} with {depth} bits and {components} components"
        refuse("unsupported-format", f"expected a baseline or progressive JPEG of 8 bits, got {got}")
    return _Frame(width, height, components, kind == 0xC2)
