"""Fingerprints of whole pictures: everything by which a file is found again, from one read and one decode."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from licet.errors import PictureError
from licet.fingerprints.containers import refuse
from licet.fingerprints.decode import DEFAULT_LIMITS, Picture, PictureLimits, decode
from licet.fingerprints.exact import pixels_digest
from licet.fingerprints.formats import PICTURE_SUFFIXES
from licet.fingerprints.iscc import of_picture
from licet.fingerprints.pdq import pdq_with_orientations

__all__ = [
    "PICTURE_SUFFIXES",
    "Examined",
    "Fingerprint",
    "check_size",
    "examine_bytes",
    "examine_file",
    "examine_picture",
    "fingerprint_bytes",
    "fingerprint_file",
    "read_picture",
]


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies one picture: digests in hex, PDQ as 64 hex digits with its quality 0–100, size upright.

    ``sha256`` covers the file, ``pixels`` its decoded pixels; ``iscc`` are the units of both, content and instance code
    with a space between (ISO 24138), where asked for. All but ``sha256`` are None for a file that was
    not decoded.
    """

    sha256: str
    pixels: str | None = None
    pdq: str | None = None
    quality: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    iscc: str | None = None


class Examined(msgspec.Struct, frozen=True, eq=False):
    """A fingerprint and its 8 × 32 bytes of PDQ in all orientations, which a search asks for."""

    fingerprint: Fingerprint
    orientations: npt.NDArray[np.uint8]


def fingerprint_bytes(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Fingerprint:
    """Return the fingerprint of a picture file's bytes; raise :class:`PictureError` as :func:`decode` does.

    Within the byte limit the error carries ``details["sha256"]``: a file that cannot be decoded still matches
    exactly.
    """
    return examine_bytes(data, limits).fingerprint


def fingerprint_file(path: str | Path, limits: PictureLimits = DEFAULT_LIMITS) -> Fingerprint:
    """Return the fingerprint of the file at ``path``; errors as :func:`fingerprint_bytes`, with ``path``."""
    return examine_file(path, limits).fingerprint


def examine_bytes(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Examined:
    """Return fingerprint and orientations of a picture file's bytes; errors as :func:`fingerprint_bytes`."""
    return examine_picture(data, limits)[0]


def examine_picture(
    data: bytes,
    limits: PictureLimits = DEFAULT_LIMITS,
    allow: Callable[[int], None] = lambda _: None,
    *,
    iscc: bool = False,
) -> tuple[Examined, Picture]:
    """Return what :func:`examine_bytes` does and the pixels it was made from; ``allow`` as :func:`decode` has it.

    The ISCC is made where it is asked for: it costs about as much as everything else together.
    """
    check_size(data, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        picture = decode(data, limits, allow)
    except PictureError as error:
        error.details["sha256"] = sha256
        raise
    pdq, orientations = pdq_with_orientations(picture.rgb)
    fingerprint = Fingerprint(
        sha256=sha256,
        pixels=pixels_digest(picture.rgb),
        pdq=pdq.hex,
        quality=pdq.quality,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        iscc=of_picture(data, picture.rgb) if iscc else None,
    )
    return Examined(fingerprint, orientations), picture


def check_size(data: bytes, limits: PictureLimits) -> None:
    """Refuse bytes that are more than a picture may have."""
    if len(data) > limits.max_bytes:
        refuse("too-large", f"expected a file of at most {limits.max_bytes:,} bytes, got {len(data):,}")


def examine_file(path: str | Path, limits: PictureLimits = DEFAULT_LIMITS) -> Examined:
    """Return fingerprint and orientations of the file at ``path``; at most one byte over the limit is read."""
    try:
        return examine_bytes(read_picture(Path(path), limits), limits)
    except PictureError as error:
        error.details["path"] = str(path)
        raise


def read_picture(path: Path, limits: PictureLimits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of a file, at most one over the limit; raises ``PictureError`` for what is none."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            refuse("unreadable", "expected a file, got a folder or a device")
        if status.st_size > limits.max_bytes:
            refuse("too-large", f"expected a file of at most {limits.max_bytes:,} bytes, got {status.st_size:,}")
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        refuse("unreadable", f"expected a readable file, got: {reason.lower()}", error)
