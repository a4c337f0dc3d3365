"""The body in which features of several pictures are asked about: of each, its length (uint32 little-endian), then it.

What is in it is foreign to the service, so it is taken apart within limits; nothing in it is trusted or executed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from licet.derivative.features import MAX_BYTES, Features, decode
from licet.errors import MalformedError

#: Pictures in one question.
MOST: Final = 64
_LENGTH: Final = struct.Struct("<I")
LARGEST: Final = MOST * (_LENGTH.size + MAX_BYTES)


def packed(pictures: Iterable[bytes]) -> bytes:
    """Return the body that asks about ``pictures``, the encoded features of each."""
    return b"".join(_LENGTH.pack(len(each)) + each for each in pictures)


def count(body: bytes) -> int:
    """Return how many pictures ``body`` asks about, 1 to `MOST`; raises ``MalformedError`` for anything else."""
    return len(_places(body))


def unpacked(body: bytes) -> list[Features]:
    """Return the features of each picture that ``body`` asks about; raises ``MalformedError`` naming the picture."""
    found = []
    for number, (start, end) in enumerate(_places(body)):
        try:
            found.append(decode(body[start:end]))
        except MalformedError as error:
            raise MalformedError(f"pictures[{number}]: {error.message}") from None
    return found


def _places(body: bytes) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    at = 0
    while at < len(body):
        if len(places) == MOST:
            raise MalformedError(f"body: expected features of 1 to {MOST} pictures, got more")
        if len(body) - at < _LENGTH.size:
            raise MalformedError(f"body: expected a length of 4 bytes, got {len(body) - at}")
        (length,) = _LENGTH.unpack_from(body, at)
        start = at + _LENGTH.size
        at = start + length
        if length > MAX_BYTES or at > len(body):
            got = f"{length} of {len(body) - start} that are left"
            raise MalformedError(f"pictures[{len(places)}]: expected at most {MAX_BYTES} bytes, got {got}")
        places.append((start, at))
    if not places:
        raise MalformedError(f"body: expected features of 1 to {MOST} pictures, got none")
    return places
