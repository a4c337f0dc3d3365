"""Merkle sum trees: a payee proves that her line is in a period's total, and shows nobody else's name for it.

The tree has the shape of RFC 6962. A node is a hash and the sums of what is below it; the hash of an inner node is over
both hashes and both sums, so a total that leaves a line out, or makes one smaller, cannot be proven to whoever owns the
line (Maxwell's tree of liabilities). That holds only where no sum is negative, else a made-up line could take back
another one: what may be owed either way has two columns. A line must add up by itself, and then so does every sum.

A proof shows the sums of the neighbours, of the nearest one those of a single payee; its name is under a salt, and
lines lie in the order of their hashes, so that nobody knows whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from operator import add, attrgetter
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from licet.errors import InputError, MalformedError, VerificationError
from licet.log.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE, check_leaf, inclusion_path

SALT_SIZE: Final = 32
LARGEST: Final = 2**63 - 1
"""Of any sum: more than a thousand lines of the largest amount that money can hold."""
COLUMNS: Final = ("owed_before", "overpaid_before", "accrued", "reversed", "settled", "owed", "overpaid")
SUMMED: Final = ("lines", *COLUMNS)
"""What a node sums: how many lines are below it, so that a proof cannot lie about their number, and the columns."""
Sums = tuple[int, ...]
_NODE: Final = Struct(f">{HASH_SIZE}s{len(SUMMED)}Q")
_COLUMNS: Final = attrgetter(*COLUMNS)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class SumLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a payee is owed in one currency through a period, in micro-units, none of them negative.

    owed_before − overpaid_before + accrued − reversed − settled = owed − overpaid, each pair with one 0 at least.
    """

    payee: str
    currency: str
    owed_before: int
    overpaid_before: int
    accrued: int
    reversed: int
    settled: int
    owed: int
    overpaid: int

    @property
    def sums(self) -> Sums:
        """The columns, in their order."""
        return _COLUMNS(self)


class SumNode(NamedTuple):
    """A node: the hash, and the sums of all lines below, as `SUMMED` names them."""

    hash: bytes
    sums: Sums


EMPTY: Final = SumNode(EMPTY_ROOT, (0,) * len(SUMMED))


def line_node(line: SumLine, salt: bytes) -> SumNode:
    """Return the leaf of ``line``: SHA-256(0x00 ‖ salt ‖ canonical JSON), one line and its columns.

    In the JSON every column is text: a balance may be beyond what its integers hold.
    Raises ``InputError`` for a salt that is not 32 bytes, ``VerificationError`` for a line that does not add up.
    """
    if len(salt) != SALT_SIZE:
        raise InputError.field("salt", f"{SALT_SIZE} bytes", f"{len(salt)} bytes")
    before, over, accrued, reversed_, settled, owed, overpaid = line.sums
    if not _bounded(line.sums):
        raise VerificationError(f"expected a line of 0 to {LARGEST} in each column, got {line.sums}")
    if before - over + accrued - reversed_ - settled != owed - overpaid or min(before, over) or min(owed, overpaid):
        raise VerificationError(f"expected a line that adds up, got {dict(zip(COLUMNS, line.sums, strict=True))}")
    return SumNode(sha256(b"\x00" + salt + _written(line)).digest(), (1, *line.sums))


def joined(left: SumNode, right: SumNode) -> SumNode:
    """Return the node above two: SHA-256(0x01 ‖ both, each as hash and sums of 8 bytes, big-endian), and all sums.

    Raises ``VerificationError`` for sums beyond 2^63.
    """
    sums = tuple(map(add, left.sums, right.sums))
    if not _bounded(sums):
        raise VerificationError(f"expected sums of at most {LARGEST}, got {sums}")
    return SumNode(sha256(b"\x01" + _bytes(left) + _bytes(right)).digest(), sums)


class SumTree:
    """All nodes of a sum tree in memory, over ``leaves`` as they come."""

    __slots__ = ("_levels", "size")

    def __init__(self, leaves: Sequence[SumNode]) -> None:
        """Join the whole tree at once; raises ``VerificationError`` for sums that are too large."""
        level = list(leaves)
        self.size: Final = len(level)
        self._levels: Final = [level]
        while len(level) > 1:
            paired = len(level) - len(level) % 2
            level = [*(joined(level[at], level[at + 1]) for at in range(0, paired, 2)), *level[paired:]]
            self._levels.append(level)

    @property
    def root(self) -> SumNode:
        """The root: of no lines, the hash of nothing, and zeros."""
        return self._levels[-1][0] if self.size else EMPTY

    def proof(self, index: int) -> list[SumNode]:
        """Return the nodes that prove leaf ``index``, leaf end first; raises ``InputError`` outside the tree."""
        check_leaf(index, self.size)
        return [self._levels[level][at] for level, at in inclusion_path(index, self.size)]


def verify_line(line: SumLine, salt: bytes, index: int, size: int, proof: Sequence[SumNode], root: SumNode) -> None:
    """Return once ``line`` is counted in ``root``, at ``index`` of ``size`` lines, with all of its columns.

    Raises ``MalformedError`` for a proof that cannot be one, ``VerificationError`` for one that does not hold.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise MalformedError(f"expected a place in a tree of {size} lines, got {index}")
    path = list(inclusion_path(index, size))
    if len(proof) != len(path):
        raise MalformedError(f"expected a proof of {len(path)} nodes, got {len(proof)}")
    found = line_node(line, salt)
    for (_, at), node in zip(path, proof, strict=True):
        if len(node.hash) != HASH_SIZE or len(node.sums) != len(SUMMED):
            raise MalformedError(f"expected nodes of {HASH_SIZE} bytes and {len(SUMMED)} sums, got {node}")
        if not _bounded(node.sums):
            raise VerificationError(f"expected sums of 0 to {LARGEST} beside the line, got {node.sums}")
        found = joined(found, node) if at & 1 else joined(node, found)
    if found != root or root.sums[0] != size:
        raise VerificationError("expected a proof that leads to the total of the period, got one to another total")


def _written(line: SumLine) -> bytes:
    columns = {name: str(value) for name, value in zip(COLUMNS, line.sums, strict=True)}
    try:  # texts alone: what the encoder writes is canonical, and 100,000 lines are written in a close
        return _ENCODER.encode({"currency": line.currency, "payee": line.payee, **columns})
    except UnicodeEncodeError:
        raise InputError.field("payee", "text that UTF-8 can write", line.payee) from None


def _bounded(sums: Sums) -> bool:
    return min(sums) >= 0 and max(sums) <= LARGEST


def _bytes(node: SumNode) -> bytes:
    return _NODE.pack(node.hash, *node.sums)
