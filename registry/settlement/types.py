"""What settlement speaks of: statements of a bank, and what became of their entries."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

#: Why an entry of the bank stands in suspense.
Why = Literal["no-reference", "unknown-reference", "several-payers", "currency", "unknown-debit", "unknown-return"]


class BankEntry(msgspec.Struct, frozen=True):
    """One movement on an account, as the bank booked it: a payment, or one of those that it booked together.

    ``key`` names it among all of the account. ``tokens`` is everything that anybody named it by.
    """

    key: str
    credit: bool
    amount: int  # micro-units, more than zero
    currency: str
    booked_on: date
    reversal: bool  # of an earlier movement: the bank's own, or a return
    references: tuple[str, ...] = ()  # creditor references, which hold
    end_to_end: str | None = None
    tokens: tuple[str, ...] = ()
    party: str | None = None
    about: str = ""


class BankStatement(msgspec.Struct, frozen=True):
    """What a bank says of one account: its own name for the statement, a page of it, and what was booked."""

    account: str
    name: str
    page: int
    currency: str | None
    created_at: str
    entries: tuple[BankEntry, ...]
    passed_over: int  # entries that are not booked yet, or of nothing
    line: int
