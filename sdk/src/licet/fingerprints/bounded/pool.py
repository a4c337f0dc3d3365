"""Confined processes: started when there is something for them, used again, ended and replaced where one ends badly.

Whichever thread brings something talks to the process itself and waits for it, so that threads are what makes several
work at a time. What a process has to say is never trusted to come.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec

import licet
from licet.fingerprints.bounded import messages

#: Whether this system can confine processes at all.
POSSIBLE: Final = os.name == "posix"
# The command, as `ps` shows it. Its own folders come first: what lies beside a user's script is no part of it.
_COMMAND: Final = """\
# licet: {what}
import sys
sys.path += [each for each in sys.argv[1:] if each not in sys.path]
from {module} import main
main()
"""
_KEPT: Final = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# One thread each, and freed memory kept for what comes next: asking the system for it again takes a tenth of the time.
_GIVEN: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_all: weakref.WeakSet[Pool[Any]] = weakref.WeakSet()
T = TypeVar("T")


P = TypeVar("P", bound="Process")


class Ended(Exception):
    """A process is no more. ``begun``: it had all that it was asked about; ``late``: its time was over; ``status``: its
    end; ``closed``: this side ended it."""

    def __init__(self, *, begun: bool, late: bool, status: int, closed: bool) -> None:
        super().__init__(status)
        self.begun, self.late, self.status, self.closed = begun, late, status, closed


class Process:
    """One confined process, which runs ``main`` of ``module``; ``what`` is what `ps` says it does.

    ``fit``: it may be asked again. Raises ``OSError`` where it cannot be started.
    """

    def __init__(self, module: str, what: str) -> None:
        ours, theirs = socket.socketpair()
        folders = [each for each in sys.path if each] + [str(Path(licet.__file__).parents[1])]
        command = _COMMAND.format(module=module, what=what)
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable or "python", "-I", *["-B"] * sys.dont_write_bytecode, "-c", command, *folders],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_GIVEN},
                    cwd="/",
                    # Ctrl-C is for this process, which knows what is to become of what was asked.
                    process_group=0,
                )
        except OSError:
            ours.close()
            raise
        self.pid = self._process.pid
        self._channel = ours
        self._closed = False
        self.fit = True

    @abstractmethod
    def prepare(self) -> None:
        """Return once it is ready; raises ``LicetError`` where it cannot be."""

    def converse(self, frames: Sequence[bytes], seconds: float, understood: Callable[[bytes], T]) -> T:
        """Return what is ``understood`` of its answer; raises `Ended`, after which this one is gone.

        ``understood`` raises ``ValueError`` or msgspec's errors for what is no answer.
        """
        begun = False
        self.fit = False  # until all that was asked is answered
        try:
            self.prepare()
            until = time.monotonic() + seconds
            for each in frames:
                messages.send(self._channel, each, until)
            begun = messages.receive(self._channel, 0, until) == b""
            answer = understood(messages.receive(self._channel, messages.LONGEST_ANSWER, until))
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:  # the last two: no answer of ours
            late = isinstance(error, TimeoutError)
            raise Ended(begun=begun, late=late, status=self.end(), closed=self._closed) from None
        self.fit = True
        return answer

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


class Pool(Generic[P]):
    """At most ``most`` processes.

    Threads may share this, and a process that was forked from this one starts its own.
    """

    def __init__(self, most: int) -> None:
        self._most = most if POSSIBLE else 0
        self._forget()
        _all.add(self)

    @abstractmethod
    def _new(self) -> P:
        """Return another process."""

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[P] = []
        self._alive: set[P] = set()
        self._starting = 0

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

    def close(self) -> None:
        """End all of them now, whatever they are doing; what comes next starts others."""
        with self._changed:
            idle, busy = self._idle, self._alive.difference(self._idle)
            self._idle, self._alive = [], set()
            self._changed.notify_all()
        for each in busy:
            each.stop()
        for each in idle:
            each.end()

    def _take(self) -> P:
        with self._changed:
            while not self._idle:
                if len(self._alive) + self._starting < self._most:
                    self._starting += 1
                    break
                self._changed.wait()
            else:
                return self._idle.pop()
        return self._started()

    def _started(self) -> P:
        process = None
        try:
            process = self._new()
        finally:
            with self._changed:
                self._starting -= 1
                if process is not None:
                    self._alive.add(process)
                self._changed.notify()
        return process

    def _give(self, process: P) -> None:
        """Take ``process`` back, or end it where it is not to be used again."""
        fit = process.fit
        if not fit:
            process.end()
        with self._changed:
            if process in self._alive:
                if fit:
                    self._idle.append(process)
                else:
                    self._alive.discard(process)
            self._changed.notify()


def close_all() -> None:
    """End every confined process of this one; what comes next starts others."""
    for each in list(_all):
        each.close()


def _forked() -> None:
    for each in list(_all):
        inherited = list(each._alive)
        each._forget()
        for process in inherited:
            process.drop()


if POSSIBLE:
    os.register_at_fork(after_in_child=_forked)
atexit.register(close_all)
