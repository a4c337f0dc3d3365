"""What is made of a picture beside its fingerprints, in one pass: run where pictures are decoded, alone with pixels.

A thumbnail, and the features by which its parts are found, if they are: what fails the self-test (a line on white has
no corners) has none. Nothing else of the service is imported here.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative.covering import coverable
from licet.derivative.extracting import kept
from licet.derivative.features import KEPT_BYTES, decode, encode
from licet.errors import MalformedError
from registry.works.rendering import rendered

_LENGTH: Final = struct.Struct("<I")


class Beside(NamedTuple):
    """The bytes of a WEBP, and features as they are kept, None for a picture that cannot be found by its parts."""

    thumbnail: bytes
    features: bytes | None


def made(rgb: npt.NDArray[np.uint8]) -> bytes:
    """Return what `read` takes apart, of ``rgb`` (height × width × 3)."""
    features = kept(rgb)
    thumbnail = rendered(rgb)
    found = encode(features) if coverable(rgb, features) else b""
    return _LENGTH.pack(len(thumbnail)) + thumbnail + found


def read(said: bytes) -> Beside:
    """Return what a decoder made; raises ``MalformedError`` for anything else, as a picture may speak through it."""
    if len(said) < _LENGTH.size:
        raise MalformedError(f"beside: expected a length and a thumbnail, got {len(said)} bytes")
    (length,) = _LENGTH.unpack_from(said)
    thumbnail, features = said[_LENGTH.size : _LENGTH.size + length], said[_LENGTH.size + length :]
    if not length or len(thumbnail) != length:
        raise MalformedError(f"beside: expected a thumbnail of {length} bytes, got {len(thumbnail)}")
    if len(features) > KEPT_BYTES:
        raise MalformedError(f"beside: expected features of at most {KEPT_BYTES} bytes, got {len(features)}")
    if features:
        decode(features, kept=True)
    return Beside(thumbnail, features or None)
