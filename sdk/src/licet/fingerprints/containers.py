"""Picture containers: what JPEG, PNG and WEBP files say before a pixel is decoded, and only what decoding needs.

Reading a container checks its structure, its declared size and that it ends where it must, then rebuilds the
smallest file with the same pixels. So metadata can neither change the pixels nor reach a decoder, what follows
the picture is cut off (a file may be a picture and a ZIP at once), and a bomb is known by its header.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, NoReturn

from licet.errors import PictureError

Why = Literal["truncated", "not-a-picture", "too-large", "too-many-pixels", "unsupported-format", "unreadable"]

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MAX_PARTS: Final = 1 << 16
# A progressive JPEG is decoded once per scan: a small file with thousands of scans is a bomb in time.
_MAX_SCANS: Final = 256
_NEXT_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")
_NEXT_MARKER_IN_SCAN: Final = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_JPEG_END: Final = re.compile(rb"\xff(\xd9)")
# Frame headers of every coding, so that those which are not supported are named as such.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xCC}
# Tables, frames, scans, restart intervals, and the two application parts that say what the colours are.
_JPEG_NEEDED: Final = frozenset(range(0xC0, 0xD0)) | {0xDA, 0xDB, 0xDD, 0xE0, 0xEE}
_PNG_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_KNOWN: Final = (
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM.{12}[\x0c\x28\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "AVIF"),
    (re.compile(rb".{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "HEIF"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), "JPEG XL"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"8BPS"), "PSD"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]"), "SVG"),
)


@dataclass(frozen=True, slots=True)
class Container:
    """A picture's declared form and the bytes to decode; width and height are as stored, before orientation.

    ``orientation`` is the EXIF value 1–8 (1 where absent or nonsense). For PNG, ``colour``, ``depth``,
    ``palette`` and ``transparency`` repeat IHDR, PLTE and tRNS, and ``body`` lacks tRNS.
    """

    format: Literal["jpeg", "png", "webp"]
    width: int
    height: int
    orientation: int
    body: bytes
    colour: int = 0
    depth: int = 8
    palette: bytes = b""
    transparency: bytes = b""


class _JpegFrame(NamedTuple):
    width: int
    height: int
    components: int
    progressive: bool


def refuse(why: Why, message: str, cause: Exception | None = None) -> NoReturn:
    """Raise :class:`PictureError` with ``details["why"]``."""
    raise PictureError(message, why=why) from cause


def read_container(data: bytes, max_pixels: int) -> Container:
    """Return the container that ``data`` begins with; raise :class:`PictureError` for anything else.

    ``max_pixels`` is compared with the header as soon as it is read.
    """
    if data.startswith(b"\xff\xd8\xff") or (data.startswith(b"\xff\xd8") and len(data) < 4):
        return _jpeg(data, max_pixels)
    if data.startswith(_PNG):
        return _png(data, max_pixels)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data, max_pixels)
    for pattern, name in _KNOWN:
        if pattern.match(data[:4096]):
            refuse("unsupported-format", f"expected JPEG, PNG or WEBP, got {name}")
    if not data:
        refuse("not-a-picture", "expected a picture, got an empty file")
    if _PNG.startswith(data) or b"RIFF".startswith(data):
        refuse("truncated", f"expected a picture, got its first {len(data)} bytes")
    refuse("not-a-picture", f"expected a picture, got bytes that begin with {data[:8].hex(' ')}")


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


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        refuse("unreadable", f"expected a width and a height of at least 1, got {width} × {height}")
    if width * height > max_pixels:
        got = f"{width * height:,} ({width:,} × {height:,})"
        refuse("too-many-pixels", f"expected at most {max_pixels:,} pixels, got {got}")


def _png(data: bytes, max_pixels: int) -> Container:
    parts = [_PNG]
    seen: dict[bytes, bytes] = {}
    place = len(_PNG)
    for _ in range(_MAX_PARTS):
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
                _check_png_header(body, max_pixels)
            if kind in (b"IHDR", b"PLTE") and kind in seen:
                refuse("unreadable", f"expected one {kind.decode()} in a PNG, got two")
            seen.setdefault(kind, b"" if kind == b"IDAT" else body)
            if kind not in (b"tRNS", b"eXIf"):
                parts.append(data[place:end])
            if kind == b"IEND":
                return _png_container(seen, b"".join(parts))
        elif not kind[0] & 0x20:
            refuse("unsupported-format", f"expected a plain PNG, got the unknown critical part {kind!r}")
        place = end
    refuse("unreadable", f"expected at most {_MAX_PARTS:,} parts in a PNG")


def _check_png_header(header: bytes, max_pixels: int) -> None:
    if len(header) != 13:
        refuse("unreadable", f"expected a PNG header of 13 bytes, got {len(header)}")
    width, height, depth, colour, compression, filters, interlace = struct.unpack(">IIBBBBB", header)
    _check_pixels(width, height, max_pixels)
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filters or interlace > 1:
        refuse("unreadable", f"expected a PNG of a known form, got {header[8:].hex(' ')}")


def _png_container(seen: dict[bytes, bytes], body: bytes) -> Container:
    width, height, depth, colour = struct.unpack_from(">IIBB", seen[b"IHDR"])
    palette = seen.get(b"PLTE", b"")
    if b"IDAT" not in seen:
        refuse("truncated", "expected pixels in a PNG, got none")
    if len(palette) % 3 or len(palette) > 768 or (colour == 3 and not palette):
        refuse("unreadable", f"expected a PNG palette of 1 to 256 colours, got {len(palette)} bytes")
    orientation = exif_orientation(seen.get(b"eXIf", b""))
    transparency = seen.get(b"tRNS", b"")
    return Container("png", width, height, orientation, body, colour, depth, palette, transparency)


def _jpeg(data: bytes, max_pixels: int) -> Container:
    parts = [data[:2]]
    frame = _JpegFrame(0, 0, 0, False)
    orientation = scans = 0
    place, pattern = 2, _NEXT_MARKER
    for _ in range(_MAX_PARTS):
        found = pattern.search(data, place)
        if found is None:
            refuse("truncated", "expected the end of a JPEG, got the end of the file")
        start, kind = found.end() - 2, found.group(1)[0]
        if pattern is not _NEXT_MARKER:
            parts.append(data[place:start])
        place = start + 2
        if kind == 0xD9 and scans:
            parts.append(b"\xff\xd9")
            return Container("jpeg", frame.width, frame.height, orientation or 1, b"".join(parts))
        if kind in (0xD8, 0xD9):
            refuse("unreadable", "expected pixels in a JPEG, got none")
        if kind == 0x01 or 0xD0 <= kind <= 0xD7:
            continue
        body = _jpeg_body(data, place)
        place += 2 + len(body)
        pattern = _NEXT_MARKER
        if kind == 0xE1 and body.startswith(b"Exif\0\0") and not orientation:
            orientation = exif_orientation(body)
        if kind in _JPEG_FRAMES:
            if frame.width:
                refuse("unreadable", "expected one frame in a JPEG, got two")
            frame = _jpeg_frame(kind, body, max_pixels)
        if kind in _JPEG_NEEDED:
            parts.append(data[start:place])
        if kind == 0xDA:
            scans += 1
            if not frame.width or scans > _MAX_SCANS:
                refuse("unreadable", f"expected a frame and at most {_MAX_SCANS} scans in a JPEG")
            whole = not frame.progressive and body[:1] == bytes((frame.components,))
            pattern = _JPEG_END if whole else _NEXT_MARKER_IN_SCAN
    refuse("unreadable", f"expected at most {_MAX_PARTS:,} parts in a JPEG")


def _jpeg_body(data: bytes, place: int) -> bytes:
    length = int.from_bytes(data[place : place + 2], "big")
    if place + max(length, 2) > len(data):
        refuse("truncated", "expected the end of a JPEG, got the end of the file")
    if length < 2:
        refuse("unreadable", f"expected a JPEG segment of at least 2 bytes, got {length}")
    return data[place + 2 : place + length]


def _jpeg_frame(kind: int, body: bytes, max_pixels: int) -> _JpegFrame:
    if len(body) < 6:
        refuse("unreadable", f"expected a JPEG frame header of at least 6 bytes, got {len(body)}")
    depth, height, width, components = struct.unpack_from(">BHHB", body)
    _check_pixels(width, height, max_pixels)
    if kind not in (0xC0, 0xC1, 0xC2) or depth != 8 or components not in (1, 3, 4):
        got = f"type {kind - 0xC0} with {depth} bits and {components} components"
        refuse("unsupported-format", f"expected a baseline or progressive JPEG of 8 bits, got {got}")
    return _JpegFrame(width, height, components, kind == 0xC2)


def _webp(data: bytes, max_pixels: int) -> Container:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        refuse("truncated", f"expected {end - len(data):,} more bytes of WEBP, got the end of the file")
    parts: list[bytes] = []
    size: tuple[int, int] | None = None
    exif, pixels = b"", False
    place = 12
    for _ in range(_MAX_PARTS):
        if place + 8 > end:
            break
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + length]
        if place + 8 + length > end:
            refuse("truncated", f"expected {length:,} bytes of {kind!r} in a WEBP, got {len(body):,}")
        place += 8 + length + length % 2
        if kind in (b"VP8X", b"VP8 ", b"VP8L"):
            declared = _webp_size(kind, body)
            _check_pixels(*declared, max_pixels)
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
        elif kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):
            parts.append(kind + length.to_bytes(4, "little") + body + b"\0" * (length % 2))
    else:
        refuse("unreadable", f"expected at most {_MAX_PARTS:,} parts in a WEBP")
    if size is None or not pixels:
        refuse("unreadable", "expected pixels in a WEBP, got none")
    joined = b"WEBP" + b"".join(parts)
    riff = b"RIFF" + len(joined).to_bytes(4, "little") + joined
    return Container("webp", size[0], size[1], exif_orientation(exif), riff)


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    refuse("unreadable", f"expected a WEBP frame header, got {kind!r} of {len(body):,} bytes")
