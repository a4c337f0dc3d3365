"""Segments on disk that are what their names say: each is read through once a process, and looked at from then on.

A segment is mapped into memory. Another file in its place leaves the mapped one as it is; bytes written into it would
change what is decided from. Both show in what the file system says of the file, which is asked before every answer and
costs a microsecond; only a file that looks changed is read through again. One that is cut short while it is being read
ends the process: no reader can survive that, and the next process finds it out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from licet.errors import VerificationError
from licet.index import Snapshot
from licet.statements import kinds
from licet.statements.kinds import SegmentRef

QUARANTINE: Final = ".spoilt-"  # before the digest, in the name of a file that is something else


class Stamp(NamedTuple):
    """What the file system says of a file: enough to see that it was written to, or is another."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """Return the stamp of the file at ``path``, None without one."""
        try:
            return cls.made(os.stat(path))  # noqa: PTH116  # before every answer: half the time of Path.stat
        except OSError:
            return None

    @classmethod
    def made(cls, found: os.stat_result) -> Stamp:
        """Return the stamp that ``found`` says."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


_lock: Final = threading.Lock()
_sound: Final[dict[Path, Stamp]] = {}  # files whose digest was computed by this process, and right


def sound(path: Path) -> bool:
    """Return whether the file at ``path`` has the digest that it is named by; read only if it may have changed."""
    stamp = Stamp.of(path)
    if stamp is None:
        return False
    if _sound.get(path) == stamp:
        return True
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    with _lock:
        if digest == path.name and Stamp.of(path) == stamp:
            _sound[path] = stamp
            return True
        _sound.pop(path, None)
    return False


def all_sound(folder: Path, refs: Iterable[SegmentRef]) -> bool:
    """Return whether every segment is in ``folder`` and what its name says; those that are not are put aside."""
    found = True
    for ref in refs:
        if not sound(folder / ref.digest):
            put_aside(folder / ref.digest)
            found = False
    return found


def put_aside(path: Path) -> None:
    """The file at ``path`` is no segment any longer, so that whoever publishes writes it anew; again has no effect."""
    with contextlib.suppress(OSError):  # a process that may only read leaves it, and refuses it all the same
        path.replace(path.with_name(QUARANTINE + path.name))


class Mapped:
    """An opened snapshot, and how its files looked when they were mapped.

    Each stays open as well, so that it is seen to change under whatever name it has by then, or none.
    """

    def __init__(self, snapshot: Snapshot, files: dict[Path, int], stamps: dict[Path, Stamp]) -> None:
        self.snapshot: Final = snapshot
        self._files: Final = files
        self._stamps: Final = stamps
        self._named: Final = dict(stamps)  # and those that have their names, which may be others by now
        weakref.finalize(self, _close, list(files.values()))

    @classmethod
    def open(cls, folder: Path, manifest: kinds.Snapshot) -> Mapped:
        """Map every tier of ``manifest``, after reading those files through that this process has not read yet.

        Raises ``VerificationError`` that names a file of another content, which is put aside, and what
        `Snapshot.open` raises.
        """
        files: dict[Path, int] = {}
        try:
            for ref in manifest.segments:
                path = folder / ref.digest
                with contextlib.suppress(OSError):  # one that cannot be opened is named by what opens them all, below
                    files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            stamps = {path: Stamp.made(os.fstat(file)) for path, file in files.items()}
            for path in files:
                if not sound(path):
                    put_aside(path)
                    raise VerificationError(f"segment {path.name}: the file has other content")
            snapshot = Snapshot.open(folder, manifest, tiers=("exact", "near"))
            for path, stamp in stamps.items():
                if Stamp.of(path) != stamp:
                    raise VerificationError(f"segment {path.name}: the file changed while it was opened")
        except BaseException:
            _close(files.values())
            raise
        return cls(snapshot, files, stamps)

    def changed(self) -> list[Path]:
        """Return the files that no longer look as they did when they were mapped, or have another one in their place.

        One that is gone from its folder stays mapped.
        """
        return [
            path
            for path, stamp in self._stamps.items()
            if Stamp.made(os.fstat(self._files[path])) != stamp or (Stamp.of(path) or stamp) != self._named[path]
        ]

    def spoilt(self, paths: Iterable[Path]) -> list[Path]:
        """Return those of ``paths`` whose bytes, mapped here, are no longer what they were; reads the files.

        What lies in the place of a mapped file is put aside if it is no segment of that name.
        """
        found = []
        for path in paths:
            mapped = Stamp.made(os.fstat(self._files[path]))
            if mapped != self._stamps[path]:
                if _digest(os.dup(self._files[path])) == path.name:
                    self._stamps[path] = mapped  # touched, and the same
                else:
                    found.append(path)
            named = Stamp.of(path) or mapped
            if not sound(path) if named != mapped else path in found:
                put_aside(path)
            self._named[path] = named
        return found


def _close(files: Iterable[int]) -> None:
    for file in files:
        os.close(file)


def _digest(file: int) -> str:
    with os.fdopen(file, "rb") as opened:
        opened.seek(0)
        return hashlib.file_digest(opened, "sha256").hexdigest()
