"""What artists say of their works, and the works that they say it of."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef


class WorkDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a work that matches; its canonical JSON's SHA-256 is the leaf data of a consent's scope.

    ``sha256`` is null for a work that is known by its addresses alone; then ``pixels`` and ``pdq`` are null too.
    """

    work: str
    account: str
    sha256: str | None
    pixels: str | None
    pdq: str | None
    iscc: str | None
    url: list[str]  # canonical, sorted
    mode: Literal["upload", "fingerprint-only"]
    v: int = VERSION


class WorksScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="works"):
    """The works that a statement covers: RFC 6962 root over work digests sorted by work id."""

    count: int
    root: str


class CatalogueScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="catalogue"):
    """Every work of the account, future ones too; can only restrict (semantics 8)."""


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the signer read: language and SHA-256 of the UTF-8 plain text."""

    lang: Literal["en", "zh-Hans"]
    text_hash: str


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="consent"):
    """Terms for works, all ten atoms named. ``seq`` counts the account's consents from 1; ``prev`` chains them."""

    registry: RegistryRef
    account: str
    genesis: str
    seq: int
    prev: str | None  # SHA-256 of the previous consent's payload bytes
    issued_at: str
    effect: Literal["initial", "tighten", "loosen"]
    scope: WorksScope | CatalogueScope
    terms: dict[str, Any]  # Terms.to_json(): {atom: rule}
    terms_hash: str
    shown: Shown
    nonce: str
    vocab: int
    v: int = VERSION


class ConsentMature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="consent-mature"):
    """The registry's office states that a loosening took effect on ``count`` works; ``root`` as in their consent.

    ``statement`` is the consent whose hold is over; works under it that are contested wait on. Null ``root``: it held
    for works to come only.
    """

    registry: RegistryRef
    account: str
    genesis: str
    statement: str
    count: int
    root: str | None
    issued_at: str
    v: int = VERSION


class Withdraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="work-update"):
    """Takes works out of the registry's offers: every atom but what licences already cover is denied."""

    registry: RegistryRef
    account: str
    genesis: str
    scope: WorksScope
    change: Literal["withdraw"]
    issued_at: str
    nonce: str
    v: int = VERSION
