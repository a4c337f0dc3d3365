"""A statement that a later snapshot leaves out, shown to anybody (semantics: a receipt promises ``in_snapshot_by``).

What is shown rests on the log alone: a consent that tightens, an initial one or a withdrawal speaks for each work under
its root from its log index on, so the state of such a work, in a snapshot over a longer log, never rests on an earlier
statement. And a snapshot issued later than the promise covers the log up to the statement.

A work that is left out altogether is shown only as far as nothing explains it: an account that was erased, and declined
a deny, leaves the snapshots with its works. Then an ``erase`` statement is in the log between the two, and whoever has
its file answers with it (`licet.audit.rebuttal`). No other statement takes a work out: one that was withdrawn stays in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from licet import times
from licet.audit.misconduct import Fork, SplitView, verify_log_misconduct
from licet.audit.replay import Replay, verify_replay
from licet.canonical import from_base64
from licet.errors import MalformedError, VerificationError
from licet.index.pull import verify_manifest
from licet.index.state import StateProof, verify_state
from licet.index.store import Published
from licet.log import merkle
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements.evidence import verify_logged
from licet.statements.kinds import Consent, WorkDigest, WorksScope, WorkUpdate
from licet.statements.trust import RegistryKeys
from licet.statements.works import work_digest
from licet.wire.common import KeyEvidence

PROMISED: Final = timedelta(minutes=5)  # from a statement's log time to a snapshot that has it
MAX_BYTES: Final = 64 << 20


class Covered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One work under a statement's root: what its digest is of, its place, the hashes (base64) up to the root."""

    work: WorkDigest
    index: int
    hashes: list[str]


class Unerased(msgspec.Struct, frozen=True):
    """What a document leaves open: whether the log erased ``account`` behind ``after`` and below ``before``."""

    account: str
    genesis: str
    after: int
    before: int


class Shown(msgspec.Struct, frozen=True):
    """What a document shows, as a sentence; ``unless``: the one thing in the log that would explain it, if any."""

    sentence: str
    unless: Unerased | None = None


class Omission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="omission"):
    """A logged statement, a work that it covers, a later manifest, and what that says of the work."""

    statement: KeyEvidence
    covered: Covered
    snapshot: Published
    state: StateProof


def verify_misconduct(data: bytes, keys: RegistryKeys, *, now: datetime | None = None) -> Shown:
    """Return what the document ``data`` shows about the registry of ``keys``, which are anchored.

    Raises ``VerificationError`` if it does not show it, ``MalformedError`` for what is no such document.
    """
    if not keys.anchored:
        raise VerificationError("expected keys under a pinned root, got keys that nobody vouches for")
    if len(data) > MAX_BYTES:
        raise MalformedError(f"expected a document of at most {MAX_BYTES} bytes, got {len(data)}")
    try:
        found = msgspec.json.decode(data, type=SplitView | Fork | Omission | Replay)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedError(f"expected a document that shows misconduct, got {unlike(error)}") from None
    if isinstance(found, Omission):
        return verify_omission(found, keys, now=now)
    if isinstance(found, Replay):
        return Shown(verify_replay(found, keys))
    return Shown(verify_log_misconduct(found, keys.log))


def verify_omission(found: Omission, keys: RegistryKeys, *, now: datetime | None = None) -> Shown:
    """Return what ``found`` shows, and what would explain it; raises ``VerificationError`` if it shows nothing."""
    logged = verify_logged(found.statement, keys.log)
    scope = _speaks_for(found.statement.envelope.kind, logged.envelope)
    digest, work = work_digest(found.covered.work), found.covered.work.work
    hashes = [from_base64(each, "hashes") for each in found.covered.hashes]
    root = _hex(scope.root, "root")
    merkle.verify_inclusion(merkle.leaf_hash(digest), found.covered.index, scope.count, hashes, root)
    manifest = verify_manifest(found.snapshot.envelope, found.snapshot.receipt, keys, now=now, allow_expired=True)
    if manifest.log_size <= logged.index:
        late = times.from_text(logged.time) + PROMISED
        if times.from_text(manifest.issued_at) <= late:
            raise VerificationError(
                f"expected a snapshot over entry {logged.index}, or one issued after {times.to_text(late)}, got one "
                f"over {manifest.log_size} entries of {manifest.issued_at}"
            )
        return Shown(
            f"the snapshot {manifest.sequence} of {manifest.issued_at} does not cover log entry {logged.index}, "
            f"which was logged at {logged.time} and promised within five minutes"
        )
    if found.state.work != work:
        raise VerificationError(f"expected the state of {work}, got that of {found.state.work}")
    leaf = verify_state(found.state, manifest.state_root, manifest.works)
    if leaf is None:
        stated = _stated(logged.envelope)
        return Shown(
            f"the snapshot {manifest.sequence} leaves out {work}, which log entry {logged.index} covers",
            Unerased(stated.account, stated.genesis, logged.index, manifest.log_size),
        )
    if leaf.log_index >= logged.index:
        raise VerificationError(
            f"expected a state from before log entry {logged.index}, got one from entry {leaf.log_index}"
        )
    return Shown(
        f"the snapshot {manifest.sequence} over {manifest.log_size} entries has {work} as of entry {leaf.log_index}, "
        f"though entry {logged.index} speaks for it"
    )


def speaks_for(envelope: envelopes.Envelope) -> WorksScope | None:
    """Return the works that this statement speaks for as soon as it is logged, None where it does not for each."""
    if envelope.kind not in ("consent", "work-update"):
        return None
    stated = _stated(envelope)
    if isinstance(stated, WorkUpdate):
        return stated.scope
    at_once = stated.effect in ("initial", "tighten")
    return stated.scope if at_once and isinstance(stated.scope, WorksScope) else None


def _stated(envelope: envelopes.Envelope) -> Consent | WorkUpdate:
    if envelope.kind == "consent":
        return envelopes.read_as(Consent, envelope)
    return envelopes.read_as(WorkUpdate, envelope)


def _speaks_for(kind: str, envelope: envelopes.Envelope) -> WorksScope:
    scope = speaks_for(envelope)
    if scope is None:
        raise VerificationError(f"expected a statement about works that acts at once, got a {kind} that does not")
    return scope


def _hex(text: str, field: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != merkle.HASH_SIZE or value.hex() != text:
        raise MalformedError(f"{field}: expected 64 lower-case hex digits, got {text!r:.80}")
    return value
