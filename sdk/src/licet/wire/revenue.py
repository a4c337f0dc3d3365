"""Reports of revenue, and how what is divided at a close comes about."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt, StatementFile


class RevenueSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``revenue-report``."""

    envelope: Envelope


class Amount(msgspec.Struct, frozen=True):
    currency: str
    amount: str


class RevenueInfo(msgspec.Struct, frozen=True):
    """What ``organisation`` reported of one month of a licence; ``document`` is the SHA-256 that a correction names.

    ``counts_at`` is the first month whose close counts it; ``current``: no later report corrects it. ``weights`` is of
    how many works it says what they weigh.
    """

    report: str
    licence: str
    organisation: str
    period: str
    counts_at: str
    revenue: list[Amount]
    pool: list[Amount]
    weights: int
    document: str
    supersedes: str | None
    current: bool
    reported_at: str
    log_index: int | None


class RevenueAccepted(msgspec.Struct, frozen=True):
    """The report is in the log."""

    report: RevenueInfo
    receipt: Receipt


class RevenueShown(msgspec.Struct, frozen=True):
    """A report with the very document, and all that proves it: for whoever made it, and for those who share in it where
    it says nothing of what others' works weigh. Null for others, and once it was erased."""

    report: RevenueInfo
    document: StatementFile | None


class RevenueAwaited(msgspec.Struct, frozen=True):
    """A month that is over, and of which nothing was reported: ``closed``, and the least was charged, or not yet."""

    licence: str
    organisation: str
    model: str
    version: str
    period: str
    closed: bool


class ShareStep(msgspec.Struct, frozen=True):
    """One step of how an amount came about (`licet.pricing.Step`): amounts in micro-units of the share's currency."""

    what: str
    result: int
    amount: int
    by: int
    of: int


class Share(msgspec.Struct, frozen=True):
    """What ``works`` works of ``account`` are owed together at the close of ``period``, gross, and how that came about.

    ``steps`` lead to the amount of all of them where they share something, else to that of each. ``open``: a report is
    missing that may make it more. ``state``: ``closed``, or ``open``, where all of it is as things stand. ``amount`` is
    below zero where more was charged before than was due.
    """

    licence: str
    period: str
    state: Literal["open", "closed"]
    account: str
    currency: str | None
    amount: str
    works: int
    open: bool
    steps: list[ShareStep]
