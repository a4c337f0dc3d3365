"""What is said between a process and its decoders: frames over a pair of sockets, each with its length before it.

::

    →  Setup                   once
    ←  Ready | Unfit           once
    →  a picture's bytes       then, for each picture
    ←  b""                     the whole of it is here: what happens from now on is this picture's doing
    ←  Found | Refused

What a decoder says is foreign, as a picture may have taken it over: it is read with limits and by type.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Final

import msgspec

from licet.fingerprints.containers import Why
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.picture import Fingerprint

#: How many seconds on the clock may pass for one of processor time: a busy machine is not the picture's fault.
PATIENCE: Final = 4
LONGEST_ANSWER: Final = 4 << 20  # bytes: a thumbnail and a few fingerprints
_LENGTH: Final = struct.Struct(">Q")


class Setup(msgspec.Struct, frozen=True, array_like=True):
    """The limits of every picture, the name of what is made of its pixels beside, ``module:function``, and whether its
    ISCC is wanted."""

    limits: PictureLimits
    beside: str | None
    iscc: bool


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The decoder waits for pictures; ``holds`` names what confines it."""

    holds: list[str]


class Unfit(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Why no decoder can run; ``extra`` where a part of licet is not installed."""

    message: str
    extra: bool


class Found(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A picture's fingerprint, its PDQ in eight orientations (256 bytes), and what was made of its pixels beside."""

    fingerprint: Fingerprint
    orientations: bytes
    beside: bytes


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Why a picture was not decoded."""

    message: str
    why: Why


def send(channel: socket.socket, data: bytes, until: float | None = None) -> None:
    """Return once ``data`` is on its way as one frame; raises ``OSError``, of that ``TimeoutError`` past ``until``."""
    _hurry(channel, until)
    channel.sendall(_LENGTH.pack(len(data)))
    if data:
        _hurry(channel, until)
        channel.sendall(data)


def receive(channel: socket.socket, most: int, until: float | None = None) -> bytes:
    """Return the next frame; raises ``EOFError`` at the end, ``OSError``, and ``ValueError`` over ``most`` bytes."""
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, until))
    if length > most:
        raise ValueError(f"expected at most {most} bytes, got {length}")
    return _exactly(channel, length, until)


def _exactly(channel: socket.socket, size: int, until: float | None) -> bytes:
    parts = []
    while size:
        _hurry(channel, until)
        part = channel.recv(size, 0 if until else socket.MSG_WAITALL)
        if not part:
            raise EOFError("expected the rest of a frame, got the end")
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _hurry(channel: socket.socket, until: float | None) -> None:
    """Let the next call on ``channel`` last until then at most, on the monotonic clock; for ever without."""
    if until is not None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("too late")
        channel.settimeout(left)
