"""What a re-check has done, kept in the home until all is, so that a stopped one goes on.

One folder for the decisions of each dataset, ``rechecks/<digest of their place>``::

    progress.json       what is asked of which decisions under which snapshot, and as of when
    <first>-<groups>    what the row groups of one piece came to, a file each
    lock                held by the one process that works on it

What is kept counts for the very same question alone: other decisions, a newer snapshot, other licences, or an hour
later, and the rows are decided anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from licet import times
from licet.datasets.results.decisions_file import DecisionsFile, Span
from licet.datasets.usage.rechecking import Done
from licet.home import write_private

_LASTS: Final = timedelta(hours=1)  # licences end, and windows open and close
_FORM: Final = 2  # of what is kept; another version keeps it otherwise


class _Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    question: str
    now: str


class Bookmark:
    """The folder of one re-check, held by this process alone."""

    def __init__(self, folder: Path, file: DecisionsFile) -> None:
        self._folder = folder
        manifest = None if file.manifest is None else file.manifest.digest
        self._asked = [_FORM, file.about.dataset, file.stamp(), manifest]

    @classmethod
    @contextlib.contextmanager
    def of(cls, home: Path, file: DecisionsFile) -> Iterator[Bookmark | None]:
        """Give the bookmark of ``file``; None where another process has it, or nothing can be written there."""
        folder = home / "rechecks" / _digest([str(file.path.absolute())])[:32]
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (folder / "lock").open("ab")
        except OSError:
            yield None
            return
        with lock:
            try:
                fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield None
                return
            yield cls(folder, file)

    def began(self, question: Sequence[Any], now: str) -> str:
        """Return when the re-check began that asks this and of which pieces are kept: lately, else ``now``."""
        asked = _digest([*self._asked, *question])
        try:
            before = msgspec.json.decode((self._folder / "progress.json").read_bytes(), type=_Progress)
            age = times.from_text(now, "now") - times.from_text(before.now, "now")
            if before.question == asked and timedelta(0) <= age < _LASTS:
                return before.now
        except (OSError, ValueError, msgspec.MsgspecError):
            pass  # whatever it was, it is found out anew
        with contextlib.suppress(OSError):
            for each in self._folder.iterdir():
                if each.name != "lock":
                    each.unlink()
            write_private(self._folder / "progress.json", msgspec.json.encode(_Progress(asked, now)))
        return now

    def piece(self, span: Span) -> Done | None:
        """Return what a piece came to, if that is kept."""
        try:
            done = msgspec.msgpack.decode(self._place(span).read_bytes(), type=Done)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        return done if done.span == span else None

    def keep(self, done: Done) -> None:
        """Keep what a piece came to. A full disk only loses the bookmark."""
        with contextlib.suppress(OSError):
            write_private(self._place(done.span), msgspec.msgpack.encode(done))

    def discard(self) -> None:
        """Forget it: the re-check is done."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # others may be there
            self._folder.parent.rmdir()

    def _place(self, span: Span) -> Path:
        return self._folder / f"{span.first:06d}-{span.groups:06d}"


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
