"""One process holds a data folder: a lock that the kernel drops when it dies, and a note about who it is."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

import msgspec

from licet import times
from registry.errors import DataFolderError, HeldError

NAME = "holder.json"
_LIMIT = 16_384


class Holder(msgspec.Struct, frozen=True):
    """Who holds a data folder, since when, and how to reach its database and service."""

    pid: int
    since: str
    url: str | None = None
    dsn: str | None = None
    run: str | None = None  # folder of the socket, outside the data folder where that is too deep or closed


class Hold:
    """The lock on one data folder, from ``take`` to ``release`` or the end of the process.

    ``flock`` belongs to the open file: children that are executed do not inherit it, and forked ones close it, so
    it never outlives the process that took it. The file itself stays: removing it would let two processes lock
    two files of the same name.
    """

    def __init__(self, data: Path) -> None:
        self.path = data / NAME
        self._file: int | None = None
        self._facts = Holder(pid=os.getpid(), since="")
        self.previous: Holder | None = None  # who held it before, when that one did not release it

    def take(self, url: str | None = None) -> None:
        """Hold the folder from here on. Raises ``HeldError``, which names the holder, if another process does."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DataFolderError(f"cannot write {self.path}: {error.strerror}") from error
        # A reader takes the lock for a moment, so one refusal proves nothing.
        for attempt in range(10):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 9:
                    holder = _parse(os.pread(file, _LIMIT, 0))
                    os.close(file)
                    raise HeldError(_held(self.path.parent, holder)) from None
                time.sleep(0.02)
        self._file = file
        _open.add(self)
        self.previous = _parse(os.pread(file, _LIMIT, 0))
        self._facts = Holder(pid=os.getpid(), since=times.to_text(times.now()), url=url)
        self._write()

    def announce(self, **facts: str | None) -> None:
        """Note ``url``, ``dsn`` or ``run`` for those who look the holder up."""
        self._facts = msgspec.structs.replace(self._facts, **facts)
        self._write()

    def release(self) -> None:
        """Let the folder go, and leave an empty note."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            self.forget()

    def forget(self) -> None:
        """Close the file without touching the note; in a forked child this leaves the parent's lock alone."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            _open.discard(self)

    def _write(self) -> None:
        assert self._file is not None
        text = msgspec.json.format(msgspec.json.encode(self._facts)) + b"\n"
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))


def holder_of(data: Path) -> Holder | None:
    """Return who holds ``data`` at this moment, None if nobody does."""
    try:
        file = os.open(data / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"cannot read {data / NAME}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        for _ in range(20):  # the note may be half written
            holder = _parse(os.pread(file, _LIMIT, 0))
            if holder is not None:
                return holder
            time.sleep(0.05)
        raise HeldError(_held(data, None)) from None
    else:
        return None
    finally:
        os.close(file)


def _parse(text: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(text, type=Holder)
    except (msgspec.DecodeError, RecursionError):
        return None


def _held(data: Path, holder: Holder | None) -> str:
    if holder is None:
        return f"{data} is held by another process"
    at = f", serving {holder.url}" if holder.url else ""
    who = f"process {holder.pid} since {holder.since}{at}"
    return f"{data} is held by {who}; stop it, or choose another folder with --data"


_open: weakref.WeakSet[Hold] = weakref.WeakSet()


def _forget_all() -> None:
    for hold in list(_open):
        hold.forget()


os.register_at_fork(after_in_child=_forget_all)
