"""Works, uploads, consent statements."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt
from licet.wire.splits import Restriction, WorkSplit

#: The first that fits a work: withdrawn · nothing signed · in a conflict · looser terms on hold · all in force.
State = Literal["withdrawn", "unsigned", "challenged", "contested", "pending", "frozen", "disputed", "in-force"]
#: Whether crops, frames and collages of a work are found: yes · its picture has too little that could be found again ·
#: the service never saw the picture · it saw it, and what is looked in now was not made of it.
Parts = Literal["found", "too-plain", "not-sent", "not-looked-at"]


class WorkIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A work to register. ``work`` is a fresh ``wrk_`` id that the client chose: a retry has no second effect.

    ``upload`` mode needs an earlier ``PUT /v1/uploads/{sha256}`` by the same account, whose fingerprints count;
    in ``fingerprint-only`` mode those sent here count, and such a work may deny but never license (semantics 5).
    Without any ``sha256`` it is known by its ``urls`` alone, and has no other fingerprint. A rule for a whole ``site``
    has nothing else at all, and needs a proven domain. ``iscc`` (content and instance code, 256 bits each, a space
    between) is to be signed with the work; of an upload the service's own count. A text has ``sha256`` and ``iscc``.
    """

    work: str
    mode: Literal["upload", "fingerprint-only"]
    sha256: str | None = None
    pixels: str | None = None
    pdq: str | None = None
    quality: int | None = None
    title: str | None = None
    creator: str | None = None
    created: str | None = None
    tags: list[str] = []
    external_id: str | None = None
    urls: list[str] = []
    site: str | None = None
    iscc: str | None = None


