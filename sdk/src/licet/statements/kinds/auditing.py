"""What an evidence bundle holds."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef


class BundleMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file in an evidence bundle."""

    name: str
    size: int
    sha256: str


class AuditBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="audit-bundle"):
    """Every member of an evidence bundle but this manifest, in their order; signed by key ``office``, not logged."""

    registry: RegistryRef
    period: str  # 2026-11
    state: Literal["open", "closed"]
    account: str | None  # whose part it is; null: everything
    uses: bool  # whether uses of the account's own works are shown (below claim level 2: the ledger alone)
    made_at: str
    members: list[BundleMember]
    #: The kinds of statements of which it holds each that the log took, if it is of everything; once left out.
    covers: list[str] | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION
