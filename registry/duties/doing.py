"""An organisation states, under its signature, that it has done its duty: once, and for whoever caused it to read."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import DutyDone
from licet.wire.duties import DutyAccepted
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.duties import queries
from registry.duties.shown import accepted, nobodys
from registry.errors import Conflict, Invalid
from registry.http import moments
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.services import Services
from registry.splits.intake import NONCE


async def report(services: Services, caller: Caller, duty: UUID, envelope: Envelope) -> DutyAccepted:
    """Return once the statement is in the published log, and the duty is done by it; again has no second effect.

    Raises ``NotFound`` for a duty that is not the caller's, ``MalformedError`` and ``Invalid`` naming the field, and
    ``Conflict`` for one that was done by another statement.
    """
    name, pending = await services.database.run(partial(_report, services, caller, duty, envelope))
    return await accepted(services, caller, duty, name, pending)


async def _report(
    services: Services, caller: Caller, duty: UUID, envelope: Envelope, conn: Connection
) -> tuple[str, int]:
    await conn.fetchval(LOCK_ORGANISATION, caller.account)
    row = await conn.fetchrow(queries.OWED, caller.account, duty)
    if row is None:
        raise nobodys()
    digest = bytes.fromhex(envelope.payload_digest)
    known = await conn.fetchrow(queries.DONE, digest)
    if known is not None and known["duty"] == duty:
        return identifiers.from_uuid("stm", known["id"]), known["pending"]
    payload = await opened(conn, DutyDone, envelope, caller, services.keys.ref)
    if identifiers.to_uuid(payload.duty, "dut", field="payload.duty") != duty:
        raise Invalid.field("payload.duty", "the duty in the path", payload.duty)
    if payload.document != row["digest"].hex():
        raise Invalid.field(
            "payload.document", f"{row['digest'].hex()}, the SHA-256 of the revocation", payload.document
        )
    moments.past(payload.issued_at, "payload.issued_at")
    done_at = moments.past(payload.done_at, "payload.done_at")
    began = times.to_text(row["began"])
    if done_at < times.from_text(began):
        expected = f"a time from {began} on, when the works were revoked: nothing was due before"
        raise Invalid.field("payload.done_at", expected, payload.done_at)
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("payload.nonce", "16 to 128 characters", payload.nonce)
    if row["done"] is not None:
        raise Conflict(f"{payload.duty} was stated to be done already")
    statement = identifiers.new_uuid()
    name = identifiers.from_uuid("stm", statement)
    pending = await translog.submit(conn, "duty-done", name, envelopes.encode(envelope), caller.account)
    await conn.execute(queries.KEEP_DONE, duty, statement, pending, digest, done_at, times.now())
    licence = identifiers.from_uuid("lic", row["licence"])
    detail = f"{caller.id} states that {row['effect']} was done at {payload.done_at}, since you revoked {licence}"
    await events.tell(conn, row["account"], "duty-done", payload.duty, detail)
    return name, pending
