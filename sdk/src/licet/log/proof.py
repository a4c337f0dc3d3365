"""Proof files (C2SP tlog-proof v1): that one entry is in the log, checkable offline, for years."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from licet.canonical import from_base64, to_base64
from licet.errors import MalformedError
from licet.log import checkpoint as checkpoints
from licet.log import merkle, note
from licet.log.keys import LogKeys

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_BYTES: Final = note.MAX_BYTES + 100_000
MAX_EXTRA: Final = 65_536
MAX_HASHES: Final = 63


class Proof(msgspec.Struct, frozen=True):
    """Leaf ``index`` is in the tree of ``checkpoint`` (a signed note, verbatim) by these sibling hashes.

    ``extra`` is authenticated by nothing; empty means that the line is absent.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""


def encode(proof: Proof) -> str:
    """Return the text of the proof file. Raises ``MalformedError`` for a proof that no file can carry."""
    extra = f"extra {to_base64(proof.extra)}\n" if proof.extra else ""
    hashes = "".join(f"{to_base64(value)}\n" for value in proof.hashes)
    if not 0 <= proof.index <= merkle.MAX_SIZE:
        raise MalformedError(f"index: expected a number between 0 and 2^63-1, got {proof.index}")
    _check(proof.hashes, proof.extra)
    _check_checkpoint(proof.checkpoint)
    return f"{HEADER}\n{extra}index {proof.index}\n{hashes}\n{proof.checkpoint}"


def parse(data: bytes | str) -> Proof:
    """Return the proof that this file states, verified by nobody; `encode` gives the same text back.

    Raises ``MalformedError`` for anything that tlog-proof does not allow, more than 63 hashes, more than
    64 KiB of extra data, and a checkpoint that is not one.
    """
    if len(data) > MAX_BYTES:
        raise MalformedError(f"expected a proof of at most {MAX_BYTES} bytes, got {len(data)}")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise MalformedError(f"expected a proof in UTF-8, got {error.reason} at byte {error.start}") from None
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != HEADER:
        raise MalformedError(f"expected a proof that begins with {HEADER}, got {text!r:.80}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "), "extra")
        if not extra:
            raise MalformedError(f"extra: expected 1 to {MAX_EXTRA} bytes, got 0")
    if not lines or not lines[0].startswith("index "):
        raise MalformedError("expected a line 'index N', got another")
    index = checkpoints.parse_decimal(lines.pop(0).removeprefix("index "), "index")
    hashes = tuple(from_base64(line, "hash") for line in lines)
    _check(hashes, extra)
    _check_checkpoint(checkpoint)
    return Proof(index, hashes, checkpoint, extra)


def verify(
    proof: Proof,
    entry: bytes,
    verifier: note.NoteVerifier | LogKeys,
    *,
    witnesses: tuple[note.NoteVerifier, ...] = (),
    closed: bool = False,
) -> checkpoints.Checkpoint:
    """Return the checkpoint that holds ``entry`` at ``proof.index``, signed by the log's ``verifier``.

    ``witnesses`` and ``closed`` are those of `checkpoint.open`. Raises ``VerificationError`` where anything
    does not hold.
    """
    checkpoint = checkpoints.open(proof.checkpoint, verifier, witnesses=witnesses, closed=closed)
    merkle.verify_inclusion(merkle.leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint


def _check(hashes: Sequence[bytes], extra: bytes) -> None:
    if len(extra) > MAX_EXTRA:
        raise MalformedError(f"extra: expected 1 to {MAX_EXTRA} bytes, got {len(extra)}")
    if len(hashes) > MAX_HASHES:
        raise MalformedError(f"expected at most {MAX_HASHES} hashes, got {len(hashes)}")
    for value in hashes:
        if len(value) != merkle.HASH_SIZE:
            raise MalformedError(f"expected a hash of {merkle.HASH_SIZE} bytes, got {len(value)}")


@lru_cache(maxsize=4)  # a log writes thousands of proofs for one checkpoint, and an auditor reads them
def _check_checkpoint(text: str) -> None:
    checkpoints.parse(note.parse(text).text)
