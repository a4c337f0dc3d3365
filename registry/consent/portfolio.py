"""What one owns and said: works with the state they are in, and one's own statements, a page at a time."""

from __future__ import annotations

from uuid import UUID

from licet import identifiers, times
from licet.wire.common import Page
from licet.wire.works import StatementInfo, Work
from registry.consent import queries
from registry.database import Connection, Row
from registry.paging import Asked, page_of
from registry.services import Services
from registry.works import service as works
from registry.works.types import Wanted, hexed


async def own_works(services: Services, account: UUID, asked: Asked, wanted: Wanted) -> Page[Work]:
    """Return one page of the works of ``account``; raises ``Invalid`` naming the parameter."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows, more = await works.page_of(conn, account, asked, wanted)
        return Page(await _with_states(conn, account, rows), more)


async def own_work(services: Services, account: UUID, work: UUID) -> Work:
    """Return one work of ``account``; raises ``NotFound`` also where it is somebody else's."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await works.work_of(conn, account, work)
        return (await _with_states(conn, account, [row]))[0]


async def own_statements(
    services: Services, account: UUID, asked: Asked, *, effect: str | None = None, scope: str | None = None
) -> Page[StatementInfo]:
    """Return one page of the statements of ``account``; raises ``Invalid`` naming the parameter."""
    async with services.database.acquire() as conn:
        rows, more = await page_of(conn, queries.STATEMENTS, asked, account, effect, scope)
    return Page([_statement(row) for row in rows], more)


async def _with_states(conn: Connection, account: UUID, rows: list[Row]) -> list[Work]:
    states = await conn.fetch(queries.OWN_STATES, account, [row["id"] for row in rows])
    by_work = {state["work"]: state for state in states}
    return [_work(row, by_work.get(row["id"])) for row in rows]


def _work(row: Row, state: Row | None) -> Work:
    return Work(
        work=identifiers.from_uuid("wrk", row["id"]),
        title=row["title"],
        creator=row["creator"],
        mode=row["mode"],
        sha256=row["sha256"].hex(),
        pixels=hexed(row["pixels"]),
        pdq=hexed(row["pdq"]),
        quality=row["quality"],
        urls=list(row["urls"]),
        tags=list(row["tags"]),
        external_id=row["external_id"],
        digest=row["digest"].hex(),
        created=row["created"],
        registered_at=times.to_text(row["registered_at"]),
        statement=identifiers.from_uuid("stm", state["statement"]) if state else None,
        terms_hash=state["terms"].hex() if state else None,
        log_index=state["index"] if state else None,
        contested=bool(state and state["contested"]),
        challenged=bool(state and state["challenged"]),
        withdrawn=row["withdrawn_at"] is not None,
    )


def _statement(row: Row) -> StatementInfo:
    return StatementInfo(
        statement=identifiers.from_uuid("stm", row["id"]),
        effect=row["effect"],
        scope=row["scope"],
        works=row["works"],
        terms_hash=hexed(row["terms"]) or "",
        log_index=row["index"],
        accepted_at=times.to_text(row["accepted_at"]),
        pending_until=None if row["pending_until"] is None else times.to_text(row["pending_until"]),
    )
