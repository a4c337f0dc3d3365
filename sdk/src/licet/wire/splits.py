"""Splits between co-owners: what is proposed, what is answered, what is in force."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt

#: Waits for answers · in force on a work of it · another one is in force on each · ended by an answer · not answered
#: by everybody in time · another one came into force on a work of it first, so it no longer can.
SplitState = Literal["open", "in-force", "replaced", "declined", "lapsed", "overtaken"]


class SplitSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``split``, or a signed ``split-answer``."""

    envelope: Envelope


class SplitParty(msgspec.Struct, frozen=True):
    """One co-owner: basis points of what the works earn after the fee (0: gives up the share that it had).

    ``signed``: its proposal or answer is in the log or on its way there; until everybody's is, nothing changes.
    """

    account: str
    bps: int
    signed: bool


class SplitInfo(msgspec.Struct, frozen=True):
    """One split. ``account`` proposed it; ``document`` is the SHA-256 that answers name.

    ``agreed_index`` is the log index from which it is in force: what the log took before is not shared by it.
    """

    split: str
    account: str
    state: SplitState
    document: str
    replaces: str | None
    works: int
    parties: list[SplitParty]  # by account
    proposed_at: str
    lapses_at: str | None  # while it is open
    log_index: int | None
    agreed_index: int | None


class Restriction(msgspec.Struct, frozen=True):
    """What a co-owner says of a shared work: it counts beside the account's own terms, use by use the strictest.

    ``terms_hash`` is of the strictest of all that it says, ``stated`` of what ``statement`` gave to this very work
    (null: only its catalogue speaks). ``ending``: it left the split, and its terms end when the hold is over.
    """

    account: str
    statement: str
    log_index: int | None
    terms_hash: str
    stated: str | None
    state: Literal["in-force", "ending", "ended"] = "in-force"
    waiting: str | None = None  # its statement whose looser part is on hold
    until: str | None = None


class SharedWork(msgspec.Struct, frozen=True):
    """A work of a split; ``digest`` is what its proposer signed that it is recognised by.

    ``registered`` is what it is recognised by now (null once it was withdrawn), ``terms_hash`` of the terms in force.
    """

    work: str
    digest: str
    title: str | None
    registered: str | None = None
    terms_hash: str | None = None
    restricted: list[Restriction] = []  # by account
    frozen: bool = False  # denies since a loss, until each of its owners has signed terms for it again


class SplitShown(msgspec.Struct, frozen=True):
    """A split with the very document that its co-owners sign; null once it was erased."""

    split: SplitInfo
    works: list[SharedWork]
    envelope: Envelope | None


class SplitAccepted(msgspec.Struct, frozen=True):
    """The split after what was sent; ``statement`` (``spl_…`` or ``stm_…``) is what the receipt is of."""

    split: SplitInfo
    statement: str
    receipt: Receipt


class WorkSplit(msgspec.Struct, frozen=True):
    """The split in force on a work, from log index ``since`` on (null: not in the log yet)."""

    split: str
    since: int | None
