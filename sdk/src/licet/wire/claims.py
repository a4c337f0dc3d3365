"""Claims that an account proves by itself: of domains."""

from __future__ import annotations

from typing import Literal

import msgspec

#: Asked for and not found yet · proven · proven, but gone since `failing_since` · gone for longer than the grace.
ClaimState = Literal["asked", "proven", "failing", "lapsed"]


class ClaimWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The domain that the account wants to prove; international names may be written as such."""

    domain: str


class ClaimInfo(msgspec.Struct, frozen=True):
    """One domain and its proof: ``value`` in a TXT record named ``record``, or as a line of the file at ``file``.

    ``problem`` says why the last look found nothing. ``statement`` is the claim in the log that the proof led to.
    ``others`` are the accounts that have proven the same domain, told to those who have.
    """

    claim: str
    domain: str
    state: ClaimState
    record: str
    file: str
    value: str
    asked_at: str
    method: Literal["dns", "file"] | None = None
    problem: str | None = None
    proven_at: str | None = None
    checked_at: str | None = None
    failing_since: str | None = None
    lapses_at: str | None = None  # while it fails: when the claim ends
    next_check_at: str | None = None
    statement: str | None = None
    log_index: int | None = None
    others: list[str] = []


class ClaimChecked(msgspec.Struct, frozen=True):
    """The claim after a look at its domain, and the account's claim level now."""

    claim: ClaimInfo
    level: int


class ClaimDropped(msgspec.Struct, frozen=True):
    """The account no longer claims ``domain``; its claim level now."""

    domain: str
    level: int
