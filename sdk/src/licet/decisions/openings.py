"""Inclusion paths of some leaves under a root over hashes that come in pieces, as `licet.decisions.roots` makes it.

Runs of 65,536 leaves that hold a wanted one are hashed with all of their nodes, the others to their roots alone; of the
levels above there are 32 bytes a run. So memory stays flat with the number of rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import Final, NamedTuple

from licet.decisions import roots
from licet.errors import InputError
from licet.log import merkle


class Place(NamedTuple):
    """A leaf hash and the hashes that prove it, leaf end first."""

    leaf: bytes
    path: list[bytes]


class PathBuilder:
    """The RFC 6962 root over leaf hashes, and the paths of those that are ``wanted``, by their number from 0 on."""

    def __init__(self, wanted: Collection[int]) -> None:
        self.size = 0
        self._wanted: Final = sorted(set(wanted))
        self._inner: Final[dict[int, Place]] = {}
        self._runs = bytearray()  # a root for each whole run
        self._rest = b""

    def add(self, hashes: bytes) -> None:
        """Append leaf hashes, end to end; raises ``InputError`` for a piece that is not whole hashes."""
        if len(hashes) % merkle.HASH_SIZE:
            raise InputError(f"expected whole hashes of {merkle.HASH_SIZE} bytes, got {len(hashes)} bytes")
        self.size += len(hashes) // merkle.HASH_SIZE
        self._rest += hashes
        step = roots.RUN * merkle.HASH_SIZE
        whole = len(self._rest) - len(self._rest) % step
        for at in range(0, whole, step):
            self._take(self._rest[at : at + step])
        self._rest = self._rest[whole:]

    def finish(self) -> tuple[str, dict[int, Place]]:
        """Return the hex root over everything that was added, and the wanted leaves; nothing can be added any more.

        Raises ``InputError`` for a wanted leaf that never came.
        """
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        above = merkle.Tree(bytes(self._runs))
        found = {}
        for index in self._wanted:
            if index not in self._inner:
                raise InputError(f"expected a leaf below the {self.size} that there are, got {index}")
            leaf, path = self._inner[index]
            found[index] = Place(leaf, [*path, *above.inclusion_proof(index // roots.RUN)])
        return above.root.hex(), found

    def _take(self, run: bytes) -> None:
        number = len(self._runs) // merkle.HASH_SIZE
        first, count = number * roots.RUN, len(run) // merkle.HASH_SIZE
        begin, end = bisect_left(self._wanted, first), bisect_left(self._wanted, first + count)
        if begin == end:
            self._runs += merkle.root(run)
            return
        tree = merkle.Tree(run)
        for index in self._wanted[begin:end]:
            at = index - first
            leaf = run[at * merkle.HASH_SIZE : (at + 1) * merkle.HASH_SIZE]
            self._inner[index] = Place(leaf, tree.inclusion_proof(at))
        self._runs += tree.root
