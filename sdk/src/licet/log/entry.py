"""What one leaf of the log holds: when, what kind of statement, and a commitment to it; nothing personal.

Commitments to statements are salted, so that a statement erased with its salt leaves nothing to guess at.
The kinds that everybody must be able to check against the log carry the plain digest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from licet import canonical, times
from licet.errors import InputError, MalformedError, VerificationError

VERSION: Final = 1
MAX_BYTES: Final = 65_535
SALT_BYTES: Final = 32

REGISTRY_KEY_KINDS: Final = frozenset({"registry-key", "registry-key-revoke"})
PUBLIC_KINDS: Final = REGISTRY_KEY_KINDS | {"snapshot", "period-close"}
KINDS: Final = PUBLIC_KINDS | {
    "consent",
    "key-register",
    "key-rotate",
    "key-revoke",
    "delegation",
    "claim",
    "work-update",
    "split",
    "split-answer",
    "consent-mature",
    "dispute-step",
    "quote",
    "licence",
    "licence-request",
    "licence-answer",
    "licence-reply",
    "licence-revoke",
    "duty-done",
    "run",
    "usage-batch",
    "revenue-report",
    "dataset-manifest",
    "model-card",
    "audit-finding",
    "erase",
}

_HOLE: Final = "*"
_HEAD: Final = b'{"commitment":"'  # of every canonical entry
_AFTER: Final = len(_HEAD) + 64
_HEX: Final = b"0123456789abcdef"
_OF_KEYS: Final = b'","kind":"registry-key'  # what follows the commitment in an entry about the registry's keys
_COMMITMENT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: format version, kind of statement, time the log gave it, hex commitment to its envelope."""

    v: int
    kind: str
    time: str
    commitment: str


class KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the entry at ``index`` says of a statement about the registry's keys: kind, hex SHA-256 of its envelope."""

    index: int
    kind: str
    commitment: str


_DECODER: Final = msgspec.json.Decoder(Entry)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def encode(entry: Entry) -> bytes:
    """Return the canonical bytes that the leaf hash is over, at most 65,535. Raises ``InputError``."""
    _check(entry, InputError)
    return canonical.encode(entry)


def encoded(kind: str, time: str, commitments: Sequence[str]) -> list[bytes]:
    """Return what `encode` gives for an entry of each of ``commitments``; raises ``InputError`` as it does."""
    _check(Entry(VERSION, kind, time, "0" * 64), InputError)
    before, after = canonical.encode(Entry(VERSION, kind, time, _HOLE)).split(_HOLE.encode())
    for each in commitments:
        if not _COMMITMENT.fullmatch(each):
            raise InputError(f"expected a commitment of 64 lower-case hex digits, got {each!r:.80}")
    return [before + each.encode() + after for each in commitments]


def parse(data: bytes) -> Entry:
    """Return the entry that ``data`` is the canonical form of, else raise ``MalformedError``."""
    entry = canonical.decode_as(Entry, data, limit=MAX_BYTES)
    _check(entry, MalformedError)
    return entry


def check_run(bundle: Sequence[bytes], time: str, index: int) -> str:
    """Return the time of the last of ``bundle``, entries in a row from ``index`` on, once each is one and none is
    before the one in front of it (``time`` for the first). Raises ``VerificationError`` with the first index.
    """
    known: dict[bytes, str] = {}  # what follows the commitment of entries that passed → their time
    for place, data in enumerate(bundle):
        stated = known.get(data[_AFTER:])
        if stated is None or not data.startswith(_HEAD) or data[len(_HEAD) : _AFTER].strip(_HEX):
            # Of an entry like one before only the commitment has to be looked at; this one is looked at as a whole.
            stated = _checked(data, index + place).time
            known[data[_AFTER:]] = stated
        if stated < time:
            raise VerificationError(
                f"entry {index + place}: its time {stated} is before that of the entry in front of it",
                index=index + place,
            )
        time = stated
    return time


def about_registry_keys(bundle: Sequence[bytes]) -> list[int]:
    """Return the places in ``bundle``, whose entries `check_run` has passed, of those about the registry's keys."""
    return [place for place, data in enumerate(bundle) if data.startswith(_OF_KEYS, _AFTER)]


def _checked(data: bytes, index: int) -> Entry:
    try:
        entry = _DECODER.decode(data)
        # As `parse` has it, for this Struct, without a walk over every value; whoever fails is asked by it why.
        if _ENCODER.encode(entry) == data:
            _check(entry, MalformedError)
            return entry
    except (msgspec.MsgspecError, ValueError, InputError):
        pass
    try:
        return parse(data)
    except InputError as error:
        raise VerificationError(f"entry {index}: {error.message}", index=index) from None


def commitment(kind: str, salt: bytes | None, envelope: bytes) -> str:
    """Return the hex commitment to the bytes of ``envelope``; raises as `commitment_to` does."""
    return commitment_to(kind, salt, sha256(envelope).digest())


def commitment_to(kind: str, salt: bytes | None, digest: bytes) -> str:
    """Return the hex commitment to the envelope whose SHA-256 is ``digest``.

    For public kinds SHA-256(envelope), without a salt; for all others, with their 32 bytes of salt,
    SHA-256("licet/<kind>/v1" ‖ salt ‖ SHA-256(envelope)). Raises ``InputError`` for an unknown kind or
    a salt that does not go with it.
    """
    if kind not in KINDS:
        raise InputError.field("kind", "a kind of the log", kind)
    if kind in PUBLIC_KINDS:
        if salt is not None:
            raise InputError(f"expected no salt for the public kind {kind}, got one")
        return digest.hex()
    if salt is None or len(salt) != SALT_BYTES:
        raise InputError(f"expected a salt of {SALT_BYTES} bytes for {kind}, got {salt and len(salt)}")
    return sha256(f"licet/{kind}/v1".encode() + salt + digest).hexdigest()


def verify_commitment(entry: Entry, salt: bytes | None, envelope: bytes) -> None:
    """Return only if ``entry`` commits to exactly these bytes under this salt, else ``VerificationError``."""
    if commitment(entry.kind, salt, envelope) != entry.commitment:
        raise VerificationError(f"the log entry of kind {entry.kind} commits to another statement or salt")


def _check(entry: Entry, error: type[InputError]) -> None:
    if entry.v != VERSION:
        raise error(f"expected a log entry of version {VERSION}, got {entry.v}")
    if entry.kind not in KINDS:
        raise error(f"expected a kind of the log, got {entry.kind!r:.80}")
    if not _COMMITMENT.fullmatch(entry.commitment):
        raise error(f"expected a commitment of 64 lower-case hex digits, got {entry.commitment!r:.80}")
    try:
        times.from_text(entry.time)
    except InputError as cause:
        raise error(cause.message) from None
