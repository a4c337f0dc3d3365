"""The payloads that are signed: one Struct a kind, exactly the fields that formats name.

A payload is made canonical once (``licet.canonical``), signed and stored as those bytes; nobody canonicalises it
again. Structs refuse unknown fields, so an older reader never accepts what it does not understand.
Digests and keys are lower-case hex; times are ``licet.times`` text; amounts are micro-units.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from licet.statements.webauthn import Passkey

VERSION: Final = 1
PAYLOAD_TYPE: Final = "application/vnd.licet.{kind}+json"


class RegistryRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names the registry that a payload is meant for: no statement can be replayed at another one."""

    origin: str
    key: str  # SHA-256 of the registry's 32-byte root public key


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="alg", tag="ed25519"):
    """An Ed25519 public key, 32 bytes as hex."""

    public: str


AnyKey = PublicKey | Passkey


class KeyRegister(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="key-register"):
    """Makes an account's key known. The first (``genesis`` null) is signed by the key itself and *is* the account.

    A later one is signed by the new key, then by a live root key, or by the registry's office for class ``recovered``.
    Class ``attested`` is the genesis of an account without a key of its own: ``key`` is the registry's office key.
    """

    registry: RegistryRef
    account: str
    kind: Literal["artist", "organisation"]
    genesis: str | None
    key: PublicKey | Passkey
    key_class: Literal["root", "delegate", "recovered", "attested"]
    issued_at: str
    nonce: str
    v: int = VERSION


class KeyRevoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="key-revoke"):
    """Ends a key from log index ``from_index`` on (null: from this statement's own index)."""

    registry: RegistryRef
    account: str
    genesis: str
    keyid: str
    from_index: int | None
    issued_at: str
    nonce: str
    v: int = VERSION


class KeyRotate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="key-rotate"):
    """Puts root key ``key`` in the place of the root key ``replaces``; signed by the new key, then by a live root."""

    registry: RegistryRef
    account: str
    genesis: str
    replaces: str
    key: PublicKey | Passkey
    issued_at: str
    nonce: str
    v: int = VERSION


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be taken in one currency, micro-units."""

    currency: str
    amount: int


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that one statement of a delegate may do.

    ``works``: under one consent or withdrawal (null: any number, and the catalogue); ``budget``: what one licence may
    cost, sorted by currency; a currency that is not named is 0.
    """

    works: int | None
    budget: list[Budget]


class Delegation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="delegation"):
    """Lets delegate key ``keyid`` sign statements of the kinds in ``scope`` (sorted) until ``valid_until``.

    Signed by a live root key; the last one for a key is the one in force; at most 90 days from its log entry on.
    """

    registry: RegistryRef
    account: str
    genesis: str
    keyid: str
    scope: list[str]
    limit: Limit
    valid_until: str
    issued_at: str
    nonce: str
    v: int = VERSION


class RegistryKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="registry-key"):
    """The offline root names the registry's working key for one purpose."""

    registry: RegistryRef
    purpose: Literal["log", "snapshot", "licence", "office"]
    key: PublicKey
    valid_from: str
    valid_until: str | None
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


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The use that an organisation declares; lists are sorted."""

    atoms: list[str]
    purpose: list[str]
    territory: list[str] | None
    model: str  # ORG/NAME
    version: str
    model_scope: Literal["one-version", "family"]
    open_weights: bool | None
    sublicense: bool | None = None
    exclusive: bool | None = None


class LicenceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One work in a licence: under which statement and terms, at which price. Leaf of the licence's works tree."""

    work: str
    account: str  # the artist
    statement: str
    terms_hash: str
    atom: str  # the atom whose price applies
    model: str  # price model
    currency: str | None
    amount: int  # micro-units for one unit; 0 when free
    match: Literal["exact", "near"]
    escrow: bool  # below claim level 2 or contested when granted


class Total(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Micro-units of one currency over ``works`` distinct works."""

    currency: str
    amount: int
    works: int


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence"):
    """One payload, two signatures: the organisation's acceptance, then the registry's grant."""

    registry: RegistryRef
    licence: str
    organisation: str
    genesis: str
    quote: str  # digest of the quote
    use: Use
    dataset: str | None
    run: str
    count: int
    root: str  # RFC 6962 over canonical LicenceLine, sorted by work id
    terms: list[str]  # distinct terms hashes, sorted
    totals: list[Total]
    budget: list[Budget]
    fee_bps: int
    issued_at: str
    valid_until: str | None
    nonce: str
    v: int = VERSION


class DatasetManifest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="dataset-manifest"
):
    """What one filter job decided, fixed: anybody with the rows can recompute ``decisions_root``."""

    registry: RegistryRef
    dataset: str  # dst_…
    name: str
    organisation: str | None  # null: made without an account, "unregistered"
    stage: Literal["urls", "files"]
    use: dict[str, Any]  # Request.to_json()
    unknown_policy: Literal["exclude", "keep"]
    match: Literal["exact", "near", "derivative"]
    min_claim_level: int
    snapshot: str  # digest of the snapshot's envelope
    log_size: int
    decided_at: str
    parts: list[dict[str, Any]]  # [{name, rows, kept, source_digest}]
    rows: int
    counts: dict[str, int]  # verdict → rows
    kept: int
    decisions_root: str
    row_root: str  # salted
    licences: list[str]
    nonce: str
    #: The digest of the manifest of the stage before, of addresses, that this one of files builds upon; else left out.
    after: str | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="run"):
    """A training run was started on a dataset that was re-checked against ``snapshot``."""

    registry: RegistryRef
    organisation: str
    genesis: str
    run: str  # the caller's own name for it
    model: str
    version: str
    dataset: str
    manifest: str  # digest of the dataset manifest's payload
    snapshot: str
    dropped: int
    licences: list[str]
    issued_at: str
    nonce: str
    v: int = VERSION


class UsageBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="usage-batch"):
    """Events that an organisation owns up to; ``event_root`` is RFC 6962 over salted event leaves, sorted by id."""

    registry: RegistryRef
    organisation: str
    genesis: str
    batch: str
    dataset: str | None
    count: int
    event_root: str
    totals: list[Total]
    snapshot: str | None
    first_at: str
    last_at: str
    issued_at: str
    v: int = VERSION


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


class PeriodClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="period-close"):
    """Closes a ledger period (used when periods close)."""

    registry: RegistryRef
    period: str
    sum_root: str
    batches_root: str
    totals: list[Total]
    issued_at: str
    v: int = VERSION


Payload = (
    KeyRegister
    | KeyRotate
    | KeyRevoke
    | Delegation
    | RegistryKey
    | Claim
    | Consent
    | ConsentMature
    | Withdraw
    | Licence
    | DatasetManifest
    | Run
    | UsageBatch
    | Snapshot
    | PeriodClose
    | Erase
)


class RecoveryCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="recovery-codes"):
    """The codes that may bring a new key to an account that has lost its own; signed by a live root key, not logged.

    ``digests``: SHA-256 of each code's ASCII characters, sorted. They replace every code that was not used.
    """

    registry: RegistryRef
    account: str
    genesis: str
    digests: list[str]
    issued_at: str
    nonce: str
    v: int = VERSION


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
    v: int = VERSION


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


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use of one work (semantics 20). ``id`` = digest of (organisation, licence or statement, work, run, atom,
    unit, seq): reporting again has no second effect."""

    id: str
    licence: str | None
    statement: str | None
    work: str
    atom: str
    run: str
    unit: str
    seq: int
    quantity: int
    at: str
    match: Literal["exact", "near"]
