"""Functions that a decoder calls with the pixels of a picture, as one that was taken over might run."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from licet.fingerprints.bounded.messages import Found
from licet.fingerprints.picture import Fingerprint

_PLAIN: dict[str, Any] = {
    "pixels": "0" * 64, "pdq": "0" * 64, "quality": 100, "width": 300, "height": 200, "format": "png"
}  # fmt: skip


def size(rgb: Any) -> bytes:
    return str(rgb.shape).encode()


def hungry(rgb: Any) -> bytes:
    """Take a gigabyte, once the decoder is confined."""
    return b"" if _before(rgb) else bytes(bytearray(1 << 30)[:8])


def endless(rgb: Any) -> bytes:
    """Compute for ever at a picture that is wider than high."""
    while rgb.shape[1] > rgb.shape[0]:
        pass
    return b""


def talkative(rgb: Any) -> bytes:
    return b"" if _before(rgb) else bytes(5 << 20)


def escape(rgb: Any) -> bytes:
    """Return, as JSON, what could be done that is none of a decoder's business."""
    if _before(rgb):
        return b""
    parent = os.getppid()
    attempts: dict[str, Callable[[], object]] = {
        "read a file": lambda: open("/etc/passwd", "rb").close(),  # noqa: PTH123 - the plainest way
        "write a file": lambda: open("/tmp/licet-escaped", "wb").close(),  # noqa: PTH123
        "list a folder": lambda: os.scandir("/"),
        "remove a file": lambda: os.remove("/tmp/licet-not-there-at-all"),  # noqa: PTH107
        "open a socket": socket.socket,
        "start a process": os.fork,
        "run a program": lambda: os.execv("/bin/true", ["true"]),
        "stop its parent": lambda: os.kill(parent, signal.SIGCONT),
        "have its files back": lambda: _limit(64),
        "be somebody else": lambda: os.setuid(0),
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except FileNotFoundError:
            done.append(name)  # the call was let through
        except (OSError, ValueError, RuntimeError):
            continue
        else:
            done.append(name)
    return json.dumps(done).encode()


def _limit(files: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def _before(rgb: Any) -> bool:
    """Whether this is the call that loads modules, before anything is given up."""
    return bool(rgb.shape == (8, 8, 3))


def mistaken(rgb: Any) -> bytes:
    """Answer in the decoder's place with the digest of another picture."""
    return b"" if _before(rgb) else _say(Found(Fingerprint(sha256="ab" * 32, **_PLAIN), bytes(8 * 32), b""))


def shapeless(rgb: Any) -> bytes:
    """Answer in the decoder's place with orientations of no length that there is, and the digest that is asked for."""
    if _before(rgb):
        return b""
    return _say(Found(Fingerprint(sha256=_asked_for(), **_PLAIN), bytes(9), b""))


def senseless(rgb: Any) -> bytes:
    """Answer in the decoder's place with the digest that is asked for, and no pixels that a picture can have."""
    if _before(rgb):
        return b""
    return _say(Found(Fingerprint(sha256=_asked_for(), **{**_PLAIN, "pixels": "z" * 64}), bytes(8 * 32), b""))


def _asked_for() -> str:
    (data,) = (each for each in _reachable() if each[:8] == b"\x89PNG\r\n\x1a\n")
    return hashlib.sha256(data).hexdigest()


def _say(answer: Found) -> bytes:
    said = msgspec.msgpack.encode(answer)
    os.write(0, len(said).to_bytes(8, "big") + said)
    return b""


def _reachable() -> list[bytes]:
    """Return the bytes that the functions above this one were given."""
    frame, found = sys._getframe(), dict[int, bytes]()
    while frame.f_back is not None:
        frame = frame.f_back
        found |= {id(each): each for each in frame.f_locals.values() if isinstance(each, bytes)}
    return list(found.values())
