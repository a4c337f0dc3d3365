"""Disputes: what two parties say, each under its own signature, and what was decided."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt, StatementFile

#: Waits for the other party · it has answered · decided for whoever opened it · against · taken back by that one.
DisputeState = Literal["open", "answered", "upheld", "dismissed", "withdrawn"]
DisputeStepName = Literal["open", "answer", "withdraw", "decide"]


class DisputeSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``dispute-step``."""

    envelope: Envelope


class DisputeInfo(msgspec.Struct, frozen=True):
    """One dispute that ``account`` opened with ``against`` about ``subject``, a work or a charge (``tra_…``).

    ``document`` is the SHA-256 that later steps name. ``holds``: the work denies and what it earns waits, or what the
    charge credited does; a claim below a verified claimant's holds nothing (semantics 6). From ``decided_after`` on, or
    from an answer on, somebody who is no party decides.
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
