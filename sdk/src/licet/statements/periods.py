"""A month that is closed: what lines follow from the books, how they are salted, and what a close proves to whom.

Every account of the ledger is on one side. What artists are owed, payable or in escrow, is one line a payee and
currency; what an organisation owes is one line; all other accounts (fees, residues, money in the bank) are lines of the
registry. Transfers balance, so in each currency what licensees owe is what payees and the registry are owed.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Final, Literal, NamedTuple

from msgspec import UNSET

from licet.errors import VerificationError
from licet.log import merkle
from licet.log.sums import COLUMNS, LARGEST, SUMMED, SumLine, SumNode, SumTree, line_node
from licet.statements.kinds import PeriodClose, PeriodTree

Side = Literal["licensee", "payee", "registry"]
SIDES: Final[tuple[Side, ...]] = ("licensee", "payee", "registry")
ALLOCATION: Final = "allocation"  # what an agreement owes at the close of a month
LESS: Final = "less"
"""How the key of a charge ends that takes back in escrow exactly what another of the same close adds."""
ACCRUALS: Final = frozenset({"licence", "usage", ALLOCATION})
"""Kinds of transfers by which something comes to be owed; ``reversal`` negates one, all others move or settle it."""
REVERSAL: Final = "reversal"
_NAMED: Final[dict[str, tuple[Side, int]]] = {"payable": ("payee", -1), "escrow": ("payee", -1),
                                               "receivable": ("licensee", 1)}  # fmt: skip
_NODE: Final = Struct(f">{merkle.HASH_SIZE}s{len(SUMMED)}Q")
Place = tuple[Side, str]  # side, currency


class Moved(NamedTuple):
    """One account of the ledger through a month, as the ledger has it: debit positive, micro-units."""

    account: str
    currency: str
    opening: int
    accrued: int
    reversed: int
    settled: int


class Placed(NamedTuple):
    """A line where it lies in its tree."""

    line: SumLine
    node: SumNode


def side_of(account: str) -> tuple[Side, str, int]:
    """Return the side on which a ledger account is, whose line it belongs to, and the sign of what is owed there."""
    kind, _, owner = account.partition(":")
    if kind in _NAMED:
        side, sign = _NAMED[kind]
        return side, owner, sign
    return "registry", account, -1


def lines_of(accounts: Iterable[Moved]) -> dict[Place, list[SumLine]]:
    """Return the lines that follow from all accounts of a month, by side and currency; a line of zeros is left out."""
    sums: dict[Place, dict[str, list[int]]] = defaultdict(dict)
    for each in accounts:
        side, payee, sign = side_of(each.account)
        own = sums[side, each.currency].setdefault(payee, [0, 0, 0, 0])
        for place, amount in enumerate((each.opening, each.accrued, each.reversed, each.settled)):
            own[place] += sign * amount
    found = {
        place: [_line(payee, place[1], *own) for payee, own in sorted(payees.items()) if any(own)]
        for place, payees in sums.items()
    }
    return {place: found[place] for place in sorted(found) if found[place]}


def _line(payee: str, currency: str, before: int, accrued: int, taken: int, settled: int) -> SumLine:
    # Nothing may be negative in a sum tree: what goes the other way than its column says stands in the opposite one.
    reversed_, paid = -taken, -settled
    if accrued < 0:
        accrued, reversed_ = 0, reversed_ - accrued
    if reversed_ < 0:
        accrued, reversed_ = accrued - reversed_, 0
    if paid < 0:
        accrued, paid = accrued - paid, 0
    after = before + accrued - reversed_ - paid
    return SumLine(
        payee,
        currency,
        max(before, 0),
        max(-before, 0),
        accrued,
        reversed_,
        paid,
        max(after, 0),
        max(-after, 0),
    )


def salt_of(secret: bytes, side: Side, payee: str, currency: str) -> bytes:
    """Return the salt of a line: HMAC-SHA256 under the period's secret, which only the registry and auditors know."""
    return hmac.digest(secret, f"{side}\n{payee}\n{currency}".encode(), "sha256")


def placed(side: Side, lines: Iterable[SumLine], secret: bytes) -> list[Placed]:
    """Return ``lines`` in the order of their hashes, as they lie in the tree: whose neighbour is whose says nothing."""
    found = [Placed(line, line_node(line, salt_of(secret, side, line.payee, line.currency))) for line in lines]
    return sorted(found, key=lambda each: each.node.hash)


def stated(side: Side, currency: str, root: SumNode) -> PeriodTree:
    """Return how a close states the tree whose root is ``root``."""
    lines, *columns = root.sums
    figures = {name: str(value) for name, value in zip(COLUMNS, columns, strict=True)}
    return PeriodTree(side=side, currency=currency, lines=lines, root=root.hash.hex(), **figures)


def root_of(tree: PeriodTree) -> SumNode:
    """Return the root that a close states; raises ``VerificationError`` for figures that cannot be those of a root."""
    try:
        root = bytes.fromhex(tree.root)
        sums = tuple(int(getattr(tree, name)) for name in COLUMNS)
    except ValueError:
        raise VerificationError(f"{tree.side} {tree.currency}: expected a root with figures, got {tree}") from None
    written = tuple(getattr(tree, name) for name in COLUMNS)
    if len(root) != merkle.HASH_SIZE or root.hex() != tree.root or tuple(map(str, sums)) != written:
        raise VerificationError(f"{tree.side} {tree.currency}: expected a root with figures, got {tree}")
    if not all(0 <= each <= LARGEST for each in (tree.lines, *sums)):
        raise VerificationError(f"{tree.side} {tree.currency}: expected figures of 0 to {LARGEST}, got {sums}")
    return SumNode(root, (tree.lines, *sums))


