"""The way into the log and the receipt out of it.

A domain submits inside its own transaction and waits after its COMMIT::

    async with database.transaction() as conn:
        pending = await translog.submit(conn, "consent", statement, envelope, account)
    receipt = await translog.wait(database, pending)

Between the two lie the sequencer's COMMIT, the guard and the published files: a receipt never speaks of a tree that
could still be taken back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from licet import times
from licet.canonical import to_base64
from licet.errors import InputError
from licet.log import entry as entries
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.wire.common import KeyEvidence, Receipt
from registry.database import Connection, Row, once_committed
from registry.errors import Gone, NotFound
from registry.observing.meters import count_once_committed
from registry.translog import bell, queries
from registry.translog.tree import inclusion_proofs

MAX_ENVELOPE: Final = 2 * envelopes.MAX_PAYLOAD
DECIDING_KINDS: Final = frozenset({"consent", "consent-mature", "work-update", "claim"})
IN_SNAPSHOT_WITHIN: Final = timedelta(minutes=5)


class Evidence(msgspec.Struct, frozen=True):
    """One logged statement with everything that proves it: the bytes that were signed, salt, entry, proof."""

    pending: int
    kind: str
    subject: str
    envelope: bytes
    salt: bytes | None
    index: int
    entry: bytes
    proof: str  # tlog-proof text

    @property
    def wire(self) -> KeyEvidence:
        """The same as it travels: an envelope object, base64, proof text."""
        salt = None if self.salt is None else to_base64(self.salt)
        return KeyEvidence(envelopes.parse(self.envelope), salt, to_base64(self.entry), self.proof)


class Submitted(msgspec.Struct, frozen=True):
    """A statement as it was handed in."""

    pending: int
    kind: str
    account: UUID | None


async def submit(conn: Connection, kind: str, subject: str, envelope: bytes, account: UUID | None) -> int:
    """Return the pending id under which the log will take ``envelope``, if the caller's transaction commits.

    ``subject`` is what the receipt will name (``stm_…``, the account for its keys); a salt is drawn for every kind
    that is not public. Statements that could contradict each other must hold a common row lock BEFORE this call and
    until COMMIT: only then is the log's order theirs.
    """
    if kind not in entries.KINDS:
        raise InputError.field("kind", "a kind of the log", kind)
    if len(envelope) > MAX_ENVELOPE:
        raise InputError(f"expected an envelope of at most {MAX_ENVELOPE} bytes, got {len(envelope)}")
    salt = None if kind in entries.PUBLIC_KINDS else os.urandom(entries.SALT_BYTES)
    asked_by = str(structlog.contextvars.get_contextvars().get("request_id", ""))  # for the sequencer's log lines
    pending: int = await conn.fetchval(queries.SUBMIT, kind, subject, account, envelope, salt)
    if not once_committed(conn, lambda database: bell.ring(database, asked_by)):
        await conn.execute(queries.RING, asked_by)
    count_once_committed("licet_statements_accepted_total", kind)
    if kind == "licence":
        count_once_committed("licet_licences_granted_total")
    return pending


async def receipts(conn: Connection, pendings: Sequence[int]) -> dict[int, Receipt]:
    """Return the receipts of those of ``pendings`` whose log entry is published."""
    rows = await conn.fetch(queries.EVIDENCE, list(pendings))
    found = await _proven(conn, rows)
    return {row["id"]: _receipt(row, proof) for row, proof in zip(rows, found, strict=True)}


async def receipt(conn: Connection, pending: int) -> Receipt | None:
    """Return the receipt of ``pending``, or None while its entry is not published."""
    return (await receipts(conn, [pending])).get(pending)


async def evidences(conn: Connection, pendings: Sequence[int], *, published_only: bool = False) -> list[Evidence]:
    """Return the evidence of ``pendings`` in their order, without those still unpublished if ``published_only``.

    Raises ``NotFound`` if one is not published (yet) and ``Gone`` if one was erased.
    """
    rows = await conn.fetch(queries.EVIDENCE, list(pendings))
    found: dict[int, Evidence] = {}
    for row, proof in zip(rows, await _proven(conn, rows), strict=True):
        if row["envelope"] is None:
            raise Gone(f"the statement {row['subject']} was erased; its log entry {row['index']} stays")
        found[row["id"]] = Evidence(
            row["id"], row["kind"], row["subject"], row["envelope"], row["salt"], row["index"], row["entry"], proof
        )
    if not published_only and not found.keys() >= set(pendings):
        raise NotFound("the statement is not in the published log yet")
    return [found[pending] for pending in pendings if pending in found]


async def evidence(conn: Connection, pending: int) -> Evidence:
    """Return the evidence of one statement; raises as `evidences` does."""
    return (await evidences(conn, [pending]))[0]


async def indices(conn: Connection, pendings: Sequence[int]) -> dict[int, int]:
    """Return the log index of those of ``pendings`` that have one by now, published or not."""
    return {row["pending"]: row["index"] for row in await conn.fetch(queries.INDICES, list(pendings))}


async def first_about(conn: Connection, subject: str) -> Submitted | None:
    """Return the first statement that was submitted about ``subject``, logged or not; None if there is none."""
    row = await conn.fetchrow(queries.SUBJECT, subject)
    return None if row is None else Submitted(row["id"], row["kind"], row["account"])


async def registry_keys_evidence(conn: Connection, subject: str = "registry") -> list[KeyEvidence]:
    """Return the registry's key statements with their proofs, in log order: what a pinned root key anchors."""
    pendings = [row["id"] for row in await conn.fetch(queries.REGISTRY_KEYS, subject)]
    return [each.wire for each in await evidences(conn, pendings)]


async def _proven(conn: Connection, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    size, checkpoint = rows[0]["published_size"], rows[0]["published_checkpoint"]
    where = [row["index"] for row in rows]
    hashes = await inclusion_proofs(conn, size, where)
    return [
        proofs.encode(proofs.Proof(index, tuple(path), checkpoint)) for index, path in zip(where, hashes, strict=True)
    ]


def _receipt(row: Row, proof: str) -> Receipt:
    promise = times.to_text(row["at"] + IN_SNAPSHOT_WITHIN) if row["kind"] in DECIDING_KINDS else None
    return Receipt(
        id=row["subject"],
        kind=row["kind"],
        log_index=row["index"],
        entry=to_base64(row["entry"]),
        salt=None if row["salt"] is None else to_base64(row["salt"]),
        proof=proof,
        in_snapshot_by=promise,
    )
