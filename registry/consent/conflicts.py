"""Two claims to one picture (semantics 6): found again before a work's first terms count, settled by claim levels.

Registration told the artist what it found as of one consent version. What others signed since then is looked at here:
most of it before any lock is taken, the rest under the lock of the consent version, when nobody else can add to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from licet.index import Index, WorkRecord
from licet.wire.licensing import RowKeys
from registry.consent import queries
from registry.consent.records import changed_since, version
from registry.database import Connection
from registry.errors import Conflict
from registry.services import Services
from registry.works import queries as work_queries
from registry.works.service import covered_keys
from registry.works.similarity import neighbours_in, row_keys
from registry.works.types import Match

OPEN_CHALLENGES: Final = 3


class Fresh(msgspec.Struct):
    """Works that get their first terms, what they look like, and the version up to which they were compared."""

    account: UUID
    works: list[UUID]
    compared_at: int
    rows: list[RowKeys] | None = None  # looked up once there is something to compare them with

    async def news(self, conn: Connection) -> list[WorkRecord]:
        """Return the works of others that changed since the last time, as of this moment."""
        now = await version(conn)
        if not self.works or now == self.compared_at:
            return []
        records = await changed_since(conn, self.compared_at)
        self.compared_at = now
        return [record for record in records if record.account != self.account.bytes]

    async def compare(self, conn: Connection, records: Sequence[WorkRecord]) -> list[Match]:
        """Return the matches of these works with ``records``."""
        if not records:
            return []
        if self.rows is None:
            self.rows = [row_keys(keys) for _, keys in await covered_keys(conn, self.account, self.works)]
            if len(self.rows) != len(self.works):
                raise Conflict("one of the works was withdrawn meanwhile")
        rows = self.rows
        found = await asyncio.to_thread(lambda: neighbours_in(Index((), records), self.account, rows))
        return [
            Match(self.works[each.row], each.work, self.account, each.account, each.key, each.distance)
            for each in found
        ]


async def fresh_among(services: Services, account: UUID, works: Sequence[UUID]) -> tuple[Fresh, list[Match]]:
    """Return those of ``works`` that have no terms yet, compared with everything signed until now."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await conn.execute(queries.PATIENT)
        found = await conn.fetch(queries.NEW_AMONG, account, works)
        compared_at = min((row["compared_at"] for row in found), default=0)
        fresh = Fresh(account, [row["id"] for row in found], compared_at)
        return fresh, await fresh.compare(conn, await fresh.news(conn))


async def claim(conn: Connection, account: UUID, works: Sequence[UUID], now: datetime, changed: int) -> None:
    """Make the matches of ``works`` conflicts, as of ``now``, in consent version ``changed``.

    Raises ``Conflict`` where the account would have more than three open challenges.
    """
    await conn.execute(work_queries.CLAIM_MATCHES, account, works, now)
    meeting = [row["work"] for row in await conn.fetch(queries.MEETING, works)]
    if not meeting:
        return
    await settle(conn, meeting, changed)
    challenges = await conn.fetchrow(queries.OPEN_CHALLENGES, account, now, meeting)
    if challenges and challenges["added"] and challenges["open"] > OPEN_CHALLENGES:
        raise Conflict(
            f"expected at most {OPEN_CHALLENGES} open challenges of works of verified claimants, got more: leave the "
            f"works that match theirs out, or reach their claim level first"
        )


async def settle(conn: Connection, works: Sequence[UUID], changed: int) -> None:
    """Bring ``contested`` and ``challenged`` of ``works``, and of all that they meet, up to the present levels."""
    touched = [row["id"] for row in await conn.fetch(queries.TOUCHED, works)]
    if touched:
        await conn.execute(queries.SETTLE, touched, changed)


async def level_changed(conn: Connection, account: UUID) -> None:
    """Let every reader see the works of ``account`` anew, at their new claim level, and settle their conflicts."""
    changed: int = await conn.fetchval(queries.NEXT_VERSION)
    await conn.execute(queries.TOUCH_ACCOUNT, account, changed)
    matched = [row["work"] for row in await conn.fetch(queries.MATCHED_WORKS, account)]
    if matched:
        await settle(conn, matched, changed)
