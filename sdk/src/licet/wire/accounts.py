"""Accounts, tokens, the registry's own identity."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import KeyEvidence, Money, Receipt

SCOPES = ("account", "query", "register", "license", "usage", "audit", "payout", "erase")


class RegistryInfo(msgspec.Struct, frozen=True):
    """Who this registry is: what a client pins at first contact (``root``) and the working keys under it."""

    origin: str
    key: str  # SHA-256 hex of the root public key
    root: str  # the root public key, hex
    log_vkey: str
    keys: list[KeyEvidence]
    fee_bps: int
    vocab: int
    version: str
    url: str = ""  # where its pages are, for people; empty from a service that does not say


class AccountCreate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new account: the genesis ``key-register`` envelope (account id and kind are inside) and a display name."""

    name: str
    envelope: Envelope


class SpendLimit(msgspec.Struct, frozen=True):
    """The most that a token may charge in a calendar month (UTC): ``amount`` of ``currency``, and nothing of others.

    Counted is what licences and uses owe once they are taken and reported; not what only follows at a month's close.
    """

    amount: str  # a decimal with at most 6 decimals
    currency: str
    per: Literal["month"] = "month"


class SpendLimitWanted(SpendLimit, frozen=True, forbid_unknown_fields=True):
    """The limit that a token is to have."""


class TokenCreated(msgspec.Struct, frozen=True):
    """A token, shown this once."""

    id: str
    token: str
    scopes: list[str]
    expires_at: str
    spend_limit: SpendLimit | None = None


class AccountCreated(msgspec.Struct, frozen=True):
    """The account exists, its genesis is in the log, and ``token`` (every scope of its kind but ``erase``) opens it."""

    account: str
    genesis: str
    level: int
    token: TokenCreated
    receipt: Receipt


class KeyInfo(msgspec.Struct, frozen=True):
    """One key of an account; ``alg`` is ``ed25519`` or ``webauthn``. From ``revoked_from`` on it may only tighten."""

    keyid: str
    key_class: str
    log_index: int
    revoked_from: int | None
    alg: str = "ed25519"


class KeyStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``key-register``, ``key-rotate``, ``key-revoke`` or ``delegation``."""

    envelope: Envelope


class KeyAccepted(msgspec.Struct, frozen=True):
    """A key statement is in force and in the log."""

    statement: str
    kind: str
    keyid: str  # the key that it is about; of a rotation the new one
    log_index: int
    receipt: Receipt


class DelegationInfo(msgspec.Struct, frozen=True):
    """A delegation as it was given; the last one for a key counts, and none for a key that was revoked."""

    statement: str
    keyid: str
    scope: list[str]
    works: int | None
    budget: list[Money]
    valid_until: str
    log_index: int


#: Nobody opened it yet · a key asks to be let in · it was let in · nobody asked in time · taken back.
InvitationState = Literal["open", "asked", "joined", "expired", "withdrawn"]


class InvitationCreate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to join a team: with a key of which class, until when, and a note of whom it is for that the team sees."""

    key_class: Literal["root", "delegate"] = "root"
    expires_in_days: int = 7
    note: str = ""


class InvitationInfo(msgspec.Struct, frozen=True):
    """An invitation as its team sees it.

    Once a key has asked, ``keyid`` names it and ``envelope`` is its ``key-register``, without a root key's signature.
    """

    invitation: str
    key_class: Literal["root", "delegate"]
    note: str
    state: InvitationState
    created_at: str
    expires_at: str
    keyid: str | None = None
    asked_at: str | None = None
    envelope: Envelope | None = None


class InvitationCreated(msgspec.Struct, frozen=True):
    """The invitation, and the link to hand over, shown this once: its secret stands behind the ``#``."""

    invitation: InvitationInfo
    link: str


class InvitationSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind the ``#`` of an invitation's link."""

    secret: str


