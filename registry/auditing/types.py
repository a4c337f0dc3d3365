"""What auditing speaks of inside the service; the records of a bundle are in ``licet.audit``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from licet.audit.layout import Period

MOST_TOLD: Final = 100  # differences of a part: more say nothing new


class Difference(NamedTuple):
    """One figure that is not what it is derived from: the part of the registry, and what was expected and found."""

    part: str
    message: str

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


@dataclass
class Findings:
    """What came of a part: how many rows were looked at, how many are not as they must be, the first of them told.

    ``unexamined`` says what could not be computed again, and why.
    """

    part: str
    examined: int = 0
    wrong: int = 0
    told: list[Difference] = field(default_factory=list)
    unexamined: list[str] = field(default_factory=list)

    def differs(self, *messages: str) -> None:
        """Each of ``messages`` is counted, and told while there are not too many."""
        self.wrong += len(messages)
        room = max(0, MOST_TOLD - len(self.told))
        self.told += [Difference(self.part, message) for message in messages[:room]]


class Subject(NamedTuple):
    """The account whose part is asked for: an organisation (``org``) or an artist (``art``)."""

    kind: str
    account: UUID


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
    """A statement that goes into a bundle. ``at`` is the time of its log entry, ``account`` who signed (None: the
    registry)."""

    kind: str
    id: UUID
    pending: int
    index: int
    at: datetime
    account: UUID | None


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
