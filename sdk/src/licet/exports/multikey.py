"""Ed25519 public keys as others write them: Multikey in base58btc, and ``did:key`` (W3C CID 1.0, did:key)."""

from __future__ import annotations

from typing import Final

from licet.errors import MalformedError
from licet.statements.points import check_public

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519: Final = b"\xed\x01"  # multicodec ed25519-pub as a varint
_MAX_TEXT: Final = 128  # a signature takes 88


def to_base58(data: bytes) -> str:
    """Return ``data`` in multibase base58btc: ``z``, then the digits."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def from_base58(text: str, field: str) -> bytes:
    """Return the bytes whose one multibase base58btc spelling is ``text``; raises ``MalformedError``."""
    digits = text[1:]
    if not 1 < len(text) <= _MAX_TEXT or text[0] != "z" or any(digit not in _ALPHABET for digit in digits):
        raise MalformedError(f"{field}: expected base58btc after a z, got {text!r:.80}", field=field)
    number = 0
    for digit in digits:
        number = number * 58 + _ALPHABET.index(digit)
    zeroes = len(digits) - len(digits.lstrip("1"))
    return bytes(zeroes) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def did_key(public: bytes) -> str:
    """Return the ``did:key`` of a 32-byte Ed25519 public key."""
    return f"did:key:{to_base58(_ED25519 + public)}"


def public_of(did: str, field: str) -> bytes:
    """Return the 32 bytes of the usable Ed25519 key that ``did`` is; raises ``MalformedError`` for any other text."""
    raw = from_base58(did.removeprefix("did:key:"), field) if did.startswith("did:key:") else b""
    if len(raw) != 34 or raw[:2] != _ED25519:
        raise MalformedError(f"{field}: expected the did:key of an Ed25519 key, got {did!r:.80}", field=field)
    check_public(raw[2:], field)
    return raw[2:]
