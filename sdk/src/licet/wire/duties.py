"""Revoking licences, and the duties that follow."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt, StatementFile

Effect = Literal["stop-new-runs", "retire-model", "unlearn"]
#: Not done, and due in days to come · not done, and the day has come · the organisation stated that it was done.
DutyState = Literal["open", "overdue", "done"]


class DutySubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``licence-revoke`` or ``duty-done``."""

    envelope: Envelope


class RevocableWorks(msgspec.Struct, frozen=True):
    """Works that are revoked on one condition: a ``licence-revoke`` names works of one such group."""

    works: list[str]
    notice_days: int
    effect: Effect


class Revocable(msgspec.Struct, frozen=True):
    """What of a licence the caller can revoke, work by work: ``firm`` ones cannot be, ``revoked`` ones are already."""

    licence: str
    organisation: str
    name: str  # of the organisation
    model: str
    version: str
    valid_until: str | None
    groups: list[RevocableWorks]
    firm: list[str]
    revoked: list[str]


class DutyInfo(msgspec.Struct, frozen=True):
    """What ``organisation`` owes since ``account`` revoked ``works`` works of ``licence``.

    ``document`` is the SHA-256 of what was revoked, which a ``duty-done`` names; the notice began at ``revoked_at`` and
    is over at ``due_at``, both null until the log has the entry.
    """

    duty: str
    licence: str
    organisation: str
    name: str  # of the organisation
    account: str
    model: str
    version: str
    effect: Effect
    notice_days: int
    works: int
    state: DutyState
    document: str
    revoked_at: str | None
    due_at: str | None
    done_at: str | None
    log_index: int | None


class DutyShown(msgspec.Struct, frozen=True):
    """A duty with its works and both documents, each with all that proves it; null once it was erased, or before it."""

    duty: DutyInfo
    works: list[str]
    revoked: StatementFile | None
    done: StatementFile | None


class DutyAccepted(msgspec.Struct, frozen=True):
    """The duty after what was sent; ``statement`` (``dut_…`` or ``stm_…``) is what the receipt is of."""

    duty: DutyInfo
    statement: str
    receipt: Receipt
