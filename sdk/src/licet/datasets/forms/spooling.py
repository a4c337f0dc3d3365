"""Samples of an archive on their way to its copy, and the digest of all that was read of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from licet.datasets.forms.tar import BLOCK, RECORD, Archive, Member

_SPOOL_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 20


class Hashing:
    """A stream that is hashed as it is read, to its very end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def so_far(self) -> bytes:
        """Return the digest of everything that was read until now."""
        return self._hash.digest()

    def digest(self) -> str:
        """Return the digest of all of it, hex: what comes after the archive's end is read for that."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()

    def __enter__(self) -> Hashing:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class Spool:
    """Samples on their way to the copy: they wait, on disk if they are large, until it is said which are kept."""

    def __init__(self, stack: ExitStack, out: IO[bytes] | None, folder: Path | None) -> None:
        self._out = out
        # Beside the copy: where it has room, its samples have.
        beside = None if folder is None else str(folder)
        waiting = tempfile.SpooledTemporaryFile(_SPOOL_BYTES, dir=beside)  # noqa: SIM115 - the stack closes it
        self._waiting: IO[bytes] = stack.enter_context(waiting)
        self._starts: list[tuple[int, int | None]] = []  # where each piece begins, and of which sample it is, if any
        self._samples = 0
        self._written = 0

    def begin(self) -> None:
        """Begin the next sample."""
        self._starts.append((self._waiting.tell(), self._samples))
        self._samples += 1

    def always(self, member: Member, archive: Archive) -> None:
        """Take a member that is of no sample, and is kept whatever is said; the sample that was begun goes on."""
        self._starts.append((self._waiting.tell(), None))
        self.add(member.head)
        for piece in archive.body():
            self.add(piece)
        if self._samples:
            self._starts.append((self._waiting.tell(), self._samples - 1))

    def add(self, data: bytes) -> None:
        """Take bytes of the sample that was begun last."""
        if self._out is not None:
            self._waiting.write(data)

    def write(self, kept: Sequence[bool]) -> None:
        """Copy those of the samples that are kept; nothing waits any longer."""
        starts, self._starts, self._samples = self._starts, [], 0
        if not starts:
            return
        ends = [*(start for start, _ in starts[1:]), self._waiting.tell()]
        for (start, sample), end in zip(starts, ends, strict=True):
            if self._out is None or not (sample is None or kept[sample]):
                continue
            self._waiting.seek(start)
            for _ in range(start, end, _CHUNK):
                self._out.write(self._waiting.read(min(end - self._waiting.tell(), _CHUNK)))
            self._written += end - start
        self._waiting.seek(0)
        self._waiting.truncate()

    def end(self) -> None:
        """End the copy as an archive ends."""
        self.write(())
        if self._out is not None:
            end = 2 * BLOCK
            self._out.write(bytes(end + -(self._written + end) % RECORD))
