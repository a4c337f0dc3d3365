"""A log's keys through time: one after the other, or side by side while its readers learn the next one.

A key counts for the trees that hold its introduction and do not hold its end. So what a retired key signed stands, and
a stolen one signs nothing larger than the tree in which it was revoked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from licet.errors import VerificationError
from licet.log import note


class Span(msgspec.Struct, frozen=True):
    """A key, and the sizes that it may sign: from ``since`` to ``until`` (None: without end), both included.

    ``beside``: its signature says more than that of another key (ML-DSA-44), and is never enough by itself.
    """

    key: note.NoteVerifier
    since: int
    until: int | None = None
    beside: bool = False

    def counts(self, size: int) -> bool:
        """Whether the key may sign a tree of ``size`` entries."""
        return self.since <= size and (self.until is None or size <= self.until)


class LogKeys:
    """Every key that one log ever had, in the order of their introduction; the newest is what it is shown by.

    ``unchecked`` are (name, key id) of keys that the log has and this machine's cryptography cannot check.
    """

    def __init__(self, name: str, spans: Sequence[Span], unchecked: Sequence[tuple[str, bytes]] = ()) -> None:
        """Raises ``VerificationError`` for keys that no signature line can tell apart, and for none that counts."""
        known: set[tuple[str, bytes]] = set(unchecked)
        for span in spans:
            if (span.key.name, span.key.key_id) in known:
                raise VerificationError(f"expected keys that differ in id, got {span.key.key_id.hex()} of {name} twice")
            known.add((span.key.name, span.key.key_id))
        if all(span.beside for span in spans):
            raise VerificationError("expected a registry key for log, got none")
        self.name: Final = name
        self.spans: Final = tuple(spans)
        self.unchecked: Final = frozenset(unchecked)

    @property
    def newest(self) -> note.NoteVerifier:
        """The key that was introduced last and has not ended, else the last of all; never one that signs beside."""
        lasting = [span.key for span in self.spans if not span.beside and span.until is None]
        return lasting[-1] if lasting else next(span.key for span in reversed(self.spans) if not span.beside)

    @property
    def vkey(self) -> str:
        """The newest key as C2SP writes it."""
        return self.newest.vkey

    @property
    def public_key(self) -> bytes:
        """The bytes of the newest key."""
        return self.newest.public_key

    def at(self, size: int) -> list[note.NoteVerifier]:
        """Return the keys whose signatures under a tree of ``size`` entries count, those beside them too."""
        return [span.key for span in self.spans if span.counts(size)]

    def sufficient(self, size: int) -> list[note.NoteVerifier]:
        """Return the keys of which one must have signed a tree of ``size`` entries."""
        return [span.key for span in self.spans if span.counts(size) and not span.beside]

    def stranger(self, line: note.Signature, size: int) -> str | None:
        """Return why ``line``, under a tree of ``size`` entries, is by no key that counts; None if it is by one."""
        if (line.name, line.key_id) in self.unchecked:
            return None
        for span in self.spans:
            if (line.name, line.key_id) == (span.key.name, span.key.key_id):
                return None if span.counts(size) else _outside(span, size)
        return f"a signature line by an unknown key: {line.name} {line.key_id.hex()}"


def _outside(span: Span, size: int) -> str:
    until = "on" if span.until is None else f"to {span.until}"
    return (
        f"expected a tree that key {span.key.key_id.hex()} of {span.key.name} counts for, from {span.since} entries "
        f"{until}, got one of {size}"
    )
