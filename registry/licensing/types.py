"""What licensing speaks of inside the service; what travels is in ``licet.wire.licensing``."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from licet.statements.kinds import Event


class Reported(NamedTuple):
    """An event with what its texts stand for, read once; ``source`` is its licence, or else its statement."""

    event: Event
    id: bytes
    source: UUID
    work: UUID
    at: datetime


class Accrual(NamedTuple):
    """A use as it is posted: whose work, what it owes, or why it owes nothing.

    ``artist`` is None for a work that nobody registered; ``amount`` is gross, in micro-units of ``currency``;
    ``fee_bps`` is the licence's. ``memorandum`` says why a use that no licence covers is recorded without charge.
    What is left after the fee goes to ``payee``, or to the co-owners of the split in force when it is posted.
    """

    reported: Reported
    artist: UUID | None
    payee: str  # art_… or org_…; empty without an artist
    currency: str | None
    amount: int
    fee_bps: int
    escrow: bool
    memorandum: str | None = None


class Posting(NamedTuple):
    """Under what a set of accruals is posted: its ``source`` (``lic_…`` or ``bat_…``), who owes it, and when.

    ``limit``: what it may owe at most by then, in micro-units of each currency. ``token``: with what it was asked for,
    whose own limit is held too.
    """

    source: str
    organisation: UUID
    licensee: str
    batch: UUID | None  # None: by the acceptance of a licence
    at: datetime
    limit: int
    token: UUID | None = None
