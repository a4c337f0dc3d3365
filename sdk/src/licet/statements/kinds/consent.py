"""What artists say of their works, and the works that they say it of."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef


class FileDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further file that a work is recognised by: what it was before it changed, or another copy of it."""

    sha256: str
    pixels: str | None
    pdq: str | None
    iscc: str | msgspec.UnsetType = msgspec.UNSET  # left out where there is none


class WorkDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a work that matches; its canonical JSON's SHA-256 is the leaf data of a consent's scope.

    ``sha256`` is null for a work that is known by its addresses alone, or by its site; then ``pixels``, ``pdq`` and
    ``iscc`` are null too. ``iscc`` are the units of what it shows and of its file, a space between
    (`licet.fingerprints.iscc.of_picture`).
    """

    work: str
    account: str
    sha256: str | None
    pixels: str | None
    pdq: str | None
    iscc: str | None
    url: list[str]  # canonical, sorted
    mode: Literal["upload", "fingerprint-only"]
    #: Files that a `WorkUpdate` put behind the present one, by rising ``sha256``; left out where there is none.
    files: list[FileDigest] | msgspec.UnsetType = msgspec.UNSET
    #: Of a rule for a whole site (``licet.fingerprints.sites``), which has nothing else; left out elsewhere.
    site: str | msgspec.UnsetType = msgspec.UNSET
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


class WorkUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="work-update"):
    """Changes what a registry knows of works. ``scope`` covers them as they are from then on.

    ``withdraw``: every atom but what licences already cover is denied; their digests stay as they were. ``keys``: they
    are recognised by more than before. ``before`` is then the root over the digests that they had (else left out);
    what a work was recognised by stays among its keys, and the terms in force go for all of them.
    """

    registry: RegistryRef
    account: str
    genesis: str
    scope: WorksScope
    change: Literal["withdraw", "keys"]
    issued_at: str
    nonce: str
    before: str | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION

    def __post_init__(self) -> None:
        if (self.change == "keys") != isinstance(self.before, str):
            raise ValueError("before: expected a root beside new keys and none beside a withdrawal, got the opposite")
