"""A month that is closed: what its close says of log and ledger is what the bundle shows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from msgspec import UNSET

from licet.audit import layout, tables
from licet.audit.checks.opening import MAX_JSON, Audit
from licet.audit.checks.signed import Signed, Statements
from licet.audit.checks.the_log import LogFacts
from licet.audit.closed import PlacedLine, verify_close, verify_counted
from licet.audit.layout import CLOSE, BundleLeftOut, ClosedLine
from licet.audit.report import checking, refused
from licet.canonical import from_base64
from licet.counted import many
from licet.errors import MalformedError, VerificationError
from licet.log.sums import COLUMNS, SUMMED, SumLine, SumNode
from licet.statements.kinds import PeriodClose
from licet.statements.periods import (
    Moved,
    Place,
    Side,
    batches_root,
    carried,
    check_lines,
    ended_with,
    lines_of,
    month_after,
    month_before,
    root_of,
)
from licet.wire.common import StatementFile

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SIGNED: Final = "period-close"
_LOGGED: Final = "period-batches"
_SUMMED: Final = "period-sums"
_LISTED: Final = "period-lines"
_CHAINED: Final = "period-chain"
_LEFT_OUT: Final = "allocations"


class MonthClosed:
    """What closed the month of a bundle: the statement's place in the log, and where its lines lie in their trees."""

    def __init__(self, log_index: int, placed: list[PlacedLine]) -> None:
        self.log_index: Final = log_index
        self.placed: Final = placed


def check_close(audit: Audit, log: LogFacts, statements: Statements) -> MonthClosed | None:
    """Return what closed the month, once its close is signed, logged, and says what the bundle shows; None if open."""
    lines = layout.LINES in audit.container.members
    own = {name: each for name, each in statements.closes.items() if each.payload.period == audit.period.name}
    earliest = _earliest(audit)
    for each in statements.closes.values():
        if not earliest <= each.payload.period <= audit.period.name:
            raise refused(_SIGNED, layout.MANIFEST, f"expected no close of {each.payload.period}, got one")
    before = [each for each in statements.closes.values() if each.payload.period < audit.period.name]
    if audit.manifest.state == "open":
        if own or lines:
            raise refused(_SIGNED, layout.MANIFEST, "expected no close of a month that is open, got one")
        _in_a_row(before)
        with checking(_CHAINED, layout.BALANCES):
            for each in before:
                if month_after(each.payload.period) == audit.period.name:
                    _opens(audit, each.payload)
        _none_more(audit, statements)
        return None
    if len(own) != 1:
        raise refused(_SIGNED, layout.MANIFEST, f"expected one statement that closes it, got {len(own)}")
    if not lines:
        raise refused(_SUMMED, layout.LINES, "expected the lines of a closed month, got none")
    ((identifier, signed),) = own.items()
    close = _signed(audit, identifier, signed)
    with checking(_LOGGED, layout.ENTRIES):
        _logged(log, close)
    audit.passed(_LOGGED, f"{many(close.batches, 'usage batch', 'usage batches')} of the month under its root")
    with checking(_SUMMED, layout.LINES):
        shown, placed = _summed(audit, close)
    audit.passed(_SUMMED, _said(audit, close, placed))
    with checking(_LISTED, layout.LINES):
        _as_balances(audit, shown)
    audit.passed(_LISTED, f"{many(len(shown), 'line')}, as the balances have them")
    _in_a_row(before)
    with checking(_CHAINED, layout.statement_member(CLOSE, identifier)):
        _chained(
            close, [each for each in statements.closes.values() if month_after(each.payload.period) == close.period]
        )
    audit.passed(_CHAINED, f"{_begins(close)}")
    _none_more(audit, statements)
    return MonthClosed(signed.index, placed)


def _earliest(audit: Audit) -> str:
    """Return the first month whose close belongs here: the one before, or before the first that is charged late."""
    months = [audit.period.name]
    if layout.LEFT_OUT in audit.container.members:
        with checking("allocations", layout.LEFT_OUT):
            months += [each.period for each in audit.lines_as(BundleLeftOut, layout.LEFT_OUT)]
    return month_before(min(months))


def _in_a_row(before: list[Signed]) -> None:
    """The closes of months before this one follow each other, each naming the one before it."""
    ordered = sorted(before, key=lambda each: each.payload.period)
    for one, other in pairwise(ordered):
        with checking(_CHAINED, layout.MANIFEST):
            _chained(other.payload, [one])


def _signed(audit: Audit, identifier: str, signed: Signed) -> PeriodClose:
    member = layout.statement_member(CLOSE, identifier)
    with checking(_SIGNED, member):
        verified = verify_close(audit.read_as(StatementFile, member, MAX_JSON), audit.period.name, audit.trust)
    audit.passed(_SIGNED, f"signed by the registry's office, entry {signed.index} of the log at {signed.time}")
    close: PeriodClose = verified.payload
    return close


def _logged(log: LogFacts, close: PeriodClose) -> None:
    if (close.log_first, close.log_end) != (log.opening.size, log.end):
        raise VerificationError(
            f"expected the month's entries from {log.opening.size} up to {log.end}, "
            f"got {close.log_first} up to {close.log_end}"
        )
    found = len(log.batches), batches_root(log.batches).hex()
    if (close.batches, close.batches_root) != found:
        raise VerificationError(f"expected {found[0]} usage batches under {found[1]}, got {close.batches} under others")


