"""Functions that a decoder calls with the pixels of a picture, as one that was taken over might run."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any


def size(rgb: Any) -> bytes:
    return str(rgb.shape).encode()


def hungry(rgb: Any) -> bytes:
    """Take a gigabyte, once the decoder is confined."""
    return b"" if _before(rgb) else bytes(bytearray(1 << 30)[:8])


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
