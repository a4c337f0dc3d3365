"""Duties as those see them whom they concern, and auditors."""

from __future__ import annotations

from uuid import UUID

from licet import identifiers, times
from licet.wire.common import Page, StatementFile
from licet.wire.duties import DutyAccepted, DutyInfo, DutyShown
from registry import translog
from registry.accounts.identity import Caller
from registry.accounts.statements import file_of
from registry.database import Connection, Row
from registry.duties import queries
from registry.errors import Gone, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services


async def listed(
    services: Services, caller: Caller, asked: Asked, state: str | None, licence: UUID | None
) -> Page[DutyInfo]:
    """Return one page of the duties that the caller owes, caused or audits; raises ``Invalid`` naming the parameter."""
    async with services.database.acquire() as conn:
        rows, more = await page_of(conn, queries.DUTIES, asked, caller.account, state, licence)
    return Page([_info(row) for row in rows], more)


async def shown(services: Services, caller: Caller, duty: UUID) -> DutyShown:
    """Return the duty with its documents; raises ``NotFound``."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(queries.SEEN, caller.account, duty)
        if row is None:
            raise nobodys()
        works = [identifiers.from_uuid("wrk", each["work"]) for each in await conn.fetch(queries.WORKS, duty)]
        revoked = await _file(conn, row["pending"], "licence-revoke")
        done = None if row["answered"] is None else await _file(conn, row["answered"], "duty-done")
    return DutyShown(_info(row), works, revoked, done)


async def accepted(services: Services, caller: Caller, duty: UUID, statement: str, pending: int) -> DutyAccepted:
    """Return the duty once the statement that was submitted as ``pending`` is in the published log."""
    receipt = await translog.wait(services.database, pending)
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.SEEN, caller.account, duty)
    if row is None:
        raise nobodys()
    return DutyAccepted(_info(row), statement, receipt)


def nobodys() -> NotFound:
    """Return the answer for a duty that is none, or none of the caller's to see."""
    return NotFound("there is no such duty among those that you owe, caused or audit")


async def _file(conn: Connection, pending: int, kind: str) -> StatementFile | None:
    try:
        return await file_of(conn, pending, kind)
    except (Gone, NotFound):  # erased, or not published yet
        return None


def _info(row: Row) -> DutyInfo:
    return DutyInfo(
        duty=identifiers.from_uuid("dut", row["id"]),
        licence=identifiers.from_uuid("lic", row["licence"]),
        organisation=identifiers.from_uuid("org", row["organisation"]),
        name=row["name"],
        account=identifiers.from_uuid(row["kind"], row["account"]),
        model=row["model"],
        version=row["version"],
        effect=row["effect"],
        notice_days=row["notice_days"],
        works=row["works"],
        state=row["state"],
        document=row["digest"].hex(),
        revoked_at=None if row["began"] is None else times.to_text(row["began"]),
        due_at=None if row["due"] is None else times.to_text(row["due"]),
        done_at=None if row["done_at"] is None else times.to_text(row["done_at"]),
        log_index=row["index"],
    )
