"""Signed notes (C2SP signed-note): text that ends in a newline, a blank line, signature lines.

A note may carry lines by keys that the reader does not know (witnesses, newer algorithms): parsing keeps
them, verification passes them over. A line by a known key must hold, or the whole note is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from licet.canonical import from_base64, to_base64
from licet.errors import InputError, MalformedError, VerificationError

MAX_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
ED25519: Final = 0x01

_DASH: Final = "— "
_KEY_NAME: Final = re.compile(r"[^\x00-\x1f\s+\ud800-\udfff]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signature(msgspec.Struct, frozen=True):
    """One signature line: who says to have signed, with which key (4 bytes), and the signature itself."""

    name: str
    key_id: bytes
    value: bytes


class Note(msgspec.Struct, frozen=True):
    """A note as parsed; that it parsed says nothing about who signed it."""

    text: str
    signatures: tuple[Signature, ...]


class NoteVerifier(Protocol):
    """What checks the lines of one key; `Verifier` is the one for Ed25519."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    @property
    def public_key(self) -> bytes: ...
    @property
    def vkey(self) -> str: ...

    def verify(self, text: str, value: bytes) -> None:
        """Return only if ``value`` is this key's signature over ``text``, else ``VerificationError``."""


class NoteSigner(Protocol):
    """What adds the line of one key; `Signer` is the one for Ed25519."""

    def sign(self, text: str) -> Signature: ...


class Verifier:
    """An Ed25519 public key under a name."""

    __slots__ = ("_key", "key_id", "name", "public_key")

    def __init__(self, name: str, public_key: bytes) -> None:
        """Take the 32 bytes of RFC 8032. Raises ``MalformedError`` for another length or an unfit name."""
        if not is_key_name(name):
            raise MalformedError(f"expected a key name without spaces and plus, got {name!r:.80}")
        if len(public_key) != 32:
            raise MalformedError(f"expected a public key of 32 bytes, got {len(public_key)}")
        self.name: Final = name
        self.public_key: Final = bytes(public_key)
        self.key_id: Final = key_id(name, ED25519, public_key)
        self._key: Final = Ed25519PublicKey.from_public_bytes(self.public_key)

    @classmethod
    def from_vkey(cls, text: str) -> Verifier:
        """Return the key that ``name+hex(key id)+base64(0x01 ‖ public key)`` writes down.

        Raises ``MalformedError`` for another shape, an id that is not the key's, or another algorithm.
        """
        name, _, rest = text.partition("+")
        stated_id, _, material = rest.partition("+")
        data = from_base64(material, "verifier key")
        if len(data) != 33 or data[0] != ED25519:
            raise MalformedError("verifier key: expected an Ed25519 key (type 0x01, 32 bytes), got another")
        verifier = cls(name, data[1:])
        if stated_id != verifier.key_id.hex():
            raise MalformedError(f"verifier key: expected id {verifier.key_id.hex()}, got {stated_id!r:.20}")
        return verifier

    @property
    def vkey(self) -> str:
        """The text that `from_vkey` reads."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([ED25519]) + self.public_key)}"

    def verify(self, text: str, value: bytes) -> None:
        """Return only if ``value`` is this key's signature over ``text``, else ``VerificationError``."""
        try:
            self._key.verify(value, _utf8(text))
        except InvalidSignature:
            raise VerificationError(f"the signature by {self.name} does not hold", name=self.name) from None


class Signer:
    """An Ed25519 private key under a name."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the 32-byte private key of RFC 8032. Raises ``MalformedError`` for anything else."""
        if len(seed) != 32:
            raise MalformedError(f"expected a private key of 32 bytes, got {len(seed)}")
        self._key: Final = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier: Final = Verifier(name, self._key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """The name that its signature lines carry."""
        return self.verifier.name

    def sign(self, text: str) -> Signature:
        """Return this key's line for ``text``."""
        return Signature(self.verifier.name, self.verifier.key_id, self._key.sign(_utf8(text)))


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Return the first 4 bytes of SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key).digest()[:4]


def is_key_name(name: str) -> bool:
    """Whether ``name`` can stand in a signature line: not empty, printable, no Unicode space, no plus."""
    return _KEY_NAME.fullmatch(name) is not None


def parse(data: bytes | str) -> Note:
    """Return the text and the signature lines of a note, none of them verified.

    Raises ``MalformedError`` for more than 1,000,000 bytes, more than 100 signatures, control characters,
    bytes that are not UTF-8 and any line that is not what signed-note says. `serialise` gives the same
    bytes back.
    """
    raw = data if isinstance(data, bytes) else _utf8(data)
    if len(raw) > MAX_BYTES:
        raise MalformedError(f"expected a note of at most {MAX_BYTES} bytes, got {len(raw)}")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"expected a note in UTF-8, got {error.reason} at byte {error.start}") from None
    _check_characters(whole)
    head, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise MalformedError("expected text, a blank line and signature lines, got no such note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(f"expected at most {MAX_SIGNATURES} signatures, got {len(lines)}")
    return Note(head + "\n", tuple(_parse_line(line) for line in lines))


def serialise(note: Note) -> str:
    """Return the note as text: what it says, a blank line, a line per signature.

    Raises ``InputError`` for a text that no note can carry or a note without signatures.
    """
    if not note.text.endswith("\n"):
        raise InputError("expected note text that ends in a newline, got text that does not")
    _check_characters(note.text)
    if not 0 < len(note.signatures) <= MAX_SIGNATURES:
        raise InputError(f"expected 1 to {MAX_SIGNATURES} signatures, got {len(note.signatures)}")
    return f"{note.text}\n{lines(note.signatures)}"


def lines(signatures: Iterable[Signature]) -> str:
    """Return signature lines as text, each with its newline: what follows the blank line of a note."""
    return "".join(f"{_DASH}{line.name} {to_base64(line.key_id + line.value)}\n" for line in signatures)


def sign(text: str, *signers: NoteSigner) -> str:
    """Return ``text`` as a note signed by every one of ``signers``, in that order."""
    return serialise(Note(text, tuple(signer.sign(text) for signer in signers)))


def verify(data: bytes | str, verifiers: Iterable[NoteVerifier], *, closed: bool = False) -> Note:
    """Return the note with only those signatures that were verified, at least one.

    A line matches a verifier by name and key id. With ``closed``, a line that matches none is refused
    instead of passed over. Raises ``VerificationError`` where a known key's signature does not hold or
    none is there, ``MalformedError`` for what is not a note.
    """
    note = parse(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: list[Signature] = []
    for line in note.signatures:
        verifier = known.get((line.name, line.key_id))
        if verifier is not None:
            verifier.verify(note.text, line.value)
            verified.append(line)
        elif closed:
            raise VerificationError(f"a signature line by an unknown key: {line.name} {line.key_id.hex()}")
    if not verified:
        names = ", ".join(sorted({name for name, _ in known})) or "nobody"
        raise VerificationError(f"expected a signature by {names}, got none")
    return Note(note.text, tuple(verified))


def _parse_line(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise MalformedError(f"expected a signature line '— name base64', got {line!r:.80}")
    value = from_base64(encoded, "signature")
    if len(value) < 5:
        raise MalformedError(f"expected a key id and a signature, got {len(value)} bytes")
    return Signature(name, value[:4], value[4:])


def _check_characters(text: str) -> None:
    if found := _CONTROL.search(text):
        raise MalformedError(f"expected no control characters but newline, got {found[0]!r}")


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError("expected text that UTF-8 can carry, got a lone surrogate") from None
