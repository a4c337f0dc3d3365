"""A process that reads files for another one until that goes away: ``main`` is all that it does."""

from __future__ import annotations

import contextlib
import signal
import socket
from importlib import import_module
from typing import Any, Final

import msgspec

from licet.fingerprints.bounded import confinement, messages
from licet.fingerprints.bounded.messages import PATIENCE, Unfit
from licet.fingerprints.decode import PictureLimits
from licet.signals.confined.jobs import JOBS, Job, Ready, Unread

LONGEST: Final = 256 << 20  # bytes of a file
_LONGEST_JOB: Final = 64 << 20  # with a manifest in it
#: What may be needed later, when no file can be opened any more. What is not installed is said by who looks for it.
_LIBRARIES: Final = ("c2pa", "pypdf", "pypdf.filters", "logging", "zlib", "json", "lxml.etree")


def main() -> None:
    """Return when nobody asks any more; standard input is the socket on which that happens."""
    with contextlib.suppress(OSError, EOFError), socket.socket(fileno=0) as channel:
        try:
            for name in _LIBRARIES:
                with contextlib.suppress(ImportError):
                    import_module(name)
            holds = confinement.confine(PictureLimits(max_bytes=LONGEST, max_pixels=0))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side has to hear of it
            messages.send(channel, msgspec.msgpack.encode(Unfit(f"{type(error).__name__}: {error}", extra=False)))
            return
        messages.send(channel, msgspec.msgpack.encode(Ready(holds)))
        while True:
            _one(channel)


def _one(channel: socket.socket) -> None:
    job = msgspec.msgpack.decode(messages.receive(channel, _LONGEST_JOB), type=Job)
    seconds = msgspec.msgpack.decode(messages.receive(channel, 64), type=float)
    data = messages.receive(channel, LONGEST)
    messages.send(channel, b"")
    # Both end the process, and the system sees to it, whatever a reader is doing and whether anybody still waits.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
    confinement.allow(0, len(data))
    answer = _answer(job, data)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    del data
    confinement.allow(0, 0)
    messages.send(channel, msgspec.msgpack.encode(answer))


def _answer(job: Any, data: bytes) -> Any:
    try:
        return JOBS[type(job)](job, data)
    except MemoryError:
        return Unread("expected an end in the memory that files of its size take, got none", "unreadable")
    except Exception as error:  # noqa: BLE001 - what a damaged file makes of a parser is not one kind of error
        return Unread(f"{type(error).__name__}: {error}"[:500], "unreadable")
