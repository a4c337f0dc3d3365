"""Foreign bytes read by much code of others, native code among it, in processes of their own, under limits.

C2PA manifests and PDF files are read so. What ends badly ends there: a file on which a reader crashes, takes more
memory than files of its size take, or goes on for ever, could not be read, and what it may have said is for somebody to
look at. The processes are those of pictures otherwise (``docs/internals/sandbox.md``): nothing can be opened or
started.
"""

from __future__ import annotations

import signal
import time
from typing import Final

import msgspec

from licet.errors import LicetError, MalformedError
from licet.fingerprints.bounded import messages as frames
from licet.fingerprints.bounded import wanted_processes
from licet.fingerprints.bounded.messages import PATIENCE, Unfit
from licet.fingerprints.bounded.pool import Ended, Pool, Process
from licet.signals.confined.jobs import ANSWERS, JOBS, Answer, Job, Ready, Unread

SECONDS: Final = 20.0  # of processor time for one file
_STARTING: Final = 120.0
_SENDING: Final = 10.0  # seconds for a file to get there, on a machine that is very busy
_FILES: Final = 1000  # after so many a process is replaced
_TRIES: Final = 3
_ALL: Final = "all"
_shared: dict[str, Readers] = {}


def run(job: Job, data: bytes) -> Answer:
    """Return what ``job`` comes to on ``data``; raises ``MalformedError`` where the file could not be read.

    The error's ``why`` is the reason for a signal about it. With ``LICET_DECODERS=0``, and where processes cannot be
    confined, it is done in this process, without those limits.
    """
    pool = _pool()
    answer = pool.ask(job, data, SECONDS) if pool.possible else JOBS[type(job)](job, data)
    if isinstance(answer, Unread):
        raise MalformedError(answer.message, why=answer.why)
    return answer


class Readers(Pool["_Reader"]):
    """At most ``most`` processes that read files."""

    @property
    def possible(self) -> bool:
        """Whether there may be any."""
        return self._most > 0

    def ask(self, job: Job, data: bytes, seconds: float) -> Answer | Unread:
        """Return the answer, `Unread` also where a process did not live to see the end of it.

        Raises ``LicetError`` where none can be started, or `close` ended this one.
        """
        for _ in range(_TRIES):
            reader = self._take()
            try:
                return reader.ask(job, data, seconds)
            except Ended as end:
                if end.closed:
                    raise LicetError("reading was stopped") from None
                if end.begun:
                    return Unread(_told(end, seconds), "unreadable")
            finally:
                self._give(reader)
        raise LicetError("expected a process that reads files to go on, got several that ended before they began")

    def _new(self) -> _Reader:
        try:
            return _Reader()
        except OSError as error:
            raise _unstartable(str(error)) from error


class _Reader(Process):
    """One process."""

    def __init__(self) -> None:
        super().__init__("licet.signals.confined.worker", "reads what files say of themselves")
        self._ready = False
        self._asked = 0
        self.holds: list[str] = []

    def ask(self, job: Job, data: bytes, seconds: float) -> Answer | Unread:
        """Return the answer; raises ``Ended``, after which this one is gone."""

        def understood(said: bytes) -> Answer | Unread:
            answer: Answer | Unread = msgspec.msgpack.decode(said, type=ANSWERS)
            return answer

        asked = [msgspec.msgpack.encode(job), msgspec.msgpack.encode(seconds), data]
        # It ends itself, by timers that the system keeps; what is on its way to it has time beside.
        answer = self.converse(asked, seconds * PATIENCE + _SENDING, understood)
        self._asked += 1
        self.fit = self._asked < _FILES
        return answer

    def prepare(self) -> None:
        """Return once it is ready; raises ``LicetError`` where it cannot be."""
        if self._ready:
            return
        try:
            said = frames.receive(self._channel, 1 << 16, time.monotonic() + _STARTING)
            answer = msgspec.msgpack.decode(said, type=Ready | Unfit)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
            raise _unstartable(f"{error} (status {self.end()})") from error
        if isinstance(answer, Unfit):
            raise _unstartable(answer.message)
        self.holds = answer.holds
        self._ready = True


def _told(end: Ended, seconds: float) -> str:
    late = end.late or end.status in (-signal.SIGPROF, -signal.SIGALRM)
    how = f"no end within {seconds:g} s" if late else f"the end of its reader (status {end.status})"
    return f"expected what the file says of itself, got {how}"


def _unstartable(reason: str) -> LicetError:
    return LicetError(
        f"expected to start a process that reads files, got: {reason}; "
        f"LICET_DECODERS=0 reads in this process, without limits of time and memory"
    )


def _pool() -> Readers:
    return _shared.get(_ALL) or _shared.setdefault(_ALL, Readers(wanted_processes()))