def check_totals(close: PeriodClose) -> None:
    """Return once the sums of ``close`` balance: in each currency, licensees owe what all others are owed.

    Raises ``VerificationError``.
    """
    net: dict[tuple[str, str], int] = defaultdict(int)
    for tree in close.trees:
        _, before, over, accrued, reversed_, settled, owed, overpaid = root_of(tree).sums
        if before - over + accrued - reversed_ - settled != owed - overpaid:
            raise VerificationError(f"{tree.side} {tree.currency}: expected sums that add up, got others")
        sign = 1 if tree.side == "licensee" else -1
        net[tree.currency, "before"] += sign * (before - over)
        net[tree.currency, "after"] += sign * (owed - overpaid)
    for (currency, when), off in net.items():
        if off:
            raise VerificationError(
                f"{close.period}: expected licensees to owe in {currency} what all others are owed, {when} the month "
                f"it is off by {off} micro-units"
            )


def carried(close: PeriodClose, before: PeriodClose | None) -> None:
    """Return once ``close`` goes on where ``before``, the close that it names, ended; None: it is the first of all.

    Raises ``VerificationError`` for another month between, entries of the log or sums that are not carried on, and for
    one that no longer says how many charges it left out.
    """
    if before is not None and (month_after(before.period), before.log_end) != (close.period, close.log_first):
        raise VerificationError(
            f"{close.period}: expected it to go on from {before.period}, whose entries end at {before.log_end}, "
            f"got entries from {close.log_first}"
        )
    if before is not None and before.left_out is not UNSET and close.left_out is UNSET:
        raise VerificationError(
            f"{close.period}: left_out: expected a number, as that of {before.period} has, got none"
        )
    ended = {} if before is None else _sums(before, "owed", "overpaid")
    begun = _sums(close, "owed_before", "overpaid_before")
    for place in sorted(ended.keys() | begun.keys()):
        if ended.get(place, (0, 0)) != begun.get(place, (0, 0)):
            raise VerificationError(
                f"{close.period}: {place[0]} {place[1]}: expected to begin with {ended.get(place, (0, 0))}, owed and "
                f"overpaid, as the month before ended, got {begun.get(place, (0, 0))}"
            )


def month_after(period: str) -> str:
    """Return the month after ``period`` (``2026-11``)."""
    year, month = map(int, period.split("-"))
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def month_before(period: str) -> str:
    """Return the month before ``period`` (``2026-11``)."""
    year, month = map(int, period.split("-"))
    return f"{year - (month == 1):04d}-{(month - 2) % 12 + 1:02d}"


def ended_with(close: PeriodClose) -> dict[Place, tuple[int, int]]:
    """Return what is owed and overpaid at the end of a closed month, by side and currency, but zeros."""
    return {place: sums for place, sums in _sums(close, "owed", "overpaid").items() if any(sums)}


def _sums(close: PeriodClose, *names: str) -> dict[Place, tuple[int, int]]:
    found: dict[Place, tuple[int, int]] = {}
    for tree in close.trees:
        sums = dict(zip(COLUMNS, root_of(tree).sums[1:], strict=True))
        found[tree.side, tree.currency] = (sums[names[0]], sums[names[1]])
    return found


def check_lines(close: PeriodClose, lines: Iterable[tuple[Side, SumLine, bytes]]) -> dict[Place, int]:
    """Return how many lines each tree has, once ``lines`` with their salts are all of them, in the trees' order.

    Raises ``VerificationError`` that names the tree of which a line was left out, added, changed or moved.
    """
    nodes: dict[Place, list[SumNode]] = defaultdict(list)
    for side, line, salt in lines:
        nodes[side, line.currency].append(line_node(line, salt))
    trees = {(tree.side, tree.currency): tree for tree in close.trees}
    for side, currency in sorted(nodes.keys() | trees.keys()):
        tree, own = trees.get((side, currency)), nodes.get((side, currency), [])
        if tree is None or SumTree(own).root != root_of(tree):
            raise VerificationError(f"{side} {currency}: expected all lines of the tree that was closed, got others")
    return {place: len(own) for place, own in nodes.items()}


def batch_leaf(index: int, leaf: bytes) -> bytes:
    """Return the leaf of a usage batch: over its index as uint64, big-endian, and the leaf hash of its log entry."""
    return merkle.leaf_hash(index.to_bytes(8, "big") + leaf)


def batches_root(batches: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the RFC 6962 root over ``batches``, each by log index and leaf hash, in the order of the log."""
    return merkle.root([batch_leaf(index, leaf) for index, leaf in batches])


def chunked(nodes: Sequence[SumNode], size: int) -> Iterator[SumNode]:
    """Yield the node above each ``size`` nodes in a row, a power of two: a tree over these is the tree over all."""
    for at in range(0, len(nodes), size):
        yield SumTree(nodes[at : at + size]).root


def packed(nodes: Iterable[SumNode]) -> bytes:
    """Return ``nodes`` one after the other: each a hash and eight sums as uint64, big-endian."""
    return b"".join(_NODE.pack(node.hash, *node.sums) for node in nodes)


def unpacked(data: bytes) -> list[SumNode]:
    """Return what `packed` wrote."""
    return [SumNode(hashed, tuple(sums)) for hashed, *sums in _NODE.iter_unpack(data)]
