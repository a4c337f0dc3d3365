"""Keys of accounts: registered, rotated, revoked, delegated to, and the codes that bring one back.

What changes an account's keys names in ``prev`` the statement about its keys in front of it (hex SHA-256 of that one's
payload), so that none of them can be left out of a history but the last ones. Statements of before have no ``prev``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, Budget, RegistryRef
from licet.statements.webauthn import Passkey


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
    prev: str | msgspec.UnsetType = msgspec.UNSET


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
    prev: str | msgspec.UnsetType = msgspec.UNSET


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
    prev: str | msgspec.UnsetType = msgspec.UNSET


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
    prev: str | msgspec.UnsetType = msgspec.UNSET


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


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="token-request"):
    """The wish for a token that may do ``scopes``, also what the token that carries it may not; by a live root key.

    Not logged. It counts once, within five minutes of ``issued_at``.
    """

    registry: RegistryRef
    account: str
    genesis: str
    scopes: list[str]  # sorted
    issued_at: str
    nonce: str
    v: int = VERSION
