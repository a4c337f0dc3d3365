"""Duties, compared with what was signed: what was revoked on which condition, and what was stated to be done."""

from __future__ import annotations

from typing import Final

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import DutyDone, LicenceRevoke
from registry.database import Connection, Row
from registry.duties import queries
from registry.duties.revoking import alike, conditions

_PREFETCH: Final = 500


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: a duty that is not as it was signed, or not on its works' condition."""
    return [*await _revoked(conn), *await _done(conn)]


async def _revoked(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL, prefetch=_PREFETCH):
        if row["envelope"] is None:  # erased
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceRevoke, sealed)
        signed = (payload.duty, sealed.payload_digest, payload.licence, payload.account, payload.works)
        kept = (
            identifiers.from_uuid("dut", row["id"]),
            row["digest"].hex(),
            identifiers.from_uuid("lic", row["licence"]),
            identifiers.from_uuid(row["kind"], row["account"]),
            [identifiers.from_uuid("wrk", work) for work in row["named"]],
        )
        if (kept, row["works"]) != (signed, len(payload.works)):
            wrong.append(f"duty {kept[0]}: expected what was signed, got {kept}")
        elif await _conditions(conn, row) != [(row["notice_days"], row["effect"])] * row["works"]:
            wrong.append(f"duty {kept[0]}: expected the condition of its works, got {row['effect']}")
    return wrong


async def _conditions(conn: Connection, row: Row) -> list[tuple[int, str] | None]:
    """Return the condition of each work of a duty that whoever revoked could revoke."""
    lines = await conn.fetch(queries.REVOKED_LINES, row["id"])
    found = await conditions(conn, row["atoms"], lines)
    agreed = [found[alike(each)] for each in lines]
    return [None if each is None else (each.notice_days, each.effect) for each in agreed]


async def _done(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_DONE, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(DutyDone, sealed)
        signed = (payload.duty, sealed.payload_digest, payload.document, payload.organisation, payload.done_at)
        kept = (
            identifiers.from_uuid("dut", row["duty"]),
            row["digest"].hex(),
            row["document"].hex(),
            identifiers.from_uuid("org", row["organisation"]),
            times.to_text(row["done_at"]),
        )
        if kept != signed:
            wrong.append(f"duty {kept[0]} done: expected what was signed, got {kept}")
    return wrong
