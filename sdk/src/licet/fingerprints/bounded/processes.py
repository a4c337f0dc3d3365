"""Processes that decode: started when there is a picture for them, used again, ended and replaced where one ends badly.

Whichever thread brings a picture talks to the process itself and waits for it, so that threads are what makes several
work at a time. What a decoder has to say is never trusted to come.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

import licet
from licet.errors import InputError, LicetError, PictureError
from licet.fingerprints.bounded import messages
from licet.fingerprints.bounded.messages import PATIENCE, Found, Ready, Refused, Setup, Unfit
from licet.fingerprints.containers.common import Ended
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits
from licet.fingerprints.picture import Examined, Fingerprint, check_size, examine_picture

#: Whether this system can confine processes at all.
POSSIBLE: Final = os.name == "posix"
_STARTING: Final = 120.0  # seconds until a decoder is ready, on a machine that is very busy
_PICTURES: Final = 1000  # after so many a decoder is replaced: what it lost of its memory, or hides there, goes with it
_TRIES: Final = 3
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FORMAT: Final = re.compile(r"[a-z0-9]{2,8}")
# The command, as `ps` shows it. Its own folders come first: what lies beside a user's script is no part of it.
_COMMAND: Final = """\
# licet: decodes pictures
import sys
sys.path += [each for each in sys.argv[1:] if each not in sys.path]
from licet.fingerprints.bounded.worker import main
main()
"""
_KEPT: Final = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# One thread each, and freed memory kept for the next picture: asking the system for it again takes a tenth of the time.
_GIVEN: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_all: weakref.WeakSet[Decoders] = weakref.WeakSet()


class Decoded(NamedTuple):
    """What is known of a picture, and what was made of its pixels beside."""

    examined: Examined
    beside: bytes


class Decoders:
    """At most ``most`` processes that decode under ``limits``; 0, and everything happens in this one.

    ``beside`` names a function (``module:function``) that is given the pixels there and returns bytes, which must be
    cheap to import. Threads may share this, and a process that was forked from this one starts its own.
    """

    def __init__(
        self, limits: PictureLimits = DEFAULT_LIMITS, *, most: int = 1, beside: str | None = None, iscc: bool = False
    ) -> None:
        self._limits = limits
        self._setup = msgspec.msgpack.encode(Setup(limits, beside, iscc))
        self._beside = beside
        self._iscc = iscc
        self._most = most if POSSIBLE else 0
        self._forget()
        _all.add(self)

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[_Decoder] = []
        self._alive: set[_Decoder] = set()
        self._starting = 0

    def examine(self, data: bytes) -> Decoded:
        """Return what is found of a picture file's bytes; raises ``PictureError`` as ``examine_bytes`` does.

        And with ``too-slow``, ``too-much-memory`` or ``crashed`` where the decoder did not live to see the end of it.
        Raises ``LicetError`` where none can be started, or `close` ended this one.
        """
        check_size(data, self._limits)
        if not self._most:
            return self._here(data)
        killed = False
        for _ in range(_TRIES):
            decoder = self._take()
            try:
                answer = decoder.ask(data, self._limits.max_seconds * PATIENCE)
            except _Ended as end:
                if end.closed:
                    raise LicetError("decoding was stopped") from None
                # Ended before it had the picture, or by somebody's hand: once that may be anything.
                if not end.begun or (end.status == -signal.SIGKILL and not end.late and not killed):
                    killed = killed or end.begun
                    continue
                raise _blamed(end, data, self._limits) from None
            finally:
                self._give(decoder)
            return _understood(answer, data)
        raise LicetError("expected a process that decodes pictures to go on, got several that ended before they began")

    @property
    def pids(self) -> list[int]:
        """The processes that there are."""
        with self._changed:
            return [each.pid for each in self._alive]

    def begin(self) -> None:
        """Start one, if there is none, without waiting until it is ready."""
        with self._changed:
            if self._alive or self._starting or not self._most:
                return
            self._starting += 1
        self._give(self._started())

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all of them now, whatever they are doing; the next picture starts others."""
        with self._changed:
            idle, busy = self._idle, self._alive.difference(self._idle)
            self._idle, self._alive = [], set()
            self._changed.notify_all()
        for each in busy:
            each.stop()
        for each in idle:
            each.end()

    def _take(self) -> _Decoder:
        with self._changed:
            while not self._idle:
                if len(self._alive) + self._starting < self._most:
                    self._starting += 1
                    break
                self._changed.wait()
            else:
                return self._idle.pop()
        return self._started()

    def _started(self) -> _Decoder:
        decoder = None
        try:
            decoder = _Decoder(self._setup)
        finally:
            with self._changed:
                self._starting -= 1
                if decoder is not None:
                    self._alive.add(decoder)
                self._changed.notify()
        return decoder

    def _give(self, decoder: _Decoder) -> None:
        """Take ``decoder`` back, or end it where it is not to be used again."""
        fit = decoder.fit
        if not fit:
            decoder.end()
        with self._changed:
            if decoder in self._alive:
                if fit:
                    self._idle.append(decoder)
                else:
                    self._alive.discard(decoder)
            self._changed.notify()

    def _here(self, data: bytes) -> Decoded:
        examined, picture = examine_picture(data, self._limits, iscc=self._iscc)
        if self._beside is None:
            return Decoded(examined, b"")
        module, _, name = self._beside.partition(":")
        return Decoded(examined, getattr(import_module(module), name)(picture.rgb))


class _Ended(Exception):
    """A decoder is no more. ``begun``: it had the whole picture; ``late``: its time was over; ``status``: its end."""

    def __init__(self, *, begun: bool, late: bool, status: int, closed: bool) -> None:
        super().__init__(status)
        self.begun, self.late, self.status, self.closed = begun, late, status, closed


