"""Processes that decode pictures, as `licet.fingerprints.bounded.pool` keeps them."""

from __future__ import annotations

import contextlib
import re
import signal
import time
from hashlib import sha256
from importlib import import_module
from typing import Final, NamedTuple

import msgspec
import numpy as np

from licet.errors import InputError, LicetError, PictureError
from licet.fingerprints.bounded import messages
from licet.fingerprints.bounded.messages import PATIENCE, Found, Ready, Refused, Setup, Unfit
from licet.fingerprints.bounded.pool import POSSIBLE, Ended, Pool, Process, close_all
from licet.fingerprints.containers import common
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits
from licet.fingerprints.picture import Examined, Fingerprint, check_size, examine_picture

__all__ = ["POSSIBLE", "Decoded", "Decoders", "close_all"]

_STARTING: Final = 120.0  # seconds until a decoder is ready, on a machine that is very busy
_PICTURES: Final = 1000  # after so many a decoder is replaced: what it lost of its memory, or hides there, goes with it
_TRIES: Final = 3
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FORMAT: Final = re.compile(r"[a-z0-9]{2,8}")


class Decoded(NamedTuple):
    """What is known of a picture, and what was made of its pixels beside."""

    examined: Examined
    beside: bytes


class Decoders(Pool["_Decoder"]):
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
        super().__init__(most)

    def _new(self) -> _Decoder:
        return _Decoder(self._setup)

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
            except Ended as end:
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

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _here(self, data: bytes) -> Decoded:
        examined, picture = examine_picture(data, self._limits, iscc=self._iscc)
        if self._beside is None:
            return Decoded(examined, b"")
        module, _, name = self._beside.partition(":")
        return Decoded(examined, getattr(import_module(module), name)(picture.rgb))


class _Decoder(Process):
    """One process."""

    def __init__(self, setup: bytes) -> None:
        try:
            super().__init__("licet.fingerprints.bounded.worker", "decodes pictures")
        except OSError as error:
            raise _unstartable(str(error)) from error
        self._setup: bytes | None = setup
        self.holds: list[str] = []
        self._asked = 0

    def ask(self, data: bytes, seconds: float) -> Found | Refused:
        """Return the answer; raises ``Ended``, after which this one is gone."""

        def understood(said: bytes) -> Found | Refused:
            answer: Found | Refused = msgspec.msgpack.decode(said, type=Found | Refused)
            _hold(answer, data)
            return answer

        answer = self.converse([data], seconds, understood)
        self._asked += 1
        self.fit = self._asked < _PICTURES and not (isinstance(answer, Refused) and answer.why == "too-much-memory")
        return answer

    def prepare(self) -> None:
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


def _blamed(end: Ended, data: bytes, limits: PictureLimits) -> PictureError:
    why: common.Ended = "crashed"
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
