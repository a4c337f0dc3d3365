"""Months of the ledger: how far each has come, a caller's own lines, and which batches are in it."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.log.sums import SumLine
from licet.statements.periods import Side
from licet.wire.common import StatementFile


class PeriodSums(msgspec.Struct, frozen=True):
    """One sum tree of a closed month: how many lines, the root, and the sums that it proves, as decimals."""

    side: Side
    currency: str
    lines: int
    root: str
    owed_before: str
    overpaid_before: str
    accrued: str
    reversed: str
    settled: str
    owed: str
    overpaid: str


class PeriodInfo(msgspec.Struct, frozen=True):
    """How far a month has come. ``ended``: nothing new comes into it; ``sealed``: nothing at all; ``closed``: its close
    is in the log, and what follows is what that says. ``batches``: usage batches among entries from ``log_first`` up to
    ``log_end``. ``left_out``: charges of agreements that its close could not make, and a later one will."""

    period: str
    state: Literal["open", "ended", "sealed", "closed"]
    sealed_at: str | None
    statement: str | None
    log_index: int | None
    log_first: int | None
    log_end: int | None
    batches: int | None
    batches_root: str | None
    left_out: int | None
    totals: list[PeriodSums]


class ProofNode(msgspec.Struct, frozen=True):
    """A node beside the way from a line to the root: hash in base64, and the sums below it, micro-units."""

    hash: str
    sums: list[int]


class LineProof(msgspec.Struct, frozen=True):
    """One line of a closed month, micro-units, with what proves it: salt in base64, place in the tree, nodes."""

    side: Side
    line: SumLine
    salt: str
    place: int
    proof: list[ProofNode]


class PeriodLines(msgspec.Struct, frozen=True):
    """The caller's lines of a closed month, and the statement that closed it as `licet statement verify` takes it."""

    account: str
    period: str
    close: StatementFile
    lines: list[LineProof]


class BatchProof(msgspec.Struct, frozen=True):
    """A usage batch in a closed month: its log entry (base64), its place among the month's batches, its path."""

    batch: str
    log_index: int
    entry: str
    place: int
    path: list[str]
