"""What decisions are made from, at one size of the log."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef


class SegmentRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One segment file of a snapshot, named by its SHA-256."""

    tier: Literal["exact", "near"]
    digest: str
    size: int
    counts: dict[str, int]


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="snapshot"):
    """Everything that decisions are made from, at one log size."""

    registry: RegistryRef
    sequence: int
    previous: str | None  # digest of the previous snapshot's envelope
    consent_version: int
    log_size: int
    log_root: str
    issued_at: str
    expires_at: str
    segments: list[SegmentRef]  # oldest first: a later one overrides an earlier one per work
    works: int
    state_root: str
    v: int = VERSION
