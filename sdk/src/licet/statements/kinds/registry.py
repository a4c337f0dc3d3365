"""What the registry says of itself, of accounts and of its ledger: its keys, claim levels, erasures, periods."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef
from licet.statements.kinds.consent import WorksScope
from licet.statements.kinds.keys import PublicKey


class LogCosigner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="alg", tag="ml-dsa-44"):
    """An ML-DSA-44 public key (FIPS 204), 1,312 bytes as hex: the log's second key, beside Ed25519."""

    public: str


class RegistryKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="registry-key"):
    """The offline root names a working key for one purpose, beside those that it named before and did not end.

    ``cosignature`` is the purpose of the log's ML-DSA-44 key, and of no other.
    """

    registry: RegistryRef
    purpose: Literal["log", "snapshot", "licence", "office", "cosignature"]
    key: PublicKey | LogCosigner
    valid_from: str
    valid_until: str | None
    v: int = VERSION


class RegistryKeyRevoke(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="registry-key-revoke"
):
    """The offline root ends a working key, from this statement's own place in the log on; what was before stands."""

    registry: RegistryRef
    keyid: str
    reason: Literal["retired", "compromised"]
    issued_at: str
    v: int = VERSION


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="claim"):
    """The registry's office states how well an account's claims are backed (semantics 4); signed by key ``office``."""

    registry: RegistryRef
    account: str
    genesis: str
    level: int
    evidence: str
    issued_at: str
    v: int = VERSION


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="erase"):
    """The registry's office states that it no longer has ``count`` statements of an account, nor their salts.

    ``root`` is the RFC 6962 root over the SHA-256 of their envelopes, in log order (null: none were erased).
    ``restricted`` is how many it still has for those who rely on them. ``deny`` are the works that go on to deny every
    use, as in a consent (null: none; the account declined, or had none). Nothing here is personal.
    """

    registry: RegistryRef
    account: str
    genesis: str
    what: Literal["account", "statements"]
    count: int
    root: str | None
    restricted: int
    deny: WorksScope | None
    issued_at: str
    v: int = VERSION


class PeriodTree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sum tree over one side of the books in one currency: how many lines, the root, and the sums that it proves.

    Sides: ``licensee`` is what organisations owe, ``payee`` what artists are owed (escrow among it), ``registry`` what
    is on every other account. Figures are micro-units as text, because they may be beyond what JSON's integers hold.
    """

    side: Literal["licensee", "payee", "registry"]
    currency: str
    lines: int
    root: str
    owed_before: str
    overpaid_before: str
    accrued: str
    reversed: str
    settled: str
    owed: str
    overpaid: str


class PeriodClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="period-close"):
    """The registry's office closes a month of the ledger: nothing is posted into it from then on.

    ``previous`` is the SHA-256 of the payload that closed the month before (null: this is the first). ``trees`` are
    sorted by side and currency. The month's own entries of the log are those from ``log_first`` up to ``log_end``;
    ``batches_root`` is over the ``batches`` usage batches among them (`licet.statements.periods`). ``left_out`` is how
    many charges of agreements, of this month or one before, it could not make and none made until then; a close of a
    release before does not say.
    """

    registry: RegistryRef
    period: str  # 2026-11
    previous: str | None
    trees: list[PeriodTree]
    log_first: int
    log_end: int
    batches: int
    batches_root: str
    issued_at: str
    left_out: int | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION

    def __post_init__(self) -> None:
        if self.left_out is not msgspec.UNSET and self.left_out < 0:
            raise ValueError(f"left_out: expected 0 or more, got {self.left_out}")
        places = [(each.side, each.currency) for each in self.trees]
        if places != sorted(set(places)):
            raise ValueError("trees: expected each side and currency once, in rising order, got others")
        if not 0 <= self.log_first <= self.log_end:
            raise ValueError(f"log_end: expected {self.log_first} or more, got {self.log_end}")