class WorksRegister(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    works: list[WorkIn]  # at most 1,000


class WorkOutcome(msgspec.Struct, frozen=True):
    """``registered`` (``digest`` is to be signed), ``duplicate`` of one's own ``existing`` work, or ``refused``.

    ``digest`` is that of the existing work for a duplicate; ``signed`` tells whether a consent covers it already
    (an interrupted registration leaves works without one, and the next run signs them).
    """

    work: str
    status: Literal["registered", "duplicate", "refused"]
    digest: str | None = None
    existing: str | None = None
    signed: bool = False
    reason: str | None = None
    similar: list[str] = []  # existing works of other accounts that this one matches: contested or challenged
    parts: Parts | None = None  # whether crops and collages of it are found; null for texts, sites and what is refused


class WorksRegistered(msgspec.Struct, frozen=True):
    items: list[WorkOutcome]  # in the order sent


class Waiting(msgspec.Struct, frozen=True):
    """Terms that are on hold: they take effect ``until`` then, or later while the work is contested or challenged."""

    statement: str
    terms_hash: str
    until: str | None  # null until the statement is in the log


class WorkChallenge(msgspec.Struct, frozen=True):
    """The claim is like a verified claimant's: without effect unless the account reaches claim ``level`` by ``until``.

    ``lapsed``: it did not; the claim stays without effect until the work is signed for anew.
    """

    level: int
    until: str | None  # null once it has lapsed, and until its statement is in the log
    lapsed: bool


class WorkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further file of a work, which it is recognised by as well: what it was before a change, or another copy."""

    sha256: str
    pixels: str | None = None
    pdq: str | None = None
    quality: int | None = None
    iscc: str | None = None


class Work(msgspec.Struct, frozen=True):
    """A work as its owner sees it. ``terms_hash`` is of the terms in force, ``stated`` of those that a statement gave
    to this very work (null: only the catalogue speaks for it). ``revision`` counts changes of its metadata."""

    work: str
    title: str | None
    creator: str | None
    mode: str
    sha256: str | None  # null: known by its addresses alone
    pixels: str | None
    pdq: str | None
    quality: int | None
    urls: list[str]
    tags: list[str]
    external_id: str | None
    digest: str
    created: str | None
    registered_at: str
    statement: str | None
    terms_hash: str | None
    log_index: int | None
    contested: bool
    challenged: bool
    withdrawn: bool
    revision: int = 1
    state: State = "unsigned"
    level: int = 0  # the claim level of the account
    stated: str | None = None
    waiting: Waiting | None = None
    similar: list[str] = []  # works of other accounts that match this one
    in_snapshot: bool = False  # the published snapshot says what is in force now
    files: list[WorkFile] = []  # beside the present one, by rising sha256
    split: WorkSplit | None = None  # by which what it earns is shared
    challenge: WorkChallenge | None = None
    restricted: list[Restriction] = []  # what its co-owners say of it, by account
    site: str | None = None  # a rule for all addresses below it; without effect while the domain is not proven
    site_proven: bool | None = None  # null for what is no site
    iscc: str | None = None
    denied_by: list[str] = []  # those of ``similar`` that an erased account left a deny for: it stays
    changed_by: str | None = None  # the statement that last changed what it is recognised by
    changed_index: int | None = None
    parts: Parts | None = None  # whether crops and collages of it are found; null for texts, sites and if withdrawn


class MetadataChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a work's metadata: what is absent stays, null or an empty list clears."""

    title: str | msgspec.UnsetType | None = msgspec.UNSET
    creator: str | msgspec.UnsetType | None = msgspec.UNSET
    created: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    external_id: str | msgspec.UnsetType | None = msgspec.UNSET


class WorkChange(MetadataChange, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The change of one work among many, made only while its ``revision`` is the one named (null: whichever)."""

    work: str
    revision: int | None = None


class WorksChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    changes: list[WorkChange]  # at most 1,000, each of another work


class ChangeOutcome(msgspec.Struct, frozen=True):
    """``updated``, ``unchanged`` (it said so already), or ``refused``; the work's revision as it is now."""

    work: str
    status: Literal["updated", "unchanged", "refused"]
    revision: int | None = None
    reason: str | None = None


class WorksChanged(msgspec.Struct, frozen=True):
    items: list[ChangeOutcome]  # in the order sent


class WorksFind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of one's own works have these keys. At most 1,000 of each.

    ``addresses`` ask for works that are known by exactly these addresses and nothing else: SHA-256, hex, of the
    canonical addresses in rising order, a line feed between them. Or the rules of exactly these sites: SHA-256 of
    ``site``, a space, and the site.
    """

    sha256: list[str] = []
    external_ids: list[str] = []
    works: list[str] = []
    addresses: list[str] = []


class WorksFound(msgspec.Struct, frozen=True):
    """By file, addresses and external id (of one at most three) those that are not withdrawn, by name all."""

    works: list[Work]


class StatementDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask for the exact bytes to sign: terms for these works, or for the catalogue (``works`` null)."""

    works: list[str] | None
    terms: dict[str, Any]
    lang: Literal["en", "zh-Hans"] = "en"


class StatementDrafted(msgspec.Struct, frozen=True):
    payload: str  # base64 of the canonical payload
    payload_type: str
    text: str  # the plain language whose digest is in ``shown``


class WorkKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a work is recognised by from now on, beside what it was: the file that it is now, further addresses.

    The file is in the work's mode: of a work in ``upload`` mode the service's own fingerprints of an earlier
    ``PUT /v1/uploads/{sha256}`` count, of one in ``fingerprint-only`` mode those sent here.
    """

    work: str
    sha256: str | None = None
    pixels: str | None = None
    pdq: str | None = None
    quality: int | None = None
    urls: list[str] = []
    iscc: str | None = None


class StatementSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``consent`` or ``work-update`` envelope, and the works under its root (empty for a catalogue).

    ``adds`` say, for each work under an update of keys, what it adds; at most 1,000 works, and none for others.
    """

    envelope: Envelope
    works: list[str]
    adds: list[WorkKeys] = []


class StatementAccepted(msgspec.Struct, frozen=True):
    """In the log and in force, or ``pending_until`` for a loosening."""

    statement: str
    effect: str
    log_index: int
    pending_until: str | None
    works: int
    receipt: Receipt


class StatementKept(msgspec.Struct, frozen=True):
    """What a home keeps of a statement that was acknowledged: as signed, the receipt, the works that it covers.

    ``digests`` are those of the works as they were signed for, in their order; none where they were not kept.
    """

    envelope: Envelope
    receipt: Receipt
    works: list[str]
    digests: list[str] = []


class StatementInfo(msgspec.Struct, frozen=True):
    statement: str
    effect: str
    scope: str
    works: int
    terms_hash: str
    log_index: int | None
    accepted_at: str
    pending_until: str | None
