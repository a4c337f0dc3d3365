"""What was fetched, kept in one file: so that nothing is asked twice within its time, and a stopped job goes on.

SQLite with a write-ahead log: several processes may share it, and what was written is there after a crash.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

from licet.errors import InputError
from licet.private import make_private
from licet.transport.strangers import Fetched

MAX_KEPT: Final = 16 << 20  # bytes of one answer; a larger one is fetched again
_MADE: Final = """
CREATE TABLE IF NOT EXISTS answers (
    url TEXT PRIMARY KEY,
    at REAL NOT NULL,      -- seconds since 1970 when it was fetched
    until REAL NOT NULL,   -- until when it may be relied on
    answer BLOB,           -- MessagePack; NULL where none came
    problem TEXT           -- why none came
) WITHOUT ROWID
"""


class Kept(NamedTuple):
    """An answer, or the ``problem`` that kept it away, and when that was."""

    answer: Fetched | None
    problem: str | None
    at: float


class Cache:
    """Answers by address. Without a file they are kept for as long as this lives."""

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._path = path
        with self._readable():
            if path is not None:
                make_private(path.parent)
            self._database = sqlite3.connect(path or ":memory:", timeout=30, isolation_level=None)
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = NORMAL")
                self._database.execute(_MADE)
            except sqlite3.Error:
                self._database.close()
                raise

    def get(self, url: str) -> Kept | None:
        """Return what came from ``url``, while it may be relied on; None otherwise."""
        with self._readable():
            found = self._database.execute(
                "SELECT at, answer, problem FROM answers WHERE url = ? AND until > ?", (url, self._clock())
            ).fetchone()
            if found is None:
                return None
            at, answer, problem = found
            return Kept(None if answer is None else msgspec.msgpack.decode(answer, type=Fetched), problem, at)

    def keep(self, url: str, answer: Fetched | None, problem: str | None, seconds: float) -> Kept:
        """Keep what came, or why nothing came, for ``seconds``."""
        now = self._clock()
        packed = None if answer is None else msgspec.msgpack.encode(answer)
        if packed is None or len(packed) <= MAX_KEPT:
            with self._readable():
                self._database.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (url, now, now + seconds, packed, problem)
                )
        return Kept(answer, problem, now)

    def lengthen(self, url: str, seconds: float) -> None:
        """Rely on what came from ``url`` for ``seconds`` from when it came, as it says itself."""
        with self._readable():
            self._database.execute("UPDATE answers SET until = at + ? WHERE url = ?", (seconds, url))

    def names(self) -> Iterator[str]:
        """Yield the names of all answers that may still be relied on."""
        with self._readable():
            for (name,) in self._database.execute("SELECT url FROM answers WHERE until > ?", (self._clock(),)):
                yield str(name)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
            raise InputError(
                f"{self._path}: expected a file of fetched answers that can be read and written, got {error}; it can "
                "be removed, then everything is fetched anew"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
