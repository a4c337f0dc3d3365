"""Bodies that every room of the API uses: problems, receipts, pages."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from licet.statements.envelope import Envelope

T = TypeVar("T")


class FieldError(msgspec.Struct, frozen=True):
    """One field that was not what it must be: a JSON pointer, what was expected, what came."""

    pointer: str
    expected: str
    got: str = ""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details; ``type`` is ``https://licet.example/problems/<slug>``, ``instance`` the request id.

    ``error`` and ``error_description`` are there for clients of OAuth alone (RFC 6749, section 5.2).
    """

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[FieldError] = []
    error: str | msgspec.UnsetType = msgspec.UNSET
    error_description: str | msgspec.UnsetType = msgspec.UNSET


class Receipt(msgspec.Struct, frozen=True):
    """Proof that a statement is in the log: the entry, its salt, and a C2SP ``tlog-proof`` text."""

    id: str  # stm_/lic_/bat_/dst_/… or the account, for its genesis
    kind: str
    log_index: int
    entry: str  # base64 of the canonical entry
    salt: str | None  # base64 of 32 bytes; null for public kinds
    proof: str  # tlog-proof v1: carries the checkpoint
    in_snapshot_by: str | None = None  # promised, for what changes decisions


class Money(msgspec.Struct, frozen=True):
    """A decimal string of at most 6 decimals and an ISO 4217 code."""

    amount: str
    currency: str


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; ``next`` is the cursor of the following page, null at the end."""

    items: list[T]
    next: str | None = None


class KeyEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key statement with its log evidence, so that a signature by that key can be judged offline."""

    envelope: Envelope
    salt: str | None
    entry: str
    proof: str


class StatementFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``statement fetch`` writes: everything that offline verification needs but the pinned root key.

    ``works`` lists the work digests under a ``works`` scope that the caller may see (else empty).
    """

    envelope: Envelope
    salt: str | None
    entry: str
    proof: str
    keys: list[KeyEvidence]  # the registry's working keys under its root, then the signer's key history
