"""Datasets, runs, usage batches, balances."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.statements.kinds import Event, Total
from licet.wire.common import Receipt


class StatementOnly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed envelope that needs nothing beside it (``dataset-manifest``, ``run``)."""

    envelope: Envelope


class Logged(msgspec.Struct, frozen=True):
    """The statement is in the log."""

    id: str
    receipt: Receipt


class DatasetInfo(msgspec.Struct, frozen=True):
    dataset: str
    name: str
    organisation: str
    rows: int
    kept: int
    counts: dict[str, int]
    decided_at: str
    log_index: int | None
    version: int  # 1 is the first of this name in the log


class OutsideLicence(msgspec.Struct, frozen=True):
    """A licence that a run names and that does not cover it: ``use``, ``model``, ``version``, ``territory``,
    ``conditions``, ``ended`` or ``revoked``."""

    licence: str
    reason: str


class RunInfo(msgspec.Struct, frozen=True):
    """A training run; what it used under the licences of ``outside`` is recorded, and not covered by them."""

    run: str
    organisation: str
    model: str
    version: str
    dataset: str
    log_index: int | None
    issued_at: str
    outside: list[OutsideLicence] = []


class UsageBatchSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``usage-batch`` envelope, its events sorted by id, and the secret that salts their leaves."""

    envelope: Envelope
    events: list[Event]  # at most 65,536
    secret: str  # base64 of 32 bytes: leaf salt = HMAC-SHA256(secret, id)


class UsageAccepted(msgspec.Struct, frozen=True):
    """Posted and logged. ``new`` events had effect, ``known`` ones were reported before, ``memorandum`` are outside
    a licence: recorded, not charged."""

    batch: str
    new: int
    known: int
    memorandum: int
    receipt: Receipt


class UsageBatchInfo(msgspec.Struct, frozen=True):
    batch: str
    dataset: str | None
    count: int
    new: int
    known: int
    memorandum: int
    totals: list[Total]
    log_index: int | None
    accepted_at: str


class BalanceLine(msgspec.Struct, frozen=True):
    """One ledger account of the caller. ``amount`` is what is owed to (artist) or by (organisation) the caller."""

    account: Literal["payable", "escrow", "transit", "receivable"]
    currency: str
    amount: str


class NotComputed(msgspec.Struct, frozen=True):
    """What an agreement owes for a month that closed without it; the next close tries again."""

    licence: str
    period: str
    since: str


class Balance(msgspec.Struct, frozen=True):
    """What the caller is owed and owes. ``not_yet_computed``: what it will owe beside that, of its agreements."""

    account: str
    lines: list[BalanceLine]
    as_of: str
    not_yet_computed: list[NotComputed] = []


class LedgerLine(msgspec.Struct, frozen=True):
    """One entry of the ledger that the caller may see, with the source that it opens down to."""

    transfer: str
    at: str
    account: str
    currency: str
    amount: str
    source: str  # lic_… or bat_…
    memo: str