def _summed(audit: Audit, close: PeriodClose) -> tuple[dict[Place, dict[str, SumLine]], list[PlacedLine]]:
    """Return the lines by place and payee, each in a tree of ``close``; and those that are proven alone."""
    shown: dict[Place, dict[str, SumLine]] = {}
    placed: list[PlacedLine] = []
    if audit.whole:
        check_lines(close, _every(audit, shown))
        return shown, placed
    trees = {(tree.side, tree.currency): root_of(tree) for tree in close.trees}
    for each in audit.lines_as(ClosedLine, layout.LINES):
        if each.place is None or each.proof is None:
            raise MalformedError(f"{each.payee}: expected a proof of each line, got none")
        line = _line(each)
        if (each.side, each.currency) not in trees:
            raise VerificationError(f"{each.side} {each.currency}: expected a total in the close, got none")
        root = trees[each.side, each.currency]
        nodes = [SumNode(from_base64(node.hash, "proof.hash"), _numbers(node.sums, SUMMED)) for node in each.proof]
        verify_counted(line, from_base64(each.salt, "salt"), each.place, nodes, root)
        _keep(shown, each.side, line)
        placed.append(PlacedLine(each.side, each.currency, each.place, root.sums[0]))
    return shown, placed


def _none_more(audit: Audit, statements: Statements) -> None:
    """No more charges are left out than the closes of the month and the one before say; all of them, where all is here.

    What was left out before may be charged by the month's own close.
    """
    listed = layout.LEFT_OUT in audit.container.members
    period = audit.period.name
    with checking(_LEFT_OUT, layout.LEFT_OUT):
        rows = list(audit.lines_as(BundleLeftOut, layout.LEFT_OUT)) if listed else []
        for close in (each.payload for each in statements.closes.values()):
            if close.left_out is UNSET:  # of a release before
                continue
            if close.period == period:
                found = sum(each.posted is None for each in rows)
            elif month_after(close.period) == period:
                found = sum(each.period <= close.period for each in rows)
            else:
                continue
            if found > close.left_out or (audit.whole and found < close.left_out):
                wanted = f"{'' if audit.whole else 'at most '}{close.left_out}"
                raise VerificationError(
                    f"expected {wanted} charges that the close of {close.period} left out, got {found}"
                )


def _every(audit: Audit, shown: dict[Place, dict[str, SumLine]]) -> Iterator[tuple[Side, SumLine, bytes]]:
    for each in audit.lines_as(ClosedLine, layout.LINES):
        if each.place is not None or each.proof is not None:
            raise MalformedError("expected no proofs where all lines are here, got some")
        line = _line(each)
        _keep(shown, each.side, line)
        yield each.side, line, from_base64(each.salt, "salt")


def _keep(shown: dict[Place, dict[str, SumLine]], side: Side, line: SumLine) -> None:
    if shown.setdefault((side, line.currency), {}).setdefault(line.payee, line) is not line:
        raise VerificationError(f"{side} {line.currency}: expected {line.payee} once, got it twice")


def _as_balances(audit: Audit, shown: dict[Place, dict[str, SumLine]]) -> None:
    """The lines are those that follow from the balances, all of them and no others."""
    rows = tables.BALANCES.from_csv(audit.container.chunks(layout.BALANCES))
    follow = lines_of(Moved(*(getattr(row, name) for name in Moved._fields)) for row in rows)
    expected = {place: {line.payee: line for line in lines} for place, lines in follow.items()}
    for place in sorted(expected.keys() | shown.keys()):
        ours, theirs = expected.get(place, {}), shown.get(place, {})
        for payee in sorted(ours.keys() | theirs.keys()):
            if ours.get(payee) != theirs.get(payee):
                side, currency = place
                raise VerificationError(
                    f"{side} {currency}: expected the line of {payee} that follows from the balances, "
                    f"{ours.get(payee)}, got {theirs.get(payee)}"
                )


def _chained(close: PeriodClose, others: list[Signed]) -> None:
    """The close names that of the month before, and begins where it ended: in the log, and with what was owed."""
    before = next(iter(others), None)
    if (before and before.document) != close.previous:
        raise VerificationError(
            f"expected the close that the one of {close.period} names before it, {close.previous}, "
            f"got {before and before.document}"
        )
    carried(close, None if before is None else before.payload)


def _opens(audit: Audit, before: PeriodClose) -> None:
    """What an open month began with is what the one before it ended with, as far as all of it is here."""
    if not audit.whole:
        return
    rows = tables.BALANCES.from_csv(audit.container.chunks(layout.BALANCES))
    begun = lines_of(Moved(row.account, row.currency, row.opening, 0, 0, 0) for row in rows)
    found = {
        place: (sum(each.owed for each in own), sum(each.overpaid for each in own)) for place, own in begun.items()
    }
    if found != ended_with(before):
        raise VerificationError(f"expected to begin as {before.period} ended, {ended_with(before)}, got {found}")


def _line(each: ClosedLine) -> SumLine:
    return SumLine(each.payee, each.currency, *_numbers(each.columns, COLUMNS))


def _numbers(texts: list[str], names: tuple[str, ...]) -> tuple[int, ...]:
    if len(texts) != len(names) or not all(_NUMBER.fullmatch(each) for each in texts):
        raise MalformedError(f"expected {len(names)} whole numbers, got {texts!r:.80}")
    return tuple(map(int, texts))


def _begins(close: PeriodClose) -> str:
    if close.previous is None:
        return f"{close.period} is the first month of all, and began with nothing"
    return f"{close.period} begins where the month before ended: in the log, and with what was owed"


def _said(audit: Audit, close: PeriodClose, placed: list[PlacedLine]) -> str:
    if audit.whole:
        return f"all lines give the roots of {many(len(close.trees), 'sum tree')}, and no other line does"
    if not placed:
        return "no line of this account; nothing to prove"
    counted = ", ".join(f"{each.currency} line {each.place + 1} of {each.lines}" for each in placed)
    return f"each line is in its total: {counted}"
