"""What is posted to the ledger and what is read out of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class Entry(msgspec.Struct, frozen=True, order=True):
    """One side of a transfer: debit positive, credit negative, micro-units of ``currency``; never zero."""

    account: str
    currency: str
    amount: int


class Transfer(msgspec.Struct, frozen=True):
    """Entries that belong together: zero in sum per currency, one entry per account and currency.

    ``key`` is unique in the ledger: a second transfer of the same key is the same one, or a conflict.
    """

    key: str
    kind: str
    at: datetime
    source: str
    entries: tuple[Entry, ...]
    memo: str = ""


class Line(msgspec.Struct, frozen=True):
    """One posted entry with the transfer that it belongs to."""

    transfer: UUID
    key: str
    kind: str
    at: datetime
    period: str
    source: str
    memo: str
    reverses: UUID | None
    account: str
    currency: str
    amount: int
