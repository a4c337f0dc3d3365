"""Ed25519 keys: made, kept in a file of one's own, named by the digest of their public half.

Verification is that of RFC 8032 as OpenSSL does it: S below the group order, R compared byte for byte (so a
non-canonical R fails), the equation without the cofactor. On top of that, public keys must be canonical points of the
curve and not of small order: with those, one signature would hold for many messages. What stays as in OpenSSL: an R of
small order, and keys with a small-order component, which no list can name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from licet.errors import InputError, MalformedError, VerificationError

# Field prime and curve constant of edwards25519 (RFC 8032, section 5.1).
_PRIME: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
# The y of the eight points of order 1, 2, 4 and 8. Their six other encodings (C2SP CCTV) have a y that is not below
# the prime, or x = 0 with the sign bit set; both fall under the checks on y, which leave the sign bit aside.
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


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


def check_public(raw: bytes, field: str = "public") -> None:
    """Return only if these bytes are a public key in canonical form and not of small order: ``MalformedError``."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if len(raw) != 32 or y >= _PRIME or y in _SMALL_ORDER_Y or not _on_curve(y):
        raise MalformedError(f"{field}: expected an Ed25519 public key in canonical form and not of small order")


@lru_cache(4096)
def _on_curve(y: int) -> bool:
    """Whether x² = (y² − 1) / (d·y² + 1) has a root, by Euler's criterion."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    return pow(square, (_PRIME - 1) // 2, _PRIME) == 1


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
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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


class KeySet:
    """Public keys by key id: the only keys that a verification may use."""

    def __init__(self, publics: Iterable[bytes] = ()) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        for public in publics:
            self.add(public)

    def add(self, public: bytes) -> str:
        """Make ``public`` (32 bytes) known and return its key id; raises ``MalformedError`` for an unusable key."""
        name = key_id(public)
        if name not in self._keys:
            check_public(public)
            self._keys[name] = Ed25519PublicKey.from_public_bytes(public)
        return name

    def __or__(self, other: KeySet) -> KeySet:
        """Return a set that knows the keys of both."""
        both = KeySet()
        both._keys = self._keys | other._keys
        return both

    def __contains__(self, keyid: object) -> bool:
        return keyid in self._keys

    def verify(self, keyid: str, signature: bytes, message: bytes) -> None:
        """Return if ``signature`` is by ``keyid`` over ``message``; else raise ``VerificationError``."""
        key = self._keys.get(keyid)
        if key is None:
            raise VerificationError(f"expected a signature by a known key, got key {keyid}")
        try:
            key.verify(signature, message)
        except InvalidSignature:
            raise VerificationError(f"the signature by key {keyid} does not hold") from None
