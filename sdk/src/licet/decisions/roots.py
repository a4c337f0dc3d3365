"""RFC 6962 roots over leaf hashes that come in pieces: one after the other, or from many hands at once.

Whoever hashes a part of the rows knows how many rows there are before it, and so which subtrees of the whole tree lie
in its part: they are hashed where the rows are, and only their roots travel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from licet.errors import InputError
from licet.log import merkle

RUN: Final = 1 << 16
"""Leaves that a subtree has at most whose root is handed on."""


class RootPiece(NamedTuple):
    """What ``size`` leaves from ``first`` on come to in a root over more leaves, in some kilobytes.

    ``nodes`` are the roots of the largest full subtrees, of at most 65,536 leaves, that these leaves fall into, from
    left to right, end to end.
    """

    first: int
    size: int
    nodes: bytes


class PieceBuilder:
    """A `RootPiece` over leaf hashes that come in pieces, for those who are at work far from each other."""

    def __init__(self, first: int) -> None:
        """``first`` is how many leaves there are before these."""
        self._first = first
        self._done = first  # up to where there are nodes instead of leaves
        self._nodes, self._rest = bytearray(), b""

    def add(self, hashes: bytes) -> None:
        """Append leaf hashes, end to end; raises ``InputError`` for a piece that is not whole hashes."""
        _require_whole(hashes)
        self._rest += hashes
        end = self._done + len(self._rest) // merkle.HASH_SIZE
        whole = end - end % RUN - self._done
        if whole > 0:
            self._nodes += _roots(self._done, self._rest[: whole * merkle.HASH_SIZE])
            self._done += whole
            self._rest = self._rest[whole * merkle.HASH_SIZE :]

    @property
    def piece(self) -> RootPiece:
        """All that was added so far."""
        size = self._done - self._first + len(self._rest) // merkle.HASH_SIZE
        return RootPiece(self._first, size, bytes(self._nodes) + _roots(self._done, self._rest))


class RootBuilder:
    """The RFC 6962 root over leaf hashes that come in pieces, in 32 bytes of memory for every 65,536 of them."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []  # roots of full subtrees of falling size: of what was appended, and before it
        self._own = PieceBuilder(0)  # what was added since

    def add(self, hashes: bytes) -> None:
        """Append leaf hashes, end to end; raises ``InputError`` for a piece that is not whole hashes."""
        self._own.add(hashes)
        self.size += len(hashes) // merkle.HASH_SIZE

    def append(self, piece: RootPiece) -> None:
        """Append the leaves of ``piece``; raises ``InputError`` if they do not follow on those that are here, or if
        its nodes are not as many as its leaves come to."""
        if piece.first != self.size:
            raise InputError.field("first", f"leaves from {self.size} on", piece.first)
        self._full = _grown(_grown(self._full, self._own.piece), piece)
        self.size += piece.size
        self._own = PieceBuilder(self.size)

    @property
    def root(self) -> str:
        """The hex root over everything added so far."""
        return merkle.fold_right(_grown(self._full, self._own.piece)).hex()


def _grown(full: list[bytes], piece: RootPiece) -> list[bytes]:
    """Return the full subtrees of the leaves of ``full`` and of ``piece``: one for each set bit of their number."""
    sizes = list(_subtrees(piece.first, piece.size))
    if len(piece.nodes) != merkle.HASH_SIZE * len(sizes):
        raise InputError(f"nodes: expected {len(sizes)} hashes of 32 bytes, got {len(piece.nodes)} bytes")
    grown, before = list(full), piece.first
    for place, size in enumerate(sizes):
        node = piece.nodes[merkle.HASH_SIZE * place :][: merkle.HASH_SIZE]
        width = size
        while before & width:
            node = merkle.node_hash(grown.pop(), node)
            width <<= 1
        grown.append(node)
        before += size
    return grown


def _subtrees(first: int, count: int) -> Iterator[int]:
    """Yield how many leaves the full subtrees have that ``count`` leaves from ``first`` on fall into, from the left."""
    while count:
        fits = min(RUN, 1 << count.bit_length() - 1)
        size = min(fits, first & -first) if first else fits
        yield size
        first, count = first + size, count - size


def _roots(first: int, hashes: bytes) -> bytes:
    """Return the roots of the full subtrees that these leaves, from ``first`` on, fall into."""
    roots, at = bytearray(), 0
    for size in _subtrees(first, len(hashes) // merkle.HASH_SIZE):
        roots += merkle.root(hashes[at : at + size * merkle.HASH_SIZE])
        at += size * merkle.HASH_SIZE
    return bytes(roots)


def _require_whole(hashes: bytes) -> None:
    if len(hashes) % merkle.HASH_SIZE:
        raise InputError(f"expected whole hashes of {merkle.HASH_SIZE} bytes, got {len(hashes)} bytes")
