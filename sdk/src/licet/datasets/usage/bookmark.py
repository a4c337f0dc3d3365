"""How far a re-check has come, kept in the home until it is done, so that a stopped one goes on.

One folder for the decisions of each dataset, ``rechecks/<digest of their place>``::

    verified            the decisions that were found to be those of their manifest, as they lay there
    progress.json       what is asked of which decisions under which snapshot, and how many rows are done
    drop-<n>.parquet    what was found so far, a piece each time that this was kept; new-<n>.parquet likewise
    lock                held by the one process that works on it

What is kept counts for the very same question alone: other decisions, a newer snapshot, other licences, or an hour
later, and the rows are decided anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from licet import times
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.usage.findings import SCHEMA, Findings
from licet.home import write_private

#: Rows after which what was found is kept.
EVERY: Final = 1 << 20
_LASTS: Final = timedelta(hours=1)  # licences end, and windows open and close


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done: ``rows`` of all, of which so many were ``kept``; ``pieces`` of findings."""

    question: str
    now: str
    rows: int
    kept: int
    ended: dict[str, int]
    pieces: int
    drop: int
    new: int


class Bookmark:
    """The folder of one re-check, held by this process alone."""

    def __init__(self, folder: Path, file: DecisionsFile) -> None:
        self._folder = folder
        self._stamp = _digest([file.about.dataset, file.stamp(), file.manifest.digest if file.manifest else None])

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

    @property
    def verified(self) -> bool:
        """Whether the decisions, as they lie there, were verified before."""
        try:
            return (self._folder / "verified").read_text() == self._stamp
        except (OSError, ValueError):
            return False

    def keep_verified(self) -> None:
        """Keep that the decisions are those of their manifest."""
        with contextlib.suppress(OSError):
            write_private(self._folder / "verified", self._stamp.encode())

    def question(self, *asked: Any) -> str:
        """Return what stands for ``asked`` of these decisions."""
        return _digest([self._stamp, *asked])

    def progress(self, question: str) -> tuple[Progress, Findings, Findings] | None:
        """Return how far the same re-check came lately, and what it found."""
        try:
            done = msgspec.json.decode((self._folder / "progress.json").read_bytes(), type=Progress)
            age = times.now() - times.from_text(done.now, "now")
            if done.question != question or not timedelta(0) <= age < _LASTS:
                return None
            drop, new = (self._found(name, done.pieces) for name in ("drop", "new"))
        except (OSError, ValueError, msgspec.MsgspecError, pa.ArrowException):
            return None  # whatever it was, it is found out anew
        return (done, drop, new) if (len(drop), len(new)) == (done.drop, done.new) else None

    def keep(self, done: Progress, drop: Findings, new: Findings, before: Progress | None) -> None:
        """Keep how far it came; what was found since ``before`` is added. A full disk only loses the bookmark."""
        with contextlib.suppress(OSError):
            for name, found, first in (
                ("drop", drop, before.drop if before else 0),
                ("new", new, before.new if before else 0),
            ):
                with pq.ParquetWriter(self._piece(name, done.pieces - 1), SCHEMA) as writer:
                    for batch in found.batches(first):
                        writer.write_batch(batch)
            write_private(self._folder / "progress.json", msgspec.json.encode(done))

    def discard(self) -> None:
        """Forget it: the re-check is done."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # others may be there
            self._folder.parent.rmdir()

    def _found(self, name: str, pieces: int) -> Findings:
        found = Findings()
        for number in range(pieces):
            with pq.ParquetFile(self._piece(name, number)) as file:
                for batch in file.iter_batches():
                    found.add_batch(batch)
        return found

    def _piece(self, name: str, number: int) -> Path:
        return self._folder / f"{name}-{number:05d}.parquet"


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
