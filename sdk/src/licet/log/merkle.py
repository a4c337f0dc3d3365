"""Merkle trees of RFC 6962 (section 2.1, SHA-256), with their inclusion and consistency proofs.

A node has coordinates (level, index): it is the root over the leaves ``index·2^level`` up to
``(index+1)·2^level``, or up to the end of the tree where that comes first. With the ragged node at the
right edge counted in, the tree of ``size`` leaves has ``ceil(size / 2^level)`` nodes at each level, a lone
last node is handed up unhashed, and every proof is a list of coordinates: whoever can resolve them
(a `Tree` in memory, tiles on disk) can prove, and whoever knows them can verify.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any, Final

from licet.compiled import hashing_of, spread
from licet.errors import InputError, MalformedError, VerificationError

HASH_SIZE: Final = 32
MAX_SIZE: Final = 2**63 - 1
_NARROW: Final = 8  # pairs of nodes, for which no loop is worth a call
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def inclusion_path(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the coordinates of the nodes that prove leaf ``index`` in a tree of ``size``, leaf end first.

    A node with an odd index is hashed on the right, one with an even index on the left.
    Expects ``0 <= index < size``.
    """
    level, last = 0, size - 1
    while last:
        if index ^ 1 <= last:
            yield level, index ^ 1
        level, index, last = level + 1, index >> 1, last >> 1


