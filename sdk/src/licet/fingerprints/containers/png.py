"""PNG: chunks with right checksums; of an APNG the default picture is what counts."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from licet.fingerprints.containers.common import MAX_PARTS, Container, check_pixels, exif_orientation, refusal, refuse

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def read(data: bytes, max_pixels: int) -> Container:
    """Return the PNG without any chunk that does not make pixels."""
    parts = [SIGNATURE]
    seen: dict[bytes, bytes] = {}
    place = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if place + 12 > len(data):
            refuse("truncated", "expected the end of a PNG, got the end of the file")
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        end = place + 12 + length
        if kind != b"IHDR" and b"IHDR" not in seen:
            refuse("unreadable", "expected a PNG that begins with its header")
        if end > len(data):
            refuse("truncated", f"expected {end - len(data):,} more bytes of PNG, got the end of the file")
        if kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"):
            body = data[place + 8 : end - 4]
            if zlib.crc32(kind + body).to_bytes(4, "big") != data[end - 4 : end]:
                refuse("unreadable", f"expected an intact PNG, got a wrong checksum of {kind.decode()}")
            if kind == b"IHDR":
                _check_header(body, max_pixels)
            if kind in (b"IHDR", b"PLTE") and kind in seen:
                refuse("unreadable", f"expected one {kind.decode()} in a PNG, got two")
            seen.setdefault(kind, b"" if kind == b"IDAT" else body)
            if kind not in (b"tRNS", b"eXIf"):
                parts.append(data[place:end])
            if kind == b"IEND":
                return _container(seen, b"".join(parts))
        elif not kind[0] & 0x20:
            refuse("unsupported-format", f"expected a plain PNG, got the unknown critical part {kind!r}")
        place = end
    raise refusal("unreadable", f"expected at most {MAX_PARTS:,} parts in a PNG")


def _check_header(header: bytes, max_pixels: int) -> None:
    if len(header) != 13:
        refuse("unreadable", f"expected a PNG header of 13 bytes, got {len(header)}")
    width, height, depth, colour, compression, filters, interlace = struct.unpack(">IIBBBBB", header)
    check_pixels(width, height, max_pixels)
    if depth not in _DEPTHS.get(colour, ()) or compression or filters or interlace > 1:
        refuse("unreadable", f"expected a PNG of a known form, got {header[8:].hex(' ')}")


def _container(seen: dict[bytes, bytes], body: bytes) -> Container:
    width, height, depth, colour = struct.unpack_from(">IIBB", seen[b"IHDR"])
    palette = seen.get(b"PLTE", b"")
    if b"IDAT" not in seen:
        refuse("truncated", "expected pixels in a PNG, got none")
    if len(palette) % 3 or len(palette) > 768 or (colour == 3 and not palette):
        refuse("unreadable", f"expected a PNG palette of 1 to 256 colours, got {len(palette)} bytes")
    orientation = exif_orientation(seen.get(b"eXIf", b""))
    transparency = seen.get(b"tRNS", b"")
    return Container("png", width, height, orientation, body, colour, depth, palette, transparency)
