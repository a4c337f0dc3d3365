"""What one owns and said: works with the state they are in, and one's own statements, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from licet.times import from_text
from licet.wire.common import Page as WirePage
from licet.wire.works import StatementInfo, Work
from registry.consent import queries
from registry.consent.types import StatementPage
from registry.database import Connection, Row
from registry.errors import Invalid
from registry.services import Services
from registry.works import service as works
from registry.works.paging import checked_limit, from_cursor, to_cursor
from registry.works.searching import MAX_QUERY, searchable
from registry.works.types import Page, hexed

_EFFECTS: Final = ("initial", "tighten", "loosen", "withdraw")


async def own_works(
    services: Services,
    account: UUID,
    *,
    q: str = "",
    external_id: str | None = None,
    sort: str = "-registered",
    limit: int,
    cursor: str | None = None,
) -> WirePage[Work]:
    """Return one page of the works of ``account``; raises ``Invalid`` naming the parameter."""
    if sort not in works.SORTS:
        raise Invalid.field("?sort", " or ".join(works.SORTS), sort)
    if len(q) > MAX_QUERY:
        raise Invalid.field("?q", f"at most {MAX_QUERY} characters", f"{len(q)} characters")
    listed = f"works {sort}"
    page = Page(account, sort, checked_limit(limit) + 1, searchable(q), external_id, _place(cursor, listed, sort))
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows = await works.page_of(conn, page)
        found = await _with_states(conn, account, rows[:limit])
    if len(rows) <= limit:
        return WirePage(found)
    last = rows[limit - 1]
    value = (last["title"] or "") if sort == "title" else times.to_text(last["registered_at"])
    return WirePage(found, to_cursor(listed, value, identifiers.from_uuid("wrk", last["id"])))


async def own_work(services: Services, account: UUID, work: UUID) -> Work:
    """Return one work of ``account``; raises ``NotFound`` also where it is somebody else's."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await works.work_of(conn, account, work)
        return (await _with_states(conn, account, [row]))[0]


async def own_statements(
    services: Services, account: UUID, *, effect: str | None = None, limit: int, cursor: str | None = None
) -> WirePage[StatementInfo]:
    """Return one page of the statements of ``account``, newest first; raises ``Invalid`` naming the parameter."""
    if effect is not None and effect not in _EFFECTS:
        raise Invalid.field("?effect", " or ".join(_EFFECTS), effect)
    place = from_cursor(cursor, "statements", 1)
    after = None if place is None else _uuid(place[0], "stm", cursor)
    page = StatementPage(account, checked_limit(limit) + 1, effect, after)
    async with services.database.acquire() as conn:
        rows = await conn.fetch(queries.STATEMENTS, page.account, page.after, page.effect, page.limit)
    items = [_statement(row) for row in rows[:limit]]
    return WirePage(items, to_cursor("statements", items[-1].statement) if len(rows) > limit else None)


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


def _place(cursor: str | None, listed: str, sort: str) -> tuple[datetime | str, UUID] | None:
    place = from_cursor(cursor, listed, 2)
    if place is None:
        return None
    try:
        value: datetime | str = place[0] if sort == "title" else from_text(place[0])
    except InputError:
        raise Invalid.field("?cursor", "the cursor of the page before", cursor) from None
    return value, _uuid(place[1], "wrk", cursor)


def _uuid(text: str, kind: str, cursor: str | None) -> UUID:
    try:
        return identifiers.to_uuid(text, kind)
    except InputError:
        raise Invalid.field("?cursor", "the cursor of the page before", cursor) from None
