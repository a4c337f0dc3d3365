"""A closed month, checked by whoever has a line in it: the close is signed and logged, the line is in its totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from licet.audit.layout import ClosedLine, ClosedNode, period_of
from licet.canonical import from_base64, to_base64
from licet.counted import many
from licet.errors import MalformedError, VerificationError
from licet.log import merkle
from licet.log.sums import SumLine, SumNode, verify_line
from licet.statements.kinds import PeriodClose
from licet.statements.periods import Place, Side, batch_leaf, check_totals, root_of
from licet.statements.statement_file import StatementFileLike, VerifiedStatement, verify_statement_file
from licet.statements.trust import Trust
from licet.wire.periods import BatchProof, LineProof, PeriodLines

KIND: Final = "period-close"


class PlacedLine(msgspec.Struct, frozen=True):
    """Where the line of an account is in a tree of ``lines`` lines: ``place`` counts from 0."""

    side: Side
    currency: str
    place: int
    lines: int


class ClosedMonth(msgspec.Struct, frozen=True):
    """A close whose proofs hold, and lines that it counts."""

    close: PeriodClose
    logged: VerifiedStatement
    lines: list[SumLine]
    checks: list[str]


def verify_close(file: StatementFileLike, period: str, trust: Trust | None) -> VerifiedStatement:
    """Return the statement that closes ``period``, once the office's signature and its place in the log hold.

    Its totals balance, and the log took it after every entry that it says is the month's. Raises
    ``VerificationError`` for every lie and ``MalformedError`` for what does not parse.
    """
    verified = verify_statement_file(file, trust)
    close = verified.payload
    if not isinstance(close, PeriodClose):
        raise VerificationError(f"expected the statement that closes {period}, got one of kind {verified.kind}")
    if close.period != period:
        raise VerificationError(f"expected the statement that closes {period}, got that of {close.period}")
    if verified.logged_at < period_of(period).end or verified.log_index < close.log_end:
        raise VerificationError(
            f"{period}: expected it to be closed after its end and after its entries of the log, "
            f"got entry {verified.log_index} at {verified.logged_at}"
        )
    check_totals(close)
    return verified


def verify_own(found: PeriodLines, account: str, period: str, trust: Trust | None) -> ClosedMonth:
    """Return what ``found`` proves of ``account`` in ``period``; without ``trust``, that it is consistent in itself.

    Raises ``VerificationError`` for a line of somebody else, one that the totals do not count, or a close that lies.
    """
    logged = verify_close(found.close, period, trust)
    close: PeriodClose = logged.payload
    trees = {(tree.side, tree.currency): root_of(tree) for tree in close.trees}
    lines, seen = [], set()
    for each in found.lines:
        place: Place = each.side, each.line.currency
        if each.line.payee != account or place in seen or each.side == "registry":
            raise VerificationError(f"expected lines of {account}, each once, got one of {each.line.payee} ({place})")
        if place not in trees:
            raise VerificationError(f"{each.side} {each.line.currency}: expected a total in the close, got none")
        seen.add(place)
        verify_proof(each, trees[place])
        lines.append(each.line)
    counted = ", ".join(f"1 of {trees[each.side, each.line.currency].sums[0]}" for each in found.lines)
    checks = [
        *logged.checks,
        "in every currency licensees owe what all others are owed",
        f"each line is in its total: {counted}" if counted else "no line of this account; nothing to prove",
    ]
    if close.left_out is not UNSET and close.left_out:
        checks.append(f"{many(close.left_out, 'charge')} of agreements, anybody's, left to a later close")
    return ClosedMonth(close, logged, lines, checks)


def verify_proof(proof: LineProof, root: SumNode) -> None:
    """Return once the line of ``proof`` is counted in ``root``, the root of its tree; raises as `verify_line` does."""
    nodes = [SumNode(from_base64(node.hash, "proof.hash"), tuple(node.sums)) for node in proof.proof]
    verify_counted(proof.line, from_base64(proof.salt, "salt"), proof.place, nodes, root)


def verify_counted(line: SumLine, salt: bytes, place: int, nodes: Sequence[SumNode], root: SumNode) -> None:
    """Return once ``line`` is at ``place`` of the tree under ``root``; raises as `verify_line` does."""
    verify_line(line, salt, place, root.sums[0], nodes, root)


def among_all(side: Side, line: SumLine, salt: bytes) -> ClosedLine:
    """Return a line as a bundle of everything has it: in the order of its tree, which all lines prove."""
    return ClosedLine(side, line.payee, line.currency, [str(each) for each in line.sums], to_base64(salt))


def alone(proof: LineProof) -> ClosedLine:
    """Return a line as a bundle of one account's part has it: with what proves it where the others are not shown."""
    line = proof.line
    return ClosedLine(
        side=proof.side,
        payee=line.payee,
        currency=line.currency,
        columns=[str(each) for each in line.sums],
        salt=proof.salt,
        place=proof.place,
        proof=[ClosedNode(node.hash, [str(each) for each in node.sums]) for node in proof.proof],
    )


def verify_batch(proof: BatchProof, entry: bytes, close: PeriodClose) -> None:
    """Return once ``entry``, the log's entry of the caller's batch, is among the batches of ``close``.

    Raises ``VerificationError``.
    """
    if from_base64(proof.entry, "entry") != entry:
        raise VerificationError(f"{proof.batch}: expected the entry of its receipt, got another")
    if not close.log_first <= proof.log_index < close.log_end:
        raise VerificationError(f"{proof.batch}: expected an entry of {close.period}, got index {proof.log_index}")
    leaf = batch_leaf(proof.log_index, merkle.leaf_hash(entry))
    path: Sequence[bytes] = [from_base64(each, "path") for each in proof.path]
    try:
        root = bytes.fromhex(close.batches_root)
    except ValueError:
        raise MalformedError(f"batches_root: expected hex, got {close.batches_root!r:.80}") from None
    merkle.verify_inclusion(leaf, proof.place, close.batches, path, root)
