"""Checkpoints (C2SP tlog-checkpoint): what a log signs about its whole tree at one size."""

from __future__ import annotations

from typing import Final

import msgspec

from licet.canonical import from_base64, to_base64
from licet.errors import MalformedError, VerificationError
from licet.log import note
from licet.log.keys import LogKeys, Span
from licet.log.merkle import HASH_SIZE, MAX_SIZE


class Checkpoint(msgspec.Struct, frozen=True):
    """The log ``origin`` had exactly ``size`` entries whose tree has this ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes


_MAX_ORIGIN: Final = 255
_COSIGNATURES: Final = frozenset({8 + 64, 8 + 2420})  # bytes: a time, and a signature of type 0x04 or 0x06


def encode(checkpoint: Checkpoint) -> str:
    """Return the note text: origin, size and base64 root, a line each.

    Raises ``MalformedError`` for a checkpoint that no text can carry.
    """
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{to_base64(checkpoint.root)}\n"
    parse(text)
    return text


def parse(text: str, *, extensions: bool = False) -> Checkpoint:
    """Return the checkpoint that this note text states, verified by nobody.

    Raises ``MalformedError`` for anything but the three lines; extension lines, which monitors cannot
    audit, are refused, so `encode` gives the same text back. With ``extensions``, they are passed over: for
    whoever signs or counts signatures over other people's checkpoints (tlog-checkpoint, "Note text").
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or "" in lines[:-1] or (len(lines) > 4 and not extensions):
        raise MalformedError(f"expected a checkpoint of 3 lines, got {text!r:.120}")
    origin, size, root = lines[:3]
    if not note.is_key_name(origin) or len(origin.encode()) > _MAX_ORIGIN:
        raise MalformedError(f"expected an origin without spaces and plus, got {origin!r:.80}")
    return Checkpoint(origin, parse_decimal(size, "tree size"), parse_hash(root, "root"))


def parse_hash(text: str, field: str) -> bytes:
    """Return the 32 bytes that ``text`` is the base64 of, else raise ``MalformedError``."""
    value = from_base64(text, field)
    if len(value) != HASH_SIZE:
        raise MalformedError(f"{field}: expected a hash of {HASH_SIZE} bytes, got {len(value)}")
    return value


def parse_decimal(text: str, field: str) -> int:
    """Return the number up to 2^63−1 whose one decimal spelling is ``text``, else ``MalformedError``."""
    if 0 < len(text) <= 19 and text.isascii() and text.isdigit() and (text == "0" or text[0] != "0"):
        number = int(text)
        if number <= MAX_SIZE:
            return number
    raise MalformedError(f"{field}: expected a decimal number without leading zeroes, got {text!r:.40}")


def sign(checkpoint: Checkpoint, *signers: note.NoteSigner) -> str:
    """Return ``checkpoint`` as a note signed by ``signers``; the log's own key comes first."""
    return note.sign(encode(checkpoint), *signers)


def open(  # noqa: A001  (reads as checkpoint.open)
    text: bytes | str,
    verifier: note.NoteVerifier | LogKeys,
    *,
    witnesses: tuple[note.NoteVerifier, ...] = (),
    closed: bool = False,
) -> Checkpoint:
    """Return the checkpoint, signed by ``verifier``, whose name is the log's origin.

    Of a log with several keys one that counts at this size must have signed, and every line by such a key must hold.
    Lines by known ``witnesses`` must hold too, but none is required. With ``closed``, lines by unknown keys are refused
    but for those shaped as the cosignature of somebody else: whom a log is watched by need not be known to everybody
    (signed-note, "Signatures"). Raises ``VerificationError`` for a wrong origin, a missing or a false signature, and
    ``MalformedError`` for what is not a checkpoint.
    """
    parsed = note.parse(text)
    keys = verifier if isinstance(verifier, LogKeys) else LogKeys(verifier.name, [Span(verifier, 0)])
    stated = parse(parsed.text) if len(keys.spans) > 1 or keys.spans[0].since else None
    size = 0 if stated is None else stated.size
    if stated is not None and not any(
        (line.name, line.key_id) == (each.name, each.key_id) for line in parsed.signatures for each in keys.at(size)
    ):
        for line in parsed.signatures:
            if line.name == keys.name and (why := keys.stranger(line, size)):
                raise VerificationError(why)
    verified = note.verify(text, (*witnesses, *keys.at(size)))
    if closed:
        known = {(each.name, each.key_id) for each in witnesses}
        for line in parsed.signatures:
            cosigned = len(line.value) in _COSIGNATURES and line.name != keys.name
            if (line.name, line.key_id) not in known and not cosigned and (why := keys.stranger(line, size)):
                raise VerificationError(why)
    checkpoint = parse(verified.text) if stated is None else stated
    if checkpoint.origin != keys.name:
        raise VerificationError(f"expected a checkpoint of {keys.name}, got one of {checkpoint.origin}")
    enough = {(each.name, each.key_id) for each in keys.sufficient(size)}
    if not any((line.name, line.key_id) in enough for line in verified.signatures):
        raise VerificationError(f"expected a signature by the log {keys.name}, got none")
    return checkpoint
