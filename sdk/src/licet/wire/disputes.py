"""Disputes: what two parties say, each under its own signature, and what was decided."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt, StatementFile

#: Waits for the other party · it has answered · decided, and whoever lost can appeal · appealed, and waits for another
#: operator · ended for whoever opened it · against · taken back by that one.
DisputeState = Literal["open", "answered", "decided", "appealed", "upheld", "dismissed", "withdrawn"]
DisputeStepName = Literal["open", "answer", "withdraw", "decide", "appeal", "accept", "review", "end"]
DisputeOutcome = Literal["upheld", "dismissed"]


class DisputeSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``dispute-step``."""

    envelope: Envelope


class DisputeInfo(msgspec.Struct, frozen=True):
    """One dispute that ``account`` opened with ``against`` about ``subject``, a work or a charge (``tra_…``).

    ``document`` is the SHA-256 that later steps name. ``holds``: the work denies and what it earns waits, or what the
    charge credited does; a claim below a verified claimant's holds nothing (semantics 6). From ``decided_after`` on, or
    from an answer on, somebody who is no party decides. What was ``decided``, by the operator ``decided_by``, moves
    nothing until the dispute ends: whoever lost can appeal until ``appeal_until``; another operator then reviews it.
    """

    dispute: str
    account: str
    against: str
    subject: str
    state: DisputeState
    document: str
    holds: bool
    opened_at: str
    decided_after: str
    ended_at: str | None
    log_index: int | None
    decided: DisputeOutcome | None = None
    decided_at: str | None = None
    decided_by: str | None = None
    appeal_until: str | None = None
    appealed_at: str | None = None

    @property
    def lost_by(self) -> str | None:
        """Who can appeal, or accept; None where nothing was decided that could be appealed."""
        return {None: None, "upheld": self.against, "dismissed": self.account}[self.decided]


class DisputeStepShown(msgspec.Struct, frozen=True):
    """One step, and the very document with all that proves it; null before the log shows it, or once it was erased."""

    statement: str
    step: DisputeStepName
    account: str | None  # null: the registry, for the operator that the document names
    document: StatementFile | None


class DisputeShown(msgspec.Struct, frozen=True):
    """A dispute with its steps in their order."""

    dispute: DisputeInfo
    steps: list[DisputeStepShown]


class DisputeAccepted(msgspec.Struct, frozen=True):
    """The dispute after what was sent; ``statement`` is what the receipt is of."""

    dispute: DisputeInfo
    statement: str
    receipt: Receipt
