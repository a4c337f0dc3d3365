"""Two claims to one picture (semantics 6): found again before a work's first terms count, settled by claim levels.

Registration told the artist what it found as of one consent version. What others signed since then is looked at here:
most of it before any lock is taken, the rest under the lock of the consent version, when nobody else can add to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.counted import many
from licet.index import Index, WorkRecord
from licet.wire.licensing import RowKeys
from registry.accounts import events
from registry.consent.queries import conflicting, published, statements, states
from registry.consent.records import changed_since, version
from registry.database import Connection, Row
from registry.errors import Conflict
from registry.services import Services
from registry.works import queries as work_queries
from registry.works.service import covered_keys
from registry.works.similarity import neighbours_in, row_keys
from registry.works.types import Match

OPEN_CHALLENGES: Final = 3
CHALLENGES_OF_ONE: Final = 3  # works of one account that challenge one work within…
_RECENT: Final = timedelta(days=90)
CHALLENGED_FOR: Final = timedelta(days=14)  # as the SQL has it


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
        await conn.execute(statements.PATIENT)
        found = await conn.fetch(states.NEW_AMONG, account, works)
        compared_at = min((row["compared_at"] for row in found), default=0)
        fresh = Fresh(account, [row["id"] for row in found], compared_at)
        return fresh, await fresh.compare(conn, await fresh.news(conn))


async def claim(conn: Connection, account: UUID, works: Sequence[UUID], now: datetime, changed: int) -> None:
    """Make the matches of ``works`` conflicts, as of ``now``, in consent version ``changed``.

    Raises ``Conflict`` where the account would have more than three open challenges, or challenges one work again and
    again.
    """
    await conn.execute(work_queries.CLAIM_MATCHES, account, works, now)
    meeting = [row["work"] for row in await conn.fetch(conflicting.MEETING, works)]
    if not meeting:
        return
    await settle(conn, account, meeting, changed)
    await _hold_open(conn, account, meeting)


async def renew(conn: Connection, account: UUID, works: Sequence[UUID], changed: int) -> None:
    """Take those of ``works`` whose claim had lapsed for claims that are made now: they were signed for anew.

    Raises ``Conflict`` where the account would have more than three open challenges.
    """
    renewed = [row["work"] for row in await conn.fetch(conflicting.RENEW, account, works)]
    if renewed:
        await settle(conn, account, renewed, changed)
        await _hold_open(conn, account, renewed)


async def settle(conn: Connection, account: UUID, works: Sequence[UUID], changed: int) -> None:
    """Bring ``contested`` and ``challenged`` of ``works``, and of all that they meet, up to the present levels.

    The last statement of ``account`` is what challenges begin and end with.
    """
    touched = [row["id"] for row in await conn.fetch(conflicting.TOUCHED, works)]
    if touched:
        await _tell_lapsed(conn, await conn.fetch(conflicting.LAPSE, times.now()))
        cause = await conn.fetchval(conflicting.LAST_SAID, account)
        rows = await conn.fetch(conflicting.CHALLENGE, touched, cause)
        await conn.execute(conflicting.HOLD, touched)
        await _tell_contested(conn, await conn.fetch(conflicting.SETTLE, touched, changed))
        await _tell_challenged(conn, [row for row in rows if row["challenged"]])


async def disputes_changed(conn: Connection, account: UUID, works: Sequence[UUID]) -> None:
    """Let every reader see ``works`` of ``account`` anew: a dispute about them began, was decided or ended."""
    changed: int = await conn.fetchval(statements.NEXT_VERSION)
    await settle(conn, account, works, changed)


async def lapse_due(services: Services, now: datetime) -> int:
    """Return how many challenges lapsed, of those whose 14 days are over at ``now`` by the times of the log."""
    async with services.database.acquire() as conn:
        if not await conn.fetchval(conflicting.LAPSING, now):
            return 0
    async with services.database.transaction() as conn:
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        rows = await conn.fetch(conflicting.LAPSE, now)
        touched = [row["id"] for row in await conn.fetch(conflicting.TOUCHED, [row["work"] for row in rows])]
        await _tell_contested(conn, await conn.fetch(conflicting.SETTLE, touched, changed))
        await _tell_lapsed(conn, rows)
    return len(rows)


async def _hold_open(conn: Connection, account: UUID, works: Sequence[UUID]) -> None:
    challenges = await conn.fetchrow(conflicting.OPEN_CHALLENGES, account, works)
    if challenges and challenges["added"] and challenges["open"] > OPEN_CHALLENGES:
        raise Conflict(
            f"expected at most {OPEN_CHALLENGES} open challenges of works of verified claimants, got more: leave the "
            f"works that match theirs out, or reach their claim level first"
        )
    since = times.now() - _RECENT
    if await conn.fetchval(conflicting.CHALLENGED_OFTEN, account, works, since, CHALLENGES_OF_ONE) is not None:
        raise Conflict(
            f"expected at most {CHALLENGES_OF_ONE} works that challenge the same work of a verified claimant within "
            f"{_RECENT.days} days, got one more: leave it out, or reach that claim level first"
        )


async def _tell_contested(conn: Connection, rows: Sequence[Row]) -> None:
    """Tell of contests between works; of disputes, which hold works as well, their parties are told step by step."""
    changed = [row for row in rows if row["contested"] != row["was_contested"]]
    for account, works in _by([row for row in changed if row["fought"]], "account", "work").items():
        detail = f"somebody else claims what is like {_some(works)}: the strictest terms apply, money waits in escrow"
        await events.tell(conn, account, "contested", _one(works), detail)
    over = [row for row in changed if not row["contested"] and not row["was_in_dispute"]]
    for account, works in _by(over, "account", "work").items():
        await events.tell(conn, account, "contest-ended", _one(works), f"nobody contests {_some(works)} any more")


async def _tell_challenged(conn: Connection, rows: Sequence[Row]) -> None:
    for account, works in _by(rows, "account", "work").items():
        wanted = max(row["wanted"] for row in rows if row["account"] == account)
        detail = (
            f"{_some(works)} like a verified claimant's: without effect until your claim level is {wanted}; unless it "
            f"is within {CHALLENGED_FOR.days} days of the log entry, the claim lapses until you sign for it anew"
        )
        await events.tell(conn, account, "challenge-opened", _one(works), detail)
    for account, works in _by(rows, "other_account", "other").items():
        detail = f"somebody of a lower claim level claims what is like {_some(works)}: challenged, without effect"
        await events.tell(conn, account, "challenge-opened", _one(works), detail)


async def _tell_lapsed(conn: Connection, rows: Sequence[Row]) -> None:
    for account, works in _by(rows, "account", "work").items():
        detail = f"the challenged claim to {_some(works)} has lapsed: without effect until you sign for it anew"
        await events.tell(conn, account, "challenge-lapsed", _one(works), detail)
    for account, works in _by(rows, "other_account", "other").items():
        detail = f"a challenged claim to what is like {_some(works)} has lapsed"
        await events.tell(conn, account, "challenge-lapsed", _one(works), detail)


def _by(rows: Sequence[Row], account: str, work: str) -> dict[UUID, list[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row[account], set()).add(row[work])
    return {each: sorted(works) for each, works in sorted(found.items())}


def _one(works: Sequence[UUID]) -> str | None:
    return identifiers.from_uuid("wrk", works[0]) if len(works) == 1 else None


def _some(works: Sequence[UUID]) -> str:
    return _one(works) or many(len(works), "work")


async def domains_changed(conn: Connection, account: UUID) -> None:
    """Let every reader see the rules of sites of ``account`` anew: a proof that they rest on came or went."""
    if await conn.fetchval(published.HAS_SITES, account):
        changed: int = await conn.fetchval(statements.NEXT_VERSION)
        await conn.execute(published.TOUCH_SITES, account, changed)


async def level_changed(conn: Connection, account: UUID) -> None:
    """Let every reader see the works of ``account`` anew, at their new claim level, and settle their conflicts."""
    changed: int = await conn.fetchval(statements.NEXT_VERSION)
    await conn.execute(published.TOUCH_ACCOUNT, account, changed)
    matched = [row["work"] for row in await conn.fetch(conflicting.MATCHED_WORKS, account)]
    if matched:
        await settle(conn, account, matched, changed)
