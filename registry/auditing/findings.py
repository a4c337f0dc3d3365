"""What auditors find is a statement in the log: signed by the auditor, shown to whom it concerns."""

from __future__ import annotations

from uuid import UUID

from licet import identifiers, times
from licet.errors import MalformedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet
from licet.statements.kinds import AuditFinding
from licet.wire.auditing import FindingInfo, FindingLogged
from licet.wire.common import Page, StatementFile
from registry import translog
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.accounts.statements import file_of
from registry.auditing import finding_queries as queries
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.http import moments
from registry.http.paging import Asked, page_of
from registry.services import Services
from registry.splits.intake import NONCE

KIND = "audit-finding"


async def state(services: Services, caller: Caller, envelope: Envelope) -> FindingLogged:
    """Return once the finding, countersigned by the office, is in the published log; the concerned are told.

    Sending it again has no second effect. Raises ``Invalid`` naming the field, and ``NotFound`` for an account that
    there is not or that the auditor may not look at in that month.
    """
    async with services.database.transaction() as conn:
        present = await conn.fetchrow(queries.FINDING, bytes.fromhex(envelope.payload_digest), caller.account)
        if present is not None:
            number, pending = present["id"], present["pending"]
        else:
            number, pending = await _add(services, conn, caller, envelope)
    receipt = await translog.wait(services.database, pending)
    return FindingLogged(identifiers.from_uuid("fnd", number), receipt)


async def listed(
    conn: Connection, caller: Caller, asked: Asked, concerns: UUID | None, period: str | None
) -> Page[FindingInfo]:
    """Return one page of the findings that ``caller`` stated, or that concern it; of all, to an operator."""
    rows, more = await page_of(conn, queries.FINDINGS, asked, caller.account, caller.kind == "opr", concerns, period)
    return Page([_info(row) for row in rows], more)


async def statement(conn: Connection, caller: Caller, number: UUID) -> StatementFile:
    """Return a finding with all that proves it; raises ``NotFound`` for one that ``caller`` does not see."""
    row = await conn.fetchrow(queries.SEEN, caller.account, caller.kind == "opr", number)
    if row is None:
        raise NotFound("there is no such finding")
    return await file_of(conn, row["pending"], KIND)


async def _add(services: Services, conn: Connection, caller: Caller, envelope: Envelope) -> tuple[UUID, int]:
    payload = _opened(services, caller, envelope)
    number = identifiers.to_uuid(payload.finding, "fnd", field="payload.finding")
    concerned = identifiers.to_uuid(payload.concerns, "org", "art", field="payload.concerns")
    found_at = moments.past(payload.issued_at, "payload.issued_at")
    if payload.period > times.to_text(found_at)[:7]:
        raise Invalid.field("payload.period", "a month that had begun when it was stated", payload.period)
    if len(payload.nonce) not in NONCE:
        raise Invalid.field("payload.nonce", "16 to 128 characters", len(payload.nonce))
    kind = await conn.fetchval(queries.CONCERNED, caller.account, concerned, payload.period)
    if kind is None or payload.concerns != identifiers.from_uuid(kind, concerned):
        raise NotFound(f"there is no account {payload.concerns}, or none whose {payload.period} you may audit")
    sealed = envelopes.countersign(envelope, await services.keys.hold(conn, "office"))
    pending = await translog.submit(conn, KIND, payload.finding, envelopes.encode(sealed), caller.account)
    added = await conn.fetchval(
        queries.ADD, number, caller.account, concerned, pending, bytes.fromhex(envelope.payload_digest),
        payload.period, payload.check, payload.about, payload.summary, payload.examined, payload.failed, found_at,
    )  # fmt: skip
    if added is None:
        raise Conflict(f"{payload.finding}: expected a new name for another finding, got one that was used")
    await events.tell(conn, concerned, "audit-finding", payload.finding, _told(payload))
    return number, pending


def _opened(services: Services, caller: Caller, envelope: Envelope) -> AuditFinding:
    claimed = envelopes.read_as(AuditFinding, envelope)
    keys = KeySet()
    try:
        payload = envelopes.open_as(AuditFinding, envelope, [keys.learn(claimed.key)], keys)
    except (VerificationError, MalformedError) as error:
        raise Invalid(f"envelope: {error.message}") from None
    if payload.registry != services.keys.ref:
        raise Invalid.field(
            "payload.registry", f"{services.keys.ref.origin} with its root key", payload.registry.origin
        )
    if payload.auditor != caller.id:
        raise Invalid.field("payload.auditor", f"the caller, {caller.id}", payload.auditor)
    return payload


def _told(payload: AuditFinding) -> str:
    about = "" if payload.about is None else f" about {payload.about:.60}"
    return (
        f"an auditor found that {payload.failed:,} of {payload.examined:,} did not hold in {payload.period} "
        f"({payload.check}){about}: {payload.summary:.500}"
    )


def _info(row: Row) -> FindingInfo:
    return FindingInfo(
        finding=identifiers.from_uuid("fnd", row["id"]),
        auditor=identifiers.from_uuid("aud", row["auditor"]),
        concerns=identifiers.from_uuid(row["kind"], row["account"]),
        period=row["period"],
        check=row["check_name"],
        about=row["about"],
        summary=row["summary"],
        examined=row["examined"],
        failed=row["failed"],
        found_at=times.to_text(row["found_at"]),
        log_index=row["index"],
    )
