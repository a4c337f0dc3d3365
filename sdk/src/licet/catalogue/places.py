"""Where on this machine a work was registered from, so that a picture that changed there is noticed.

A file in the profile, and nobody else's business: the registry never hears a path.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from licet.errors import InputError

_AT_ONCE: Final = 500


class Place(NamedTuple):
    """What was registered from a path: the digest of the file that it was, and the work."""

    path: str
    sha256: str
    work: str


class Places:
    """The places that one profile remembers."""

    def __init__(self, folder: Path) -> None:
        self._path: Final = folder / "places.sqlite"

    def of(self, paths: Iterable[str]) -> dict[str, Place]:
        """Return what was registered from those of ``paths`` that are known, by path as `placed` writes it."""
        wanted = sorted(set(paths))
        if not wanted or not self._path.exists():
            return {}
        found: dict[str, Place] = {}
        with self._open() as database:
            for at in range(0, len(wanted), _AT_ONCE):
                some = wanted[at : at + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = database.execute(f"select path, sha256, work from places where path in ({marks})", some)  # noqa: S608
                found |= {path: Place(path, sha256, work) for path, sha256, work in rows}
        return found

    def keep(self, places: Iterable[Place]) -> None:
        """Return once each path stands for what was registered from it last."""
        rows = list(places)
        if rows:
            with self._open() as database:
                database.executemany("insert or replace into places values (?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
                database.execute("create table if not exists places (path text primary key, sha256 text, work text)")
                yield database
        except sqlite3.Error as error:
            raise InputError(f"{self._path}: expected a file to keep places of pictures in, got {error}") from None


def placed(path: str) -> str:
    """Return ``path`` as it is remembered: absolute, in text whatever bytes it has."""
    return os.fsencode(Path(path).absolute()).decode("utf-8", "backslashreplace")
