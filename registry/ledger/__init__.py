"""Double entry: who owes whom, in micro-units, never changed and always in balance.

It knows nothing of artists or licences: accounts are names, transfers have a key that makes posting idempotent and a
source that says what they were posted for. Months end and are never posted into again: `registry.ledger.periods`.
"""

from __future__ import annotations

from registry.ledger.pending import RESIDUE, divided, pend, post_pending, void
from registry.ledger.periods import Month, PeriodClosed
from registry.ledger.service import balances, journal, lines, post, rebuild, reversal, reverse
from registry.ledger.types import Entry, Line, Transfer

__all__ = [
    "RESIDUE",
    "Entry",
    "Line",
    "Month",
    "PeriodClosed",
    "Transfer",
    "balances",
    "divided",
    "journal",
    "lines",
    "pend",
    "post",
    "post_pending",
    "rebuild",
    "reversal",
    "reverse",
    "void",
]
