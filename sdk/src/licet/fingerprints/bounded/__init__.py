"""Anybody's pictures decoded in processes of their own, under limits of time and memory: what ends badly ends there.

The same results and errors as ``licet.fingerprints.picture``, and three refusals that only a process can make true:
``too-slow``, ``too-much-memory`` and ``crashed`` (docs/internals/sandbox). ``LICET_DECODERS`` says how many processes
there may be at a time (without it as many as processors); 0: decode in this process, without those limits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from licet.errors import InputError, PictureError
from licet.fingerprints.bounded.processes import POSSIBLE, Decoders, close_all
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits
from licet.fingerprints.picture import Examined, Fingerprint, read_picture

__all__ = [
    "POSSIBLE",
    "Decoders",
    "close_all",
    "decoders",
    "examine_bytes",
    "examine_file",
    "fingerprint_bytes",
    "wanted_processes",
]

_MOST: Final = 16
_shared: dict[tuple[PictureLimits, bool, str | None], Decoders] = {}


def examine_bytes(data: bytes, limits: PictureLimits = DEFAULT_LIMITS, *, iscc: bool = False) -> Examined:
    """Return what ``licet.fingerprints.picture.examine_bytes`` does, decoded under ``limits`` in another process."""
    return decoders(limits, iscc=iscc).examine(data).examined


def examine_file(path: str | Path, limits: PictureLimits = DEFAULT_LIMITS, *, iscc: bool = False) -> Examined:
    """Return fingerprint and orientations of the file at ``path``, which is read here and decoded elsewhere."""
    try:
        return examine_bytes(read_picture(Path(path), limits), limits, iscc=iscc)
    except PictureError as error:
        error.details["path"] = str(path)
        raise


def fingerprint_bytes(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Fingerprint:
    """Return all that a work is registered with, its ISCC among it; errors as `examine_bytes`."""
    return examine_bytes(data, limits, iscc=True).fingerprint


def decoders(limits: PictureLimits = DEFAULT_LIMITS, *, iscc: bool = False, beside: str | None = None) -> Decoders:
    """Return the processes that all of this one share for ``limits``; none is started before the first picture.

    ``beside`` names what they make of each picture beside, as `Decoders` says.
    """
    key = limits, iscc, beside
    return _shared.get(key) or _shared.setdefault(
        key, Decoders(limits, most=wanted_processes(), beside=beside, iscc=iscc)
    )


def wanted_processes() -> int:
    """Return how many confined processes of a kind there may be at a time, as ``LICET_DECODERS`` says."""
    said = os.environ.get("LICET_DECODERS", "").strip()
    if not said:
        return min(os.cpu_count() or 1, _MOST)
    if not (said.isascii() and said.isdigit() and int(said) <= 1024):
        raise InputError.field("LICET_DECODERS", "how many processes decode pictures, 0 to 1024", said)
    return int(said)
