"""Asking witnesses for cosignatures (C2SP tlog-witness, ``add-checkpoint``): bytes out, an answer in, no connection.

A log keeps, per witness, the size that this witness cosigned last; it sends the consistency proof from there. A witness
that knows another size says so (409), and is asked again from that size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from licet.canonical import to_base64
from licet.errors import InputError, MalformedError, ServiceError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, note
from licet.log.merkle import HASH_SIZE

ADD_CHECKPOINT: Final = "add-checkpoint"  # below the witness's submission prefix
SIZE_TYPE: Final = "text/x.tlog.size"
MAX_PROOF: Final = 63
MAX_ANSWER: Final = 65_536


class Cosigned(msgspec.Struct, frozen=True):
    """The witness cosigned: its lines that hold, verified, at least one."""

    lines: tuple[note.Signature, ...]


class OtherSize(msgspec.Struct, frozen=True):
    """The witness cosigned ``size`` last: a proof from there is what it takes."""

    size: int


def submission_url(prefix: str) -> str:
    """Return the address to POST to, of a witness whose submission prefix is ``prefix``."""
    return f"{prefix.rstrip('/')}/{ADD_CHECKPOINT}"


def request_body(old: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """Return the body of ``add-checkpoint``: from tree size ``old``, by this consistency proof, to ``checkpoint``.

    From size 0 the proof is empty. Raises ``InputError`` for a proof that no request may carry and
    ``MalformedError`` for what is not a signed checkpoint.
    """
    stated = checkpoints.parse(note.parse(checkpoint).text, extensions=True)
    if not 0 <= old <= stated.size:
        raise InputError(f"expected an old size between 0 and {stated.size}, got {old}")
    if len(proof) > MAX_PROOF or any(len(value) != HASH_SIZE for value in proof) or (proof and old in (0, stated.size)):
        raise InputError(f"expected a consistency proof from {old} to {stated.size}, got {len(proof)} hashes")
    lines = "".join(f"{to_base64(value)}\n" for value in proof)
    return f"old {old}\n{lines}\n{checkpoint}".encode()


class Request(msgspec.Struct, frozen=True):
    """What a log asks of a witness. That it parsed says nothing about who signed the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: str  # the signed note, verbatim
    stated: checkpoints.Checkpoint


def parse_request(data: bytes) -> Request:
    """Return the request that the body of ``add-checkpoint`` states; `request_body` gives the same bytes back.

    Raises ``MalformedError`` for anything that tlog-witness does not allow.
    """
    if len(data) > note.MAX_BYTES:
        raise MalformedError(f"expected a request of at most {note.MAX_BYTES} bytes, got {len(data)}")
    head, blank, rest = data.partition(b"\n\n")
    try:
        lines, checkpoint = head.decode("ascii").split("\n"), rest.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"expected a request in UTF-8, got {error.reason} at byte {error.start}") from None
    if not blank or not lines[0].startswith("old "):
        raise MalformedError("expected a line 'old N', proof lines, an empty line and a checkpoint, got another shape")
    old = checkpoints.parse_decimal(lines[0].removeprefix("old "), "old size")
    if len(lines) - 1 > MAX_PROOF:
        raise MalformedError(f"expected at most {MAX_PROOF} proof lines, got {len(lines) - 1}")
    proof = tuple(checkpoints.parse_hash(line, "proof line") for line in lines[1:])
    stated = checkpoints.parse(note.parse(checkpoint).text, extensions=True)
    return Request(old, proof, checkpoint, stated)


def read_answer(
    status: int,
    content_type: str | None,
    body: bytes,
    keys: Sequence[note.NoteVerifier],
    checkpoint: str,
) -> Cosigned | OtherSize:
    """Return what the answer to ``add-checkpoint`` says about ``checkpoint``, the signed note that was sent.

    ``keys`` are those that this witness is known by; lines by others are passed over. Raises
    ``VerificationError`` for a line of a known key that does not hold, for cosignatures without a time and for an
    answer without any of these keys' lines; ``ServiceError`` for a refusal (403, 404, 422, …) and ``MalformedError``
    for what is no answer of a witness.
    """
    if len(body) > MAX_ANSWER:
        raise MalformedError(f"expected an answer of at most {MAX_ANSWER} bytes, got {len(body)}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("expected an answer in UTF-8, got other bytes") from None
    if status == 409:
        kind = (content_type or "").partition(";")[0].strip().lower()
        if kind != SIZE_TYPE or not text.endswith("\n"):
            raise MalformedError(f"expected the size that the witness knows ({SIZE_TYPE}), got {kind!r:.80}")
        return OtherSize(checkpoints.parse_decimal(text[:-1], "size"))
    if status != 200:
        said = "".join(each if each.isprintable() else " " for each in text[:200]).strip()
        raise ServiceError(f"the witness refused the checkpoint: {status} {said}".rstrip(), status=status)
    signed = note.parse(checkpoint)
    answered = note.parse(f"{signed.text}\n{text}")
    if answered.text != signed.text:
        raise MalformedError("expected signature lines alone, got other text before them")
    lines = cosignature.cosignatures(f"{signed.text}\n{text}", keys)
    if not lines:
        names = ", ".join(sorted({each.name for each in keys}))
        raise VerificationError(f"expected a cosignature by {names}, got none")
    if any(cosignature.time_of(line) == 0 for line in lines):
        raise VerificationError(f"expected a cosignature with its time, got one by {lines[0].name} without")
    return Cosigned(lines)


def with_cosignatures(checkpoint: str, lines: Iterable[note.Signature]) -> str:
    """Return the signed ``checkpoint`` with these lines under its own: what a log publishes.

    The first line, the log's own, stays as it is. A line by a key that is there already takes the place of the older
    one, so collecting again has no second effect.
    """
    signed = note.parse(checkpoint)
    own, *others = signed.signatures
    merged = {(line.name, line.key_id): line for line in (*others, *lines)}
    merged.pop((own.name, own.key_id), None)
    return note.serialise(note.Note(signed.text, (own, *merged.values())))
