"""A process that decodes pictures for another one until that goes away: ``main`` is all that it does."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec
import numpy as np

from licet.errors import InputError, PictureError
from licet.fingerprints.bounded import confinement, messages
from licet.fingerprints.bounded.messages import PATIENCE, Found, Ready, Refused, Setup, Unfit
from licet.fingerprints.decode import warm_up
from licet.fingerprints.iscc import of_picture
from licet.fingerprints.picture import examine_picture


def main() -> None:
    """Return when nobody asks any more; standard input is the socket on which that happens."""
    with contextlib.suppress(OSError, EOFError), socket.socket(fileno=0) as channel:
        setup = msgspec.msgpack.decode(messages.receive(channel, 1 << 20), type=Setup)
        try:
            beside = _ready(setup)
            holds = confinement.confine(setup.limits)
        except InputError as error:
            _say(channel, Unfit(error.message, "extra" in error.details))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side has to hear of it
            _say(channel, Unfit(f"{type(error).__name__}: {error}", extra=False))
        else:
            _say(channel, Ready(holds))
            while True:
                _one(channel, setup, beside)


def _ready(setup: Setup) -> Callable[[Any], bytes]:
    """Return what is made beside; every module that a picture may need is loaded, as no file can be opened later."""
    warm_up()
    beside: Callable[[Any], bytes] = _nothing
    if setup.beside:
        module, _, name = setup.beside.partition(":")
        beside = getattr(import_module(module), name)
    blank = np.zeros((8, 8, 3), np.uint8)
    beside(blank)
    if setup.iscc:
        of_picture(b"", blank)
    return beside


def _nothing(_: object) -> bytes:
    return b""


def _one(channel: socket.socket, setup: Setup, beside: Callable[[Any], bytes]) -> None:
    data = messages.receive(channel, setup.limits.max_bytes)
    messages.send(channel, b"")
    # Both end the process, and the system sees to it, whatever a decoder is doing and whether anybody still waits.
    signal.setitimer(signal.ITIMER_PROF, setup.limits.max_seconds)
    signal.setitimer(signal.ITIMER_REAL, setup.limits.max_seconds * PATIENCE)
    answer = _answer(data, setup, beside)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    confinement.allow(0, 0)
    _say(channel, answer)


def _answer(data: bytes, setup: Setup, beside: Callable[[Any], bytes]) -> Found | Refused:
    try:
        examined, picture = examine_picture(
            data, setup.limits, lambda pixels: confinement.allow(pixels, len(data)), iscc=setup.iscc
        )
        return Found(examined.fingerprint, examined.orientations.tobytes(), beside(picture.rgb))
    except PictureError as error:
        return Refused(error.message, error.details["why"])
    except MemoryError:
        return Refused("expected pixels in the memory that pictures of its size take, got no end", "too-much-memory")


def _say(channel: socket.socket, answer: Ready | Unfit | Found | Refused) -> None:
    messages.send(channel, msgspec.msgpack.encode(answer))
