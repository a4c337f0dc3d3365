"""Every checkpoint that a home has seen, kept for ever: whoever shows somebody else another tree is found out by it.

One file, one line a checkpoint, only ever appended to; a line that a crash cut off is passed over, any other that is
not one is an error. What was seen is inside receipts, snapshots and licences too: `proofs_in` finds it there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from licet.audit.whole_log import Seen
from licet.errors import InputError, LicetError
from licet.log import checkpoint as checkpoints
from licet.log import policy
from licet.log import proof as proofs
from licet.private import make_private

_MAX_FILE: Final = 64 << 20


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: str


class SeenCheckpoints:
    """The file of one log at one home."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def read(self, log: policy.AnyLog) -> list[Seen]:
        """Return what was kept of the log of ``log``, each (size, root) once.

        Notes that no key of the log signed are passed over. Raises ``InputError`` for a file
        that is not one of ours.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from None
        *lines, _cut_off = data.split(b"\n")
        notes = []
        for number, line in enumerate(lines, 1):
            try:
                notes.append(msgspec.json.decode(line, type=_Line).note)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise InputError(
                    f"{self.path}, line {number}: expected a checkpoint that was seen, got {error}; without the file "
                    f"nothing is compared"
                ) from None
        return opened(notes, log)

    def add(self, notes: Iterable[str], log: policy.AnyLog) -> int:
        """Return how many of ``notes`` were new, once they are in the file."""
        known = {(each.checkpoint.size, each.checkpoint.root) for each in self.read(log)}
        fresh = [
            each
            for each in opened(notes, log)
            if each.note is not None and (each.checkpoint.size, each.checkpoint.root) not in known
        ]
        if fresh:
            make_private(self.path.parent)
            self._drop_cut_off()
            with self.path.open("ab") as file:
                file.write(b"".join(msgspec.json.encode(_Line(each.note or "")) + b"\n" for each in fresh))
                file.flush()
                os.fsync(file.fileno())
        return len(fresh)

    def _drop_cut_off(self) -> None:
        """Drop a last line that a crash cut off: what follows it must be a line of its own."""
        with contextlib.suppress(FileNotFoundError):
            data = self.path.read_bytes()
            if not data.endswith(b"\n"):
                os.truncate(self.path, data.rfind(b"\n") + 1)


def opened(notes: Iterable[str], log: policy.AnyLog) -> list[Seen]:
    """Return the checkpoints in ``notes`` that ``log`` signed, each (size, root) once."""
    found: dict[tuple[int, bytes], Seen] = {}
    for text in dict.fromkeys(notes):
        try:
            checkpoint = checkpoints.open(text, log)
        except LicetError:
            continue
        found.setdefault((checkpoint.size, checkpoint.root), Seen(checkpoint, text))
    return list(found.values())


def proofs_in(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the checkpoint of every tlog-proof in these JSON files, wherever it stands in them.

    What cannot be read or is no JSON holds none: other commands complain about it.
    """
    for path in paths:
        try:
            if path.stat().st_size > _MAX_FILE:
                continue
            value = msgspec.json.decode(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        for text in _texts(value):
            if text.startswith(proofs.HEADER):
                _, _, checkpoint = text.partition("\n\n")
                yield checkpoint


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