def consistency_path(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Yield the coordinates of the nodes that prove that a tree of ``new`` leaves extends its first ``old``.

    The first is the largest full subtree that ends where the old tree ends; if its index is 0 it *is* the
    old tree, and proofs leave it out. Of the rest, nodes with an even index are hashed on the left of both
    roots, those with an odd index on the right of the new root alone. Expects ``0 < old < new``.
    """
    level, index, last = 0, old - 1, new - 1
    while index & 1:
        level, index, last = level + 1, index >> 1, last >> 1
    yield level, index
    while last:
        if index ^ 1 <= last:
            yield level, index ^ 1
        level, index, last = level + 1, index >> 1, last >> 1


class Tree:
    """All nodes of one tree in memory, 64 bytes a leaf: any number of proofs at the cost of look-ups."""

    __slots__ = ("_levels", "size")

    def __init__(self, leaf_hashes: bytes | Iterable[bytes]) -> None:
        """Hash the whole tree at once; ``leaf_hashes`` are 32 bytes each, or all of them end to end."""
        level = joined(leaf_hashes)
        self.size: Final = len(level) // HASH_SIZE
        self._levels: Final = [level]
        while len(level) > HASH_SIZE:
            level = _above(level)
            self._levels.append(level)

    @property
    def root(self) -> bytes:
        """The root; for the empty tree SHA-256 of nothing."""
        return self._levels[-1] or EMPTY_ROOT

    def node(self, level: int, index: int) -> bytes:
        """Return the node at these coordinates. Raises ``InputError`` outside the tree."""
        if 0 <= level < len(self._levels):
            found = self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE]
            if index >= 0 and found:
                return found
        raise InputError(f"expected a node of a tree of {self.size} leaves, got level {level}, index {index}")

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the proof that leaf ``index`` is in this tree. Raises ``InputError`` outside the tree."""
        check_leaf(index, self.size)
        return [self.node(level, at) for level, at in inclusion_path(index, self.size)]

    def consistency_proof(self, old: int) -> list[bytes]:
        """Return the proof that this tree extends its first ``old`` leaves (at least one)."""
        check_sizes(old, self.size)
        if old == self.size:
            return []
        (level, at), *path = consistency_path(old, self.size)
        return [self.node(*where) for where in ([(level, at), *path] if at else path)]


def _above(level: bytes) -> bytes:
    """Return the level above: each pair of neighbours hashed, a lone last node as it is."""
    paired = len(level) - len(level) % (2 * HASH_SIZE)
    loops = hashing_of(paired // (2 * HASH_SIZE))
    if loops is None:
        nodes = [sha256(b"\x01" + level[at : at + 2 * HASH_SIZE]).digest() for at in range(0, paired, 2 * HASH_SIZE)]
        return b"".join([*nodes, level[paired:]])
    import numpy as np

    out = np.empty((paired // (2 * HASH_SIZE), HASH_SIZE), np.uint8)
    below = np.frombuffer(level, np.uint8)
    spread(lambda first, last: loops.nodes(below, first, last, out), len(out))
    return out.tobytes() + level[paired:]


class Frontier:
    """The full subtrees at the right edge of a tree: enough to append to it and to know its root.

    Invariant: one hash per set bit of ``size``, the largest subtree first.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Start from the ``hashes`` of a tree of ``size`` leaves; ``MalformedError`` if they cannot be."""
        if not 0 <= size <= MAX_SIZE or len(hashes) != size.bit_count():
            raise MalformedError(f"expected one hash per set bit of the size {size}, got {len(hashes)}")
        _check_hashes(hashes)
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, the largest first."""
        return tuple(self._hashes)

    @property
    def root(self) -> bytes:
        """The root over everything appended so far."""
        return fold_right(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        _check_hashes((leaf,))
        size = self.size
        while size & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            size >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the end, in order; a whole level is hashed at a time."""
        nodes = list(leaves)
        _check_hashes(nodes)
        size, edge, grown = self.size, self._hashes, []
        self.size += len(nodes)
        while nodes or size:
            if size & 1:
                nodes.insert(0, edge.pop())
            if len(nodes) & 1:
                grown.append(nodes.pop())
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            size >>= 1
        self._hashes = grown[::-1]

    def copy(self) -> Frontier:
        """Return a frontier that can grow without touching this one."""
        return Frontier(self.size, self._hashes)

    def encode(self) -> bytes:
        """Return the size as uint64 big-endian and then the hashes."""
        return self.size.to_bytes(8, "big") + b"".join(self._hashes)

    @classmethod
    def parse(cls, data: bytes) -> Frontier:
        """Return what `encode` wrote. Raises ``MalformedError`` for any other bytes."""
        if len(data) < 8 or (len(data) - 8) % HASH_SIZE:
            raise MalformedError(f"expected 8 bytes and whole hashes, got {len(data)} bytes")
        hashes = [data[at : at + HASH_SIZE] for at in range(8, len(data), HASH_SIZE)]
        return cls(int.from_bytes(data[:8], "big"), hashes)


def root(leaf_hashes: bytes | Iterable[bytes]) -> bytes:
    """Return the root over ``leaf_hashes``, 32 bytes each, or all of them end to end."""
    level = joined(leaf_hashes)
    loops = hashing_of(len(level) // (2 * HASH_SIZE))
    return Tree(level if loops is None else _narrowed(loops, level)).root


def _narrowed(loops: ModuleType, level: bytes) -> bytes:
    """Return the first level above that is narrow, without keeping those between, nor making objects of them."""
    import numpy as np

    below = np.frombuffer(level, np.uint8)
    while (pairs := below.size // (2 * HASH_SIZE)) > _NARROW:
        out = np.empty((-(-below.size // (2 * HASH_SIZE)), HASH_SIZE), np.uint8)
        spread(partial(_pairs_hashed, loops, below, out), pairs)
        out[pairs:] = below[2 * HASH_SIZE * pairs :].reshape(-1, HASH_SIZE)
        below = out.reshape(-1)
    return below.tobytes()


def _pairs_hashed(loops: ModuleType, below: Any, out: Any, first: int, last: int) -> None:
    loops.nodes(below, first, last, out)


def inclusion_proof(leaf_hashes: bytes | Iterable[bytes], index: int) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree over ``leaf_hashes``; for many, keep a `Tree`."""
    return Tree(leaf_hashes).inclusion_proof(index)


def consistency_proof(leaf_hashes: bytes | Iterable[bytes], old: int, new: int) -> list[bytes]:
    """Return the proof that the first ``new`` leaves extend the first ``old``, ``0 < old <= new``."""
    level = joined(leaf_hashes)
    if not 0 < old <= new <= len(level) // HASH_SIZE:
        raise InputError(f"expected 0 < old <= new <= {len(level) // HASH_SIZE}, got old {old}, new {new}")
    return Tree(level[: new * HASH_SIZE]).consistency_proof(old)


def root_of(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that ``proof`` leads to from leaf ``index`` of ``size``; somebody must vouch for it.

    Raises as `verify_inclusion` does.
    """
    _check_numbers(index, size)
    _check_hashes((leaf_hash, *proof))
    if index >= size:
        raise VerificationError(f"expected an index below the tree size {size}, got {index}")
    path = list(inclusion_path(index, size))
    if len(proof) != len(path):
        raise VerificationError(f"expected an inclusion proof of {len(path)} hashes, got {len(proof)}")
    computed = leaf_hash
    for (_, at), sibling in zip(path, proof, strict=True):
        computed = node_hash(computed, sibling) if at & 1 else node_hash(sibling, computed)
    return computed


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return only if ``leaf_hash`` is leaf ``index`` of the tree of ``size`` leaves with this ``root``.

    Raises ``VerificationError`` where the proof does not hold, ``MalformedError`` for hashes that are not
    32 bytes and numbers outside 0 … 2^63−1. Source: RFC 9162, section 2.1.3.2.
    """
    _check_hashes((root,))
    if root_of(leaf_hash, index, size, proof) != root:
        raise VerificationError("the inclusion proof does not lead to the root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return only if the tree of ``new_size`` leaves begins with the whole tree of ``old_size``.

    An old size of 0 is refused: every tree extends the empty one, so such a proof says nothing. Raises
    ``VerificationError`` where the proof does not hold, ``MalformedError`` for hashes that are not 32 bytes
    and numbers outside 0 … 2^63−1. Source: RFC 9162, section 2.1.4.2.
    """
    _check_numbers(old_size, new_size)
    _check_hashes((old_root, new_root, *proof))
    if not 0 < old_size <= new_size:
        raise VerificationError(f"expected 0 < old size <= new size, got {old_size} and {new_size}")
    if old_size == new_size:
        if proof:
            raise VerificationError(f"expected an empty proof between equal sizes, got {len(proof)} hashes")
        if old_root != new_root:
            raise VerificationError("two different roots for one tree size: the log shows split views")
        return
    (_, start), *path = consistency_path(old_size, new_size)
    nodes = list(proof) if start else [old_root, *proof]
    if len(nodes) != len(path) + 1:
        expected = len(path) + 1 if start else len(path)
        raise VerificationError(f"expected a consistency proof of {expected} hashes, got {len(proof)}")
    computed_old = computed_new = nodes[0]
    for (_, at), sibling in zip(path, nodes[1:], strict=True):
        if at & 1:
            computed_new = node_hash(computed_new, sibling)
        else:
            computed_old = node_hash(sibling, computed_old)
            computed_new = node_hash(sibling, computed_new)
    if computed_old != old_root:
        raise VerificationError("the consistency proof does not lead to the old root")
    if computed_new != new_root:
        raise VerificationError("the consistency proof does not lead to the new root")


def fold_right(hashes: Sequence[bytes]) -> bytes:
    """Return the root over adjacent full subtrees of falling size, given by their roots."""
    if not hashes:
        return EMPTY_ROOT
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded)
    return folded


def joined(leaf_hashes: bytes | Iterable[bytes]) -> bytes:
    """Return the hashes end to end. Raises ``MalformedError`` for one that is not 32 bytes long."""
    if isinstance(leaf_hashes, (bytes, bytearray, memoryview)):
        level = bytes(leaf_hashes)
        if len(level) % HASH_SIZE:
            raise MalformedError(f"expected whole hashes of {HASH_SIZE} bytes, got {len(level)} bytes")
        return level
    hashes = list(leaf_hashes)
    _check_hashes(hashes)
    return b"".join(hashes)


def check_leaf(index: int, size: int) -> None:
    """Return only if a tree of ``size`` leaves has a leaf ``index``, else raise ``InputError``."""
    if not 0 <= index < size:
        raise InputError(f"expected a leaf index below {size}, got {index}")


def check_sizes(old: int, new: int) -> None:
    """Return only if a consistency proof from ``old`` to ``new`` exists, else raise ``InputError``."""
    if not 0 < old <= new:
        raise InputError(f"expected an old size between 1 and {new}, got {old}")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise MalformedError(f"expected a hash of {HASH_SIZE} bytes, got {len(value)}")


def _check_numbers(*numbers: int) -> None:
    for number in numbers:
        if not 0 <= number <= MAX_SIZE:
            raise MalformedError(f"expected a number between 0 and 2^63-1, got {number}")
