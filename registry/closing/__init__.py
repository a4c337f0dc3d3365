"""Months of the ledger that close: sealed, counted, and stated in the log under sum trees that everybody can check.

Domains above read what is closed through `reading`; those below allocate what is owed at a close through a hook
(`steps.HOOKS`), and those above follow a month that is sealed (`steps.SEALED_HOOKS`).
"""

from __future__ import annotations

from registry.closing.reading import Closed, closed, lines_with_salts
from registry.closing.steps import HOOKS, SEALED_HOOKS, close_due, close_month, due

__all__ = ["HOOKS", "SEALED_HOOKS", "Closed", "close_due", "close_month", "closed", "due", "lines_with_salts"]
