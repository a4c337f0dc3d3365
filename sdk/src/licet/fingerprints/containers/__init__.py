"""Picture containers: what a file says before a pixel is decoded, and only what decoding needs.

Reading a container checks its structure, its declared size and that it ends where it must, then rebuilds the
smallest file with the same pixels. So metadata can neither change the pixels nor reach a decoder, what follows
the picture is cut off (a file may be a picture and a ZIP at once), later frames and pages cost nothing, and a bomb is
known by its header. One module a format.
"""

from __future__ import annotations

import re
from typing import Final

from licet.fingerprints.containers import avif, bmp, gif, jpeg, png, tiff, webp
from licet.fingerprints.containers.common import MAX_PARTS, Container, Why, exif_orientation, refusal, refuse
from licet.fingerprints.formats import READ

__all__ = ["MAX_PARTS", "Container", "Why", "exif_orientation", "read_container", "refuse"]

# What we name when we refuse it; the words after the name say what to do.
_OTHERS: Final = (
    (re.compile(rb".{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "HEIF (HEIC): export it as JPEG or PNG"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), "JPEG XL"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"8BPS"), "PSD"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]"), "SVG"),
    (re.compile(rb"\x00\x00\x01\x00"), "ICO"),
    (re.compile(rb"P[1-6]\s"), "PNM"),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), "EPS"),
)


def read_container(data: bytes, max_pixels: int) -> Container:
    """Return the container that ``data`` begins with; raise :class:`PictureError` for anything else.

    ``max_pixels`` is compared with the header as soon as it is read.
    """
    if data.startswith(b"\xff\xd8\xff") or (data.startswith(b"\xff\xd8") and len(data) < 4):
        return jpeg.read(data, max_pixels)
    if data.startswith(png.SIGNATURE):
        return png.read(data, max_pixels)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp.read(data, max_pixels)
    if data[:6] in gif.SIGNATURES:
        return gif.read(data, max_pixels)
    if data[:4] in tiff.SIGNATURES:
        return tiff.read(data, max_pixels)
    if avif.is_avif(data):
        return avif.read(data, max_pixels)
    if bmp.is_bmp(data):
        return bmp.read(data, max_pixels)
    for pattern, name in _OTHERS:
        if pattern.match(data[:4096]):
            refuse("unsupported-format", f"expected {READ}, got {name}")
    if not data:
        refuse("not-a-picture", "expected a picture, got an empty file")
    if png.SIGNATURE.startswith(data) or b"RIFF".startswith(data) or b"GIF89a".startswith(data):
        refuse("truncated", f"expected a picture, got its first {len(data)} bytes")
    raise refusal("not-a-picture", f"expected a picture, got bytes that begin with {data[:8].hex(' ')}")
