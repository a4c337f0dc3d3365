"""A log's tree computed anew from its entries, tile by tile: what published tiles and signed roots are held to.

Only the right edge is in memory, a tile a level, and it is all that is needed to go on another day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from licet.errors import MalformedError, VerificationError
from licet.log import entry as entries
from licet.log import merkle, tiles
from licet.log.entry import KeyEntry
from licet.log.merkle import HASH_SIZE
from licet.log.tiles import Tile
from licet.statements.trust import MAX_KEYS


class Edge(msgspec.Struct, frozen=True):
    """Where a rebuilt log ends: its size, the time of its last entry, the begun tile of each level (may be empty), and
    the entries about the registry's keys so far."""

    size: int
    time: str
    tiles: tuple[bytes, ...]
    keys: tuple[KeyEntry, ...] = ()


START: Final = Edge(0, "", ())


class Rebuilt:
    """The tree over all entries so far. Entries come a bundle at a time, as they are published."""

    __slots__ = ("_keys", "_levels", "_time", "size")

    def __init__(self, edge: Edge = START) -> None:
        """Go on from ``edge``; raises ``MalformedError`` for one that no log ends with."""
        self.size = edge.size
        self._time = edge.time
        self._keys: Final = list(edge.keys)
        self._levels: Final = list(edge.tiles)
        for level, content in enumerate(edge.tiles):
            if len(content) != (edge.size >> (tiles.HEIGHT * level)) % tiles.WIDTH * HASH_SIZE:
                raise MalformedError(f"expected the edge of a log of {edge.size} entries, got another")
        if edge.size >> (tiles.HEIGHT * len(edge.tiles)):
            raise MalformedError(f"expected the edge of a log of {edge.size} entries, got too few levels")

    @property
    def edge(self) -> Edge:
        """What another `Rebuilt` goes on from."""
        return Edge(self.size, self._time, tuple(self._levels), tuple(self._keys))

    @property
    def root(self) -> bytes:
        """The root over all entries so far."""
        return merkle.fold_right([node for content in reversed(self._levels) for node in _subtrees(content)])

    def add(self, bundle: Sequence[bytes]) -> list[tuple[Tile, bytes]]:
        """Take the next entries, none beyond the begun bundle, and return the tiles that are full now.

        Raises ``VerificationError`` with the index of the first entry that is none, or whose time is before that of
        the entry in front of it, and for more entries about the registry's keys than anybody reads.
        """
        self._time = entries.check_run(bundle, self._time, self.size)
        for place in entries.about_registry_keys(bundle):
            stated = entries.parse(bundle[place])
            self._keys.append(KeyEntry(self.size + place, stated.kind, stated.commitment))
        if len(self._keys) > MAX_KEYS:
            raise VerificationError(
                f"expected at most {MAX_KEYS} statements about the registry's keys, got {len(self._keys)}"
            )
        leaves = b"".join([sha256(b"\x00" + each).digest() for each in bundle])
        if not self._levels:
            self._levels.append(b"")
        self._levels[0] += leaves
        self.size += len(bundle)
        full: list[tuple[Tile, bytes]] = []
        level = 0
        while len(self._levels[level]) == tiles.WIDTH * HASH_SIZE:
            content, self._levels[level] = self._levels[level], b""
            full.append((Tile(level, (self.size >> (tiles.HEIGHT * (level + 1))) - 1), content))
            level += 1
            if level == len(self._levels):
                self._levels.append(b"")
            self._levels[level] += merkle.root(content)
        return full

    def begun(self) -> Iterator[tuple[Tile, bytes]]:
        """Yield the partial tiles at the right edge."""
        for level, content in enumerate(self._levels):
            if content:
                index = self.size >> (tiles.HEIGHT * (level + 1))
                yield Tile(level, index, len(content) // HASH_SIZE), content


def _subtrees(content: bytes) -> list[bytes]:
    """Return the roots of the full subtrees over these nodes, the largest first."""
    count, at, roots = len(content) // HASH_SIZE, 0, []
    for bit in range(tiles.HEIGHT, -1, -1):
        if count >> bit & 1:
            roots.append(merkle.root(content[at : at + (HASH_SIZE << bit)]))
            at += HASH_SIZE << bit
    return roots


def check_tile(path: str, published: bytes, rebuilt: bytes) -> None:
    """Return only if the tile published at ``path`` is the one that the entries give: ``VerificationError``."""
    if published == rebuilt:
        return
    if len(published) != len(rebuilt):
        raise VerificationError(f"{path}: expected {len(rebuilt)} bytes, got {len(published)}")
    same = next(
        at for at in range(0, len(rebuilt), HASH_SIZE) if published[at : at + HASH_SIZE] != rebuilt[at : at + HASH_SIZE]
    )
    raise VerificationError(f"{path}: hash {same // HASH_SIZE} is not the one that the entries give")
