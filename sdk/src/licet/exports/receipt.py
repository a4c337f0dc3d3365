"""COSE receipts of inclusion (RFC 9942, RFC9162_SHA256): that one entry is in the log, signed for verifiers of COSE.

The log's key signs the root that it signed in a checkpoint, and nothing else: a receipt is one more spelling of a
checkpoint with a proof. What is signed begins with a byte that no UTF-8 text begins with, so neither signature ever
passes for the other.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from licet.canonical import from_base64
from licet.errors import MalformedError, VerificationError
from licet.exports import cose
from licet.log import checkpoint as checkpoints
from licet.log import merkle, note
from licet.log.keys import LogKeys
from licet.log.proof import MAX_HASHES, Proof
from licet.statements.evidence import Evidence
from licet.statements.keys import SigningKey, key_id

MEDIA_TYPE: Final = "application/cose"
VDS: Final = 395
VDP: Final = 396
RFC9162_SHA256: Final = 1
INCLUSION: Final = -1


class Placed(msgspec.Struct, frozen=True):
    """Where a receipt proves an entry to be: at ``index`` in the log of ``size`` entries with this ``root``."""

    index: int
    size: int
    root: bytes


def issue(proof: Proof, log: note.Verifier, key: SigningKey) -> bytes:
    """Return the receipt that says what ``proof`` says, signed by the log's ``key``.

    Raises ``VerificationError`` unless the checkpoint in ``proof`` is already signed by ``log``, the same key.
    """
    state = checkpoints.open(proof.checkpoint, log)
    if key.public != log.public_key:
        raise VerificationError("expected the key that signs the log's checkpoints, got another")
    content = cose.to_cbor([state.size, proof.index, list(proof.hashes)])
    return cose.sign(_protected(log), {VDP: {INCLUSION: [content]}}, state.root, key, detached=True)


def verify(receipt: bytes, entry: bytes, log: note.Verifier | LogKeys) -> Placed:
    """Return where ``receipt`` proves the bytes of ``entry`` to be in the log of ``log``.

    Raises ``MalformedError`` for what is no such receipt and ``VerificationError`` for one of another entry, by another
    key or for another log.
    """
    message = cose.parse(receipt)
    key = _signer(message.protected.get(cose.KID), log) if isinstance(log, LogKeys) else log
    expected = {**_protected(key), cose.ALG: cose.EDDSA}
    if message.protected.keys() != expected.keys():
        raise MalformedError(f"expected protected headers {sorted(expected)}, got {list(message.protected)!r:.80}")
    for label, value in expected.items():
        if message.protected[label] != value:
            raise VerificationError(f"header {label}: expected {value!r}, got {message.protected[label]!r:.120}")
    if message.payload is not None:
        raise MalformedError("expected a detached payload, which the verifier computes itself, got one in the receipt")
    size, index, path = _content(message.unprotected)
    if isinstance(log, LogKeys) and key not in log.sufficient(size):
        raise VerificationError(
            f"expected a receipt by a key of {log.name} that counts for {size} entries, got another"
        )
    root = merkle.root_of(merkle.leaf_hash(entry), index, size, path)
    cose.verify(message, key.public_key, root)
    return Placed(index, size, root)


def entry_of(evidence: Evidence) -> bytes:
    """Return the bytes of the log entry beside a statement: what a receipt is about."""
    return from_base64(evidence.entry, "entry")


def _signer(keyid: Any, log: LogKeys) -> note.NoteVerifier:
    """Return the key of ``log`` that a receipt names, the newest where it names none of them."""
    named = [span.key for span in log.spans if not span.beside and key_id(span.key.public_key) == _hex(keyid)]
    return named[0] if named else log.newest


def _hex(keyid: Any) -> str:
    return keyid.hex() if isinstance(keyid, bytes) else ""


def _protected(log: note.NoteVerifier) -> dict[Any, Any]:
    return {
        cose.KID: bytes.fromhex(key_id(log.public_key)),
        cose.CLAIMS: {cose.ISS: log.name},
        VDS: RFC9162_SHA256,
    }


def _content(unprotected: dict[Any, Any]) -> tuple[int, int, list[bytes]]:
    proofs = unprotected.get(VDP)
    found = proofs.get(INCLUSION) if isinstance(proofs, dict) and len(proofs) == 1 else None
    if len(unprotected) != 1 or not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], bytes):
        raise MalformedError(
            f"expected one proof of inclusion under {VDP} and nothing else unsigned, got another shape"
        )
    content = cose.from_cbor(found[0])
    if not isinstance(content, list) or len(content) != 3:
        raise MalformedError("expected tree size, leaf index and path, got another shape")
    size, index, path = content
    if not isinstance(size, int) or not isinstance(index, int) or not isinstance(path, list):
        raise MalformedError("expected tree size, leaf index and path, got other types")
    if not 0 < len(path) <= MAX_HASHES or not all(isinstance(each, bytes) for each in path):
        raise MalformedError(f"expected a path of 1 to {MAX_HASHES} hashes, got another")
    return size, index, path
