"""BMP: uncompressed, 1 to 32 bits a pixel; run-length and embedded JPEG or PNG are refused."""

from __future__ import annotations

import struct
from typing import Final

from licet.fingerprints.containers.common import Container, check_pixels, refuse

_HEADERS: Final = (12, 40, 52, 56, 64, 108, 124)
_PLAIN, _BITFIELDS, _ALPHA_BITFIELDS = 0, 3, 6
_CODINGS: Final = {1: "8-bit run lengths", 2: "4-bit run lengths", 4: "an embedded JPEG", 5: "an embedded PNG"}
_MASK_BYTES: Final = {_PLAIN: 0, _BITFIELDS: 12, _ALPHA_BITFIELDS: 16}
_SHORTEST_WITH_MASKS: Final = 52


def is_bmp(data: bytes) -> bool:
    """Return whether ``data`` begins like a BMP whose header has a known length."""
    return data[:2] == b"BM" and len(data) >= 18 and int.from_bytes(data[14:18], "little") in _HEADERS


def read(data: bytes, max_pixels: int) -> Container:
    """Return the BMP up to its last row."""
    (length,) = struct.unpack_from("<I", data, 14)
    if len(data) < 14 + length:
        refuse("truncated", "expected the header of a BMP, got the end of the file")
    compression = colours = 0
    if length == 12:
        width, height, planes, depth = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, planes, depth, compression = struct.unpack_from("<iiHHI", data, 18)
        (colours,) = struct.unpack_from("<I", data, 46)
    check_pixels(width, abs(height), max_pixels)
    if compression not in _MASK_BYTES:
        got = _CODINGS.get(compression, f"compression {compression}")
        refuse("unsupported-format", f"expected an uncompressed BMP, got {got}")
    if planes != 1 or depth not in (1, 4, 8, 16, 24, 32) or (compression != _PLAIN and depth not in (16, 32)):
        refuse("unreadable", f"expected a BMP of a known form, got {planes} planes of {depth} bits")
    palette = 0
    if depth <= 8:
        if colours > 1 << depth:
            refuse("unreadable", f"expected at most {1 << depth} colours in a BMP, got {colours:,}")
        palette = (3 if length == 12 else 4) * (colours or 1 << depth)
    masks = _MASK_BYTES[compression] if length < _SHORTEST_WITH_MASKS else 0
    (start,) = struct.unpack_from("<I", data, 10)
    if start < 14 + length + masks + palette:
        refuse("unreadable", f"expected the pixels of a BMP behind its header, got them at {start:,}")
    end = start + (width * depth + 31) // 32 * 4 * abs(height)
    if end > len(data):
        refuse("truncated", f"expected {end - len(data):,} more bytes of BMP, got the end of the file")
    return Container("bmp", width, abs(height), 1, data[:end], depth=depth)