class InvitationSeen(msgspec.Struct, frozen=True):
    """An invitation as whoever holds its link sees it: into which team, and what became of it.

    ``stale``: the team's keys have changed since ``keyid`` asked, which therefore has to ask once more.
    """

    account: str
    team: str
    genesis: str
    key_class: Literal["root", "delegate"]
    state: InvitationState
    expires_at: str
    keyid: str | None = None
    stale: bool = False


class InvitationAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of an invitation, and the ``key-register`` that the new key has signed for itself."""

    secret: str
    envelope: Envelope


class RecoveryCodes(msgspec.Struct, frozen=True):
    """How many recovery codes wait to be used."""

    codes: int


class Recovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the account's recovery codes, and a ``key-register`` of class ``recovered`` signed by the new key."""

    account: str
    code: str
    envelope: Envelope


class Recovered(msgspec.Struct, frozen=True):
    """The new key is in the log; for 7 days it may only tighten. ``token`` opens the account."""

    account: str
    key: KeyAccepted
    token: TokenCreated


class PasskeyWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose passkey it is to be: the name that the browser shows, and the kind of a new account."""

    name: str
    kind: Literal["artist", "organisation"] = "artist"


class PasskeyOptions(msgspec.Struct, frozen=True, rename={"public_key": "publicKey"}):
    """What ``navigator.credentials`` takes, in its JSON form (``parseCreationOptionsFromJSON`` and its like)."""

    public_key: dict[str, Any]


class PasskeyCreated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``navigator.credentials.create`` gave, each in base64url without padding."""

    credential: str
    attestation_object: str
    client_data: str


class PasskeyDrafted(msgspec.Struct, frozen=True):
    """A ``key-register`` to sign: ``payload`` in base64, and the ``challenge`` (base64url) for the passkey."""

    keyid: str
    account: str
    payload: str
    payload_type: str
    challenge: str


class PasskeyAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``navigator.credentials.get`` gave, each in base64url without padding."""

    credential: str
    authenticator_data: str
    client_data: str
    signature: str


class SessionInfo(msgspec.Struct, frozen=True):
    """A session: whose, and by which key it was opened or raised."""

    account: str
    keyid: str
    expires_at: str


class EventInfo(msgspec.Struct, frozen=True):
    """Something that the account is told of: ``kind`` and ``topic`` for programs, ``detail`` for people.

    ``read_at`` is when its people had read it at the portal, null before.
    """

    id: str
    kind: str
    topic: str
    subject: str | None
    detail: str
    at: str
    read_at: str | None


class Alerts(msgspec.Struct, frozen=True):
    """Which topics an artist is alerted of: ``on``, ``off`` by choice, and ``always``, which nobody can switch off."""

    on: list[str]
    off: list[str]
    always: list[str]


class AlertsSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every topic that is to be off; all others are on from then."""

    off: list[str]


class ConsentHead(msgspec.Struct, frozen=True):
    """The last consent of the account: the next one has ``seq + 1`` and names ``digest`` as ``prev``."""

    seq: int
    digest: str | None


class Me(msgspec.Struct, frozen=True):
    """The account behind a token, what the token allows, and until when (null: an older service that does not say).

    ``frozen``: works that deny since the registry lost what may have been their last word, until they are signed for.
    """

    account: str
    kind: str
    name: str
    genesis: str | None
    level: int
    scopes: list[str]
    keys: list[KeyInfo]
    head: ConsentHead
    token_expires_at: str | None = None
    frozen: int = 0


class TokenCreate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the token is to do, and for how long; ``erase`` is for one day.

    ``envelope``: a ``token-request`` that a live root key of the account signed just now, for scopes that the present
    token has not.
    """

    scopes: list[str]
    expires_in_days: int = 90
    envelope: Envelope | None = None
    spend_limit: SpendLimitWanted | None = None


class TokenInfo(msgspec.Struct, frozen=True):
    """A token without its secret; ``spent`` is what it charged this month, null where it has no limit."""

    id: str
    scopes: list[str]
    created_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None
    spend_limit: SpendLimit | None = None
    spent: str | None = None
