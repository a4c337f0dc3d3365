"""Keys that sign statements: Ed25519 keys kept in a file of one's own, and passkeys; which key is called what.

An Ed25519 key is named by the digest of its public half, a passkey by the digest of everything that its registration
says of it, so the same 32 bytes as one and as the other are two keys and no signature of one passes for the other's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from licet import canonical
from licet.errors import InputError, MalformedError, VerificationError
from licet.private import make_private
from licet.statements.kinds import AnyKey, PublicKey
from licet.statements.points import check_public
from licet.statements.webauthn import Assertion, PasskeyVerifier


def key_id(public: bytes) -> str:
    """Return the name of a public key: lower-case hex SHA-256 of its 32 bytes."""
    return hashlib.sha256(public).hexdigest()


def public_key(hexadecimal: str, field: str = "public") -> bytes:
    """Return the 32 bytes of a usable public key; raises ``MalformedError`` for any other text.

    Refused: wrong length, upper case, y not below the prime, bytes that are no point of the curve, and points of
    small order.
    """
    try:
        raw = bytes.fromhex(hexadecimal)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 32 or raw.hex() != hexadecimal:
        raise MalformedError(f"{field}: expected 64 lower-case hex digits, got {hexadecimal!r:.80}")
    check_public(raw, field)
    return raw


class SigningKey:
    """A private Ed25519 key; ``public`` is its 32 raw bytes, ``keyid`` their digest."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public: bytes = private.public_key().public_bytes_raw()
        self.keyid: str = key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over ``message`` (deterministic, RFC 8032)."""
        return self._private.sign(message)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes; for the log's note signer, never for display."""
        return self._private.private_bytes_raw()

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a fresh key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Return the key of 32 secret bytes; raises ``InputError`` for another length."""
        if len(seed) != 32:
            raise InputError.field("seed", "32 bytes", f"{len(seed)} bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Return the key kept in ``path`` (PKCS #8 PEM); raises ``InputError`` if it is none."""
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: expected an Ed25519 private key in PEM, got {error}") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise InputError(f"{path}: expected an Ed25519 private key, got another kind of key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Keep this key in a new file that only its owner may read; an existing file raises ``InputError``."""
        make_private(path.parent)
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise InputError(f"{path}: a key is kept there already; it is never overwritten") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())


def keyid_of(key: AnyKey) -> str:
    """Return the name of a key as a statement registers it; says nothing of whether the key is usable."""
    if isinstance(key, PublicKey):
        return key_id(public_key(key.public, "key.public"))
    return canonical.digest(key)


class KeySet:
    """Public keys by key id: the only keys that a verification may use."""

    def __init__(self, publics: Iterable[bytes] = ()) -> None:
        self._keys: dict[str, Ed25519PublicKey | PasskeyVerifier] = {}
        for public in publics:
            self.add(public)

    def add(self, public: bytes) -> str:
        """Make ``public`` (32 bytes) known and return its key id; raises ``MalformedError`` for an unusable key."""
        name = key_id(public)
        if name not in self._keys:
            check_public(public)
            self._keys[name] = Ed25519PublicKey.from_public_bytes(public)
        return name

    def learn(self, key: AnyKey) -> str:
        """Make ``key``, as a statement registers it, known and return its key id; ``MalformedError`` if unusable."""
        if isinstance(key, PublicKey):
            return self.add(public_key(key.public, "key.public"))
        name = keyid_of(key)
        if name not in self._keys:
            self._keys[name] = PasskeyVerifier(key)
        return name

    def __or__(self, other: KeySet) -> KeySet:
        """Return a set that knows the keys of both."""
        both = KeySet()
        both._keys = self._keys | other._keys
        return both

    def __contains__(self, keyid: object) -> bool:
        return keyid in self._keys

    def verify(self, keyid: str, signature: bytes, message: bytes, assertion: Assertion | None = None) -> None:
        """Return if ``signature`` is by ``keyid`` over ``message``; else raise ``VerificationError``.

        A passkey's signature comes with its ``assertion``, any other without one.
        """
        key = self._keys.get(keyid)
        if key is None:
            raise VerificationError(f"expected a signature by a known key, got key {keyid}")
        if isinstance(key, PasskeyVerifier):
            if assertion is None:
                raise VerificationError(f"expected a passkey's assertion beside the signature by {keyid}, got none")
            key.verify(assertion, signature, message)
            return
        if assertion is not None:
            raise VerificationError(f"expected a bare signature by the Ed25519 key {keyid}, got a passkey's assertion")
        try:
            key.verify(signature, message)
        except InvalidSignature:
            raise VerificationError(f"the signature by key {keyid} does not hold") from None
