"""WEBP: lossy, lossless and extended; of an animation only the first frame reaches the decoder."""

from __future__ import annotations

import struct

from licet.fingerprints.containers.common import MAX_PARTS, Container, check_pixels, exif_orientation, refusal, refuse


def read(data: bytes, max_pixels: int) -> Container:
    """Return the WEBP without metadata, profile and all frames but the first."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        refuse("truncated", f"expected {end - len(data):,} more bytes of WEBP, got the end of the file")
    parts: list[bytes] = []
    size: tuple[int, int] | None = None
    exif, pixels, animated = b"", False, False
    place = 12
    for _ in range(MAX_PARTS):
        if place + 8 > end:
            break
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + length]
        if place + 8 + length > end:
            refuse("truncated", f"expected {length:,} bytes of {kind!r} in a WEBP, got {len(body):,}")
        place += 8 + length + length % 2
        if kind in (b"VP8X", b"VP8 ", b"VP8L"):
            declared = _size(kind, body)
            check_pixels(*declared, max_pixels)
            if size not in (None, declared):
                refuse("unreadable", f"expected a WEBP frame of {size}, got {declared}")
            size = declared
        if size is None:
            refuse("unreadable", f"expected a WEBP that begins with its header, got {kind!r}")
        pixels = pixels or kind in (b"VP8 ", b"VP8L", b"ANMF")
        if kind == b"EXIF":
            exif = exif or body
        elif kind == b"VP8X":
            # Without the flags of ICC profile, EXIF and XMP, as those are left out.
            parts.append(kind + b"\x0a\0\0\0" + bytes((body[0] & 0x12,)) + body[1:])
        elif kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM") or (kind == b"ANMF" and not animated):
            parts.append(kind + length.to_bytes(4, "little") + body + b"\0" * (length % 2))
            animated = animated or kind == b"ANMF"
    else:
        refuse("unreadable", f"expected at most {MAX_PARTS:,} parts in a WEBP")
    if size is None or not pixels:
        refuse("unreadable", "expected pixels in a WEBP, got none")
    joined = b"WEBP" + b"".join(parts)
    riff = b"RIFF" + len(joined).to_bytes(4, "little") + joined
    return Container("webp", size[0], size[1], exif_orientation(exif), riff)


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise refusal("unreadable", f"expected a WEBP frame header, got {kind!r} of {len(body):,} bytes")
