"""What auditing speaks of inside the service; the records of a bundle are in ``licet.audit``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from licet.audit.layout import Period


class Part(NamedTuple):
    """Whose part of the books is shown: ``account`` None is everything.

    ``uses``: uses of the account's own works are shown too (semantics 26).
    """

    account: UUID | None
    id: str | None
    uses: bool

    @property
    def ledger_accounts(self) -> list[str] | None:
        """The names of the ledger accounts that are shown, None for all."""
        if self.id is None:
            return None
        return [f"{side}:{self.id}" for side in ("escrow", "payable", "receivable")]


class Span(NamedTuple):
    """A month in the log: entries from ``opening`` up to ``end`` are its own; what was posted in it is between ``low``
    and ``high``. ``published`` is how much of the log has left the building."""

    period: Period
    start: datetime
    until: datetime
    opening: int
    end: int
    low: int
    high: int
    published: int


@dataclass(frozen=True)
class Statement:
    """A statement that goes into a bundle. ``at`` is the time of its log entry, ``account`` who signed."""

    kind: str
    id: UUID
    pending: int
    index: int
    at: datetime
    account: UUID


class Licensed(NamedTuple):
    """A licence in a bundle. ``begins``: its first run belongs to the month."""

    statement: Statement
    begins: bool


class Reported(NamedTuple):
    """A usage batch in a bundle; ``earlier``: only to show that some of its events were reported before."""

    statement: Statement
    secret: bytes
    posted_at: datetime
    earlier: frozenset[bytes] | None
