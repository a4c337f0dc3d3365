"""RFC 6962 roots over leaf hashes that come in pieces: one after the other, or from many hands at once.

Whoever hashes a part of the rows knows how many rows there are before it, so the runs of 65,536 leaves that the tree is
made of can be hashed where the rows are, and only their roots, with the leaves at both ends, travel.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from licet.errors import InputError
from licet.log import merkle

RUN: Final = 1 << 16
"""Leaves whose root is handed on instead of themselves."""


class RootPiece(NamedTuple):
    """What the leaves from ``first`` on come to in a root over more leaves, in some four megabytes at most.

    ``nodes`` are the roots of whole runs of 65,536 leaves that begin at a multiple of that many; ``head`` and ``tail``
    the leaf hashes before and after these.
    """

    first: int
    head: bytes
    nodes: bytes
    tail: bytes


class PieceBuilder:
    """A `RootPiece` over leaf hashes that come in pieces, for those who are at work far from each other."""

    def __init__(self, first: int) -> None:
        """``first`` is how many leaves there are before these."""
        self._first = first
        self._missing = -first % RUN * merkle.HASH_SIZE  # of the run that others begin
        self._head, self._nodes, self._rest = bytearray(), bytearray(), b""

    def add(self, hashes: bytes) -> None:
        """Append leaf hashes, end to end; raises ``InputError`` for a piece that is not whole hashes."""
        _require_whole(hashes)
        mine = hashes[self._missing - len(self._head) :] if len(self._head) < self._missing else hashes
        self._head += hashes[: len(hashes) - len(mine)]
        self._rest += mine
        step = RUN * merkle.HASH_SIZE
        whole = len(self._rest) - len(self._rest) % step
        for at in range(0, whole, step):
            self._nodes += merkle.root(self._rest[at : at + step])
        self._rest = self._rest[whole:]

    @property
    def piece(self) -> RootPiece:
        """All that was added so far."""
        return RootPiece(self._first, bytes(self._head), bytes(self._nodes), self._rest)


class RootBuilder:
    """The RFC 6962 root over leaf hashes that come in pieces, in 32 bytes of memory for every 65,536 of them."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []  # roots of full subtrees of falling size, one per set bit of size / 65,536
        self._rest = b""

    def add(self, hashes: bytes) -> None:
        """Append leaf hashes, end to end; raises ``InputError`` for a piece that is not whole hashes."""
        _require_whole(hashes)
        self.size += len(hashes) // merkle.HASH_SIZE
        self._rest += hashes
        step = RUN * merkle.HASH_SIZE
        whole = len(self._rest) - len(self._rest) % step
        chunks = (self.size * merkle.HASH_SIZE - len(self._rest)) // step
        for at in range(0, whole, step):
            self._take(merkle.root(self._rest[at : at + step]), chunks)
            chunks += 1
        self._rest = self._rest[whole:]

    def append(self, piece: RootPiece) -> None:
        """Append the leaves of ``piece``; raises ``InputError`` if they do not follow on those that are here."""
        if piece.first != self.size or len(piece.nodes) % merkle.HASH_SIZE:
            raise InputError.field("first", f"leaves from {self.size} on", piece.first)
        self.add(piece.head)
        if piece.nodes and self._rest:
            raise InputError.field("head", "the leaves up to the next run of whole ones", f"{len(piece.head)} bytes")
        for at in range(0, len(piece.nodes), merkle.HASH_SIZE):
            self._take(piece.nodes[at : at + merkle.HASH_SIZE], self.size // RUN)
            self.size += RUN
        self.add(piece.tail)

    def _take(self, node: bytes, chunks: int) -> None:
        """Take the root of one whole run, after ``chunks`` of them."""
        while chunks & 1:
            node = merkle.node_hash(self._full.pop(), node)
            chunks >>= 1
        self._full.append(node)

    @property
    def root(self) -> str:
        """The hex root over everything added so far."""
        rest = [merkle.root(self._rest)] if self._rest else []
        return merkle.fold_right([*self._full, *rest]).hex()


def _require_whole(hashes: bytes) -> None:
    if len(hashes) % merkle.HASH_SIZE:
        raise InputError(f"expected whole hashes of {merkle.HASH_SIZE} bytes, got {len(hashes)} bytes")