class _Decoder:
    """One process. ``fit``: it may be asked again."""

    def __init__(self, setup: bytes) -> None:
        ours, theirs = socket.socketpair()
        folders = [each for each in sys.path if each] + [str(Path(licet.__file__).parents[1])]
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable or "python", "-I", *["-B"] * sys.dont_write_bytecode, "-c", _COMMAND, *folders],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_GIVEN},
                    cwd="/",
                    # Ctrl-C is for this process, which knows what is to become of the picture.
                    process_group=0,
                )
        except OSError as error:
            ours.close()
            raise _unstartable(str(error)) from error
        self.pid = self._process.pid
        self._channel = ours
        self._setup: bytes | None = setup
        self.holds: list[str] = []
        self._asked = 0
        self._closed = False
        self.fit = True

    def ask(self, data: bytes, seconds: float) -> Found | Refused:
        """Return the answer; raises ``_Ended``, after which this one is gone."""
        begun, late = False, False
        self.fit = False  # until all that was asked is answered
        try:
            self._prepare()
            until = time.monotonic() + seconds
            messages.send(self._channel, data, until)
            begun = messages.receive(self._channel, 0, until) == b""
            said = messages.receive(self._channel, messages.LONGEST_ANSWER, until)
            answer: Found | Refused = msgspec.msgpack.decode(said, type=Found | Refused)
            _hold(answer, data)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:  # the last two: no answer of ours
            late = isinstance(error, TimeoutError)
            raise _Ended(begun=begun, late=late, status=self.end(), closed=self._closed) from None
        self._asked += 1
        self.fit = self._asked < _PICTURES and not (isinstance(answer, Refused) and answer.why == "too-much-memory")
        return answer

    def _prepare(self) -> None:
        """Return once it is ready; raises ``LicetError`` where it cannot be."""
        if self._setup is None:
            return
        until = time.monotonic() + _STARTING
        try:
            messages.send(self._channel, self._setup, until)
            said = messages.receive(self._channel, 1 << 16, until)
            answer = msgspec.msgpack.decode(said, type=Ready | Unfit)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
            raise _unstartable(f"{error} (status {self.end()})") from error
        if isinstance(answer, Unfit):
            raise InputError(answer.message, extra="images") if answer.extra else _unstartable(answer.message)
        self.holds = answer.holds
        self._setup = None

    def end(self) -> int:
        """Return its status once it has ended, by force if it has to be."""
        self.fit = False
        self._process.kill()
        status: int = self._process.wait()
        self._channel.close()
        return status

    def stop(self) -> None:
        """End it under the hands of another thread, which waits for an answer."""
        self._closed = True
        self._process.kill()

    def drop(self) -> None:
        """Let go of it in a process that was forked: it belongs to the other one."""
        with contextlib.suppress(OSError):
            self._channel.close()
        self._process.returncode = 0  # nothing to wait for


def close_all() -> None:
    """End every decoder of this process; the next picture starts others."""
    for each in list(_all):
        each.close()


def _hold(answer: Found | Refused, data: bytes) -> None:
    """Return only if this can be the answer for ``data``; raises ``ValueError``, which ends the decoder.

    A decoder that was taken over, or lost its place, must not give one picture the exact match of another.
    """
    if isinstance(answer, Found):
        if answer.fingerprint.sha256 != sha256(data).hexdigest():
            raise ValueError("expected the digest of the picture that was asked for, got another")
        if not _well_formed(answer.fingerprint):
            raise ValueError("expected the fingerprint of a picture, got what cannot be one")
        if len(answer.orientations) != 8 * 32:
            raise ValueError(f"expected 256 bytes of orientations, got {len(answer.orientations)}")


def _well_formed(found: Fingerprint) -> bool:
    return (
        all(_DIGEST.fullmatch(each or "") for each in (found.pixels, found.pdq))
        and found.quality in range(101)
        and all(each is not None and 0 < each < 1 << 31 for each in (found.width, found.height))
        and found.format is not None
        and _FORMAT.fullmatch(found.format) is not None
    )


def _understood(answer: Found | Refused, data: bytes) -> Decoded:
    if isinstance(answer, Refused):
        raise PictureError(answer.message, why=answer.why, sha256=sha256(data).hexdigest())
    orientations = np.frombuffer(answer.orientations, np.uint8)
    return Decoded(Examined(answer.fingerprint, orientations.reshape(8, 32)), answer.beside)


def _blamed(end: _Ended, data: bytes, limits: PictureLimits) -> PictureError:
    why: Ended = "crashed"
    if end.late or end.status in (-signal.SIGPROF, -signal.SIGALRM):
        why = "too-slow"
        message = (
            f"expected pixels within {limits.max_seconds:g} s of processor time "
            f"({limits.max_seconds * PATIENCE:g} s in all), got none"
        )
    else:
        how = f"signal {-end.status}" if end.status < 0 else f"status {end.status}"
        with contextlib.suppress(ValueError):
            how = signal.Signals(-end.status).name
        message = f"expected pixels, got the end of the decoder ({how})"
    return PictureError(message, why=why, sha256=sha256(data).hexdigest())


def _unstartable(reason: str) -> LicetError:
    return LicetError(
        f"expected to start a process that decodes pictures, got: {reason}; "
        f"LICET_DECODERS=0 decodes in this process, without limits of time and memory"
    )


def _forked() -> None:
    for each in list(_all):
        inherited = list(each._alive)
        each._forget()
        for decoder in inherited:
            decoder.drop()


if POSSIBLE:
    os.register_at_fork(after_in_child=_forked)
atexit.register(close_all)
