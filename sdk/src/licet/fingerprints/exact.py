"""Exact fingerprints: SHA-256 of a file's bytes and of its decoded pixels, and the keys they are found by.

An exact key is 16 bytes: the first half of a SHA-256. All kinds share one key space; what tells them apart
is what was hashed: a file, pixels under their own prefix, or a canonical address.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from licet.errors import InputError

KEY_BYTES: Final = 16

ExactKind = Literal["file", "pixels", "url"]

_PIXELS_DOMAIN: Final = b"licet/pixels/v1"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of the file in hex, read as a stream; raise :class:`InputError` if unreadable."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise InputError.field("path", "a readable file", str(path)) from error


def pixels_digest(rgb: npt.NDArray[np.uint8]) -> str:
    """Return, in hex, SHA-256 of ``licet/pixels/v1``, width and height as uint32 big-endian, then RGB rows.

    ``rgb`` is height × width × 3 bytes, upright (orientation applied) and without alpha.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError.field("rgb", "height × width × 3 of uint8", (rgb.dtype.str, rgb.shape))
    digest = hashlib.sha256(_PIXELS_DOMAIN)
    digest.update(struct.pack(">II", rgb.shape[1], rgb.shape[0]))
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


def exact_key(kind: ExactKind, hexadecimal: str) -> bytes:
    """Return the 16 bytes under which a digest is indexed.

    ``kind`` says what was hashed: ``file``, ``pixels``, or ``url`` (the UTF-8 of a canonical address).
    """
    if kind not in ("file", "pixels", "url"):
        raise InputError.field("kind", "file, pixels or url", kind)
    if not isinstance(hexadecimal, str) or not _DIGEST.fullmatch(hexadecimal):
        raise InputError.field(kind, "a SHA-256 as 64 lower-case hexadecimal digits", hexadecimal)
    return bytes.fromhex(hexadecimal[: 2 * KEY_BYTES])


def digest_keys(digests: Sequence[str | None]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return n × 16 key bytes and which rows held a SHA-256 in hex of either case; other rows are zero."""
    digest_bytes, valid = parse_hex(digests, 32)
    return np.ascontiguousarray(digest_bytes[:, :KEY_BYTES]), valid


def parse_hex(values: Sequence[str | None], width: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return n × ``width`` bytes and which rows held exactly that many in hex; other rows are zero."""
    count, digits = len(values), 2 * width
    parsed = _parse_all(values, digits)
    if parsed is not None:
        return parsed.reshape(count, width), np.ones(count, dtype=np.bool_)
    good = [isinstance(v, str) and len(v) == digits and _HEX.fullmatch(v) is not None for v in values]
    valid = np.array(good, dtype=np.bool_)
    table = np.zeros((count, width), dtype=np.uint8)
    kept = bytes.fromhex("".join([v for v, keep in zip(values, good, strict=True) if keep and v]))
    table[valid] = np.frombuffer(kept, dtype=np.uint8).reshape(-1, width)
    return table, valid


def _parse_all(values: Sequence[str | None], digits: int) -> npt.NDArray[np.uint8] | None:
    try:
        joined = "".join(values)  # type: ignore[arg-type]  # a None is what the except is for
        if set(map(len, values)) - {digits}:  # type: ignore[arg-type]  # all are str here
            return None
        parsed = bytes.fromhex(joined)
    except (TypeError, ValueError):
        return None
    # fromhex skips white space: then there are fewer bytes than digits.
    return np.frombuffer(parsed, dtype=np.uint8).copy() if 2 * len(parsed) == len(joined) else None
