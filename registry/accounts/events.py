"""What an account is told of: new and ended keys, delegations, what a delegate loosened, recoveries."""

from __future__ import annotations

from uuid import UUID

from licet import identifiers, times
from licet.wire.accounts import EventInfo
from licet.wire.common import Page
from registry.accounts import queries
from registry.database import Connection, Row
from registry.http.paging import Asked, page_of


async def tell(conn: Connection, account: UUID, kind: str, subject: str | None, detail: str) -> None:
    """Let ``account`` read of this, once the caller's transaction commits."""
    await conn.execute(queries.TELL, identifiers.new_uuid(), account, kind, subject, detail)


async def listed(conn: Connection, account: UUID, asked: Asked, kind: str | None) -> Page[EventInfo]:
    """Return one page of what ``account`` was told; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.EVENTS, asked, account, kind)
    return Page([_info(row) for row in rows], more)


def _info(row: Row) -> EventInfo:
    name, at = identifiers.from_uuid("evt", row["id"]), times.to_text(row["at"])
    return EventInfo(name, row["kind"], row["subject"], row["detail"], at)
