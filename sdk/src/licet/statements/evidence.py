"""That a statement is in the log: entry, salt and proof, as they travel beside an envelope."""

from __future__ import annotations

from typing import Protocol

import msgspec

from licet.canonical import from_base64
from licet.errors import InputError, MalformedError, VerificationError
from licet.log import entry as entries
from licet.log import note
from licet.log import proof as proofs
from licet.log.keys import LogKeys
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope


class Evidence(Protocol):
    """A statement with its log evidence: base64 of the entry and of the 32-byte salt (None: a public kind), and the
    text of a C2SP tlog-proof."""

    @property
    def envelope(self) -> Envelope: ...
    @property
    def entry(self) -> str: ...
    @property
    def salt(self) -> str | None: ...
    @property
    def proof(self) -> str: ...


class Logged(msgspec.Struct, frozen=True):
    """A statement whose place in the log is proven: the log had ``size`` entries when its checkpoint was signed."""

    envelope: Envelope
    index: int
    time: str
    size: int


def verify_logged(evidence: Evidence, log: note.NoteVerifier | LogKeys) -> Logged:
    """Return where ``evidence.envelope`` is in the log of ``log``, once its entry and proof hold.

    The proof may carry only signature lines of that log's key, and nothing that no signature covers. Raises
    ``MalformedError`` for what does not parse and ``VerificationError`` for what does not hold.
    """
    entry = from_base64(evidence.entry, "entry")
    stated = entries.parse(entry)
    if stated.kind != evidence.envelope.kind:
        raise VerificationError(f"expected a log entry of kind {evidence.envelope.kind}, got {stated.kind}")
    salt = None if evidence.salt is None else from_base64(evidence.salt, "salt")
    try:
        entries.verify_commitment(stated, salt, envelopes.encode(evidence.envelope))
    except InputError as error:
        raise MalformedError(f"salt: {error.message}") from None
    proof = proofs.parse(evidence.proof)
    if proof.extra:
        raise MalformedError("proof: expected no extra data, which nothing would vouch for, got some")
    checkpoint = proofs.verify(proof, entry, log, closed=True)
    return Logged(evidence.envelope, proof.index, stated.time, checkpoint.size)


def claimed_index(evidence: Evidence) -> int:
    """Return the log index that the proof claims, verified by nobody; raises ``MalformedError``."""
    return proofs.parse(evidence.proof).index
