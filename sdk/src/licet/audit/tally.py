"""The figures of a period, counted from the records themselves: by whoever writes a bundle and whoever checks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from licet import money
from licet.audit.layout import COVERED_KINDS, PeriodTotal
from licet.audit.tables import EventRow, LedgerRow, TransferRow
from licet.statements.kinds import Total
from licet.statements.periods import ACCRUALS, REVERSAL

BY_USE: Final = frozenset({"licence", "usage"})
"""Kinds of transfers that single uses come to; `ACCRUALS` are those by which something comes to be owed at all."""
_COUNTED: Final = (
    *("licence", "usage-batch", "run", "dataset-manifest", "consent", "split", "split-answer"),
    *("lines", "works", "new", "known", "memorandum", "transfers"),
)


class Tally:
    """Counts and sums of one bundle."""

    def __init__(self) -> None:
        self.counts: Final = Counter(dict.fromkeys(_COUNTED, 0))
        self._happened = False
        self._works: dict[str, set[str]] = {}
        self._sums: dict[str, Counter[str]] = {}

    def statement(self, kind: str, *, in_period: bool) -> None:
        """Count one statement; ``in_period``: the log took it in the period."""
        self.counts[kind] += 1
        self._happened |= in_period and kind in COVERED_KINDS

    def line(self) -> None:
        """Count one line of a licence."""
        self.counts["lines"] += 1

    def work(self) -> None:
        """Count one work that a consent is shown to cover."""
        self.counts["works"] += 1

    def event(self, row: EventRow, *, in_period: bool) -> None:
        """Count one use; ``in_period``: it was posted in the period."""
        if row.effect == "earlier":
            return
        self.counts[row.effect] += 1
        if in_period:
            self._happened = True
            if row.currency is not None and row.effect == "new":
                self._works.setdefault(row.currency, set()).add(row.work)

    def transfer(self, transfer: TransferRow, entries: Sequence[LedgerRow]) -> None:
        """Count one transfer of the period."""
        self.counts["transfers"] += 1
        self._happened = True
        for entry in entries:
            sums = self._sums.setdefault(entry.currency, Counter())
            if transfer.kind == REVERSAL:
                if entry.account.startswith("receivable:"):
                    sums["reversed"] -= entry.amount
            elif transfer.kind in ACCRUALS:
                side = entry.account.partition(":")[0]
                sums["gross" if side == "receivable" else side] += (
                    entry.amount if side == "receivable" else -entry.amount
                )

    @property
    def nothing_happened(self) -> bool:
        """Whether the period has neither statements of use nor postings."""
        return not self._happened

    @property
    def totals(self) -> list[PeriodTotal]:
        """What uses came to, per currency."""
        return [
            PeriodTotal(
                currency,
                *(money.to_decimal(sums[name]) for name in ("gross", "payable", "escrow", "fee", "reversed")),
            )
            for currency, sums in sorted(self._sums.items())
        ]

    @property
    def reversed(self) -> dict[str, int]:
        """Micro-units per currency that were reversed in the period, of whichever month they had accrued in."""
        return {currency: sums["reversed"] for currency, sums in sorted(self._sums.items())}

    @property
    def accrued(self) -> list[Total]:
        """Gross micro-units per currency, and how many works were used for them."""
        return [
            Total(currency, sums["gross"], len(self._works.get(currency, ())))
            for currency, sums in sorted(self._sums.items())
        ]
