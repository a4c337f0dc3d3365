"""Segments as a process has them open: each read through once, mapped, and looked at before and after every answer.

As with snapshots (`registry.snapshots.files`): bytes written into a mapped file would change answers, and show in what
the file system says of it. A file that is not what its name says is put aside and refused by that name; whoever writes
segments finds it gone, and makes them anew.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from licet.derivative import segment as segments
from licet.derivative.segment import DerivativeSegment
from licet.errors import InputError, MalformedError
from registry.errors import Unavailable
from registry.snapshots.files import Stamp, put_aside, sound


class SegmentGone(Exception):
    """A segment is not there any more: another list of them is, or will be."""


class Held:
    """An opened segment, and how its file looked when it was mapped."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises ``SegmentGone`` without a file, ``Unavailable`` naming one that is something else."""
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SegmentGone(path.name) from error
        weakref.finalize(self, os.close, self._file)
        self._path = path
        self._stamp = Stamp.made(os.fstat(self._file))
        try:
            if not sound(path):
                raise MalformedError("the file has other content")
            self.segment: Final[DerivativeSegment] = segments.opened(path)
            self.segment.check()
        except (InputError, MalformedError) as error:
            if not path.exists():
                raise SegmentGone(path.name) from error
            put_aside(path)
            raise Unavailable(
                f"index of parts: segment {path.name} is not what its name says ({error.message}); it is made anew"
            ) from error

    @property
    def intact(self) -> bool:
        """Whether the mapped bytes are still what they were, and the name is not another file's."""
        return Stamp.made(os.fstat(self._file)) == self._stamp and (Stamp.of(self._path) or self._stamp) == self._stamp


class Shelf:
    """The segments that this process has open, by digest; those that nobody asks for any more are closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Path, Held] = {}

    def opened(self, folder: Path, digests: Sequence[str]) -> list[Held]:
        """Return the segments with these digests; raises what `Held` does."""
        with self._lock:
            found: dict[Path, Held] = {}
            for digest in digests:
                path = folder / digest
                held = self._held.get(path)
                found[path] = held if held is not None and held.intact else Held(path)
            for path in [each for each in self._held if each.parent == folder and each not in found]:
                with contextlib.suppress(KeyError):
                    del self._held[path]
            self._held |= found
            return list(found.values())


SHELF: Final = Shelf()
