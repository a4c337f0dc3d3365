"""Closing a month, step by step, each one transaction that a crash leaves undone or done: ``end``, ``allocate``,
``seal``, ``count``, ``state``.

From ``end`` on only the close itself posts into the month, from ``seal`` on nobody; so what is counted cannot change,
and whoever goes on after a crash states the same bytes. Late uses go into the open month: an event keeps the moment at
which it was used, and its transfer that at which it was posted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from licet import identifiers, times
from licet.audit.checks.used import CLOCKS_DIFFER
from licet.audit.layout import period_of
from licet.statements import envelope as envelopes
from licet.statements.kinds import PeriodClose
from licet.statements.periods import batches_root, check_totals
from registry import translog
from registry.accounts import events
from registry.closing import queries, trees
from registry.database import Connection
from registry.errors import Conflict
from registry.ledger import periods
from registry.services import Services

Hook = Callable[[Connection, str], Awaitable[object]]
After = Callable[[Services, str], Awaitable[object]]

#: What other domains allocate at a close: each posts into the month that has ended, with keys that make it idempotent.
HOOKS: Final[list[Hook]] = []
#: What other domains do with a month that is sealed, in transactions of their own: it is done again after a crash.
SEALED_HOOKS: Final[list[After]] = []
SOONEST: Final = CLOCKS_DIFFER  # after its end: until then another process may believe that the month goes on


async def due(conn: Connection, now: datetime, after: timedelta = SOONEST) -> str | None:
    """Return the month that is to be closed next: the first that is not, if it is over for ``after``; else None."""
    last = await periods.last_ended(conn)
    if last is not None and not last.stated:
        return last.period
    following = await first_month(conn) if last is None else periods.after(last.period)
    if following is None or periods.first_moment(period_of(following).end) + max(after, SOONEST) > now:
        return None
    return following


async def close_due(
    services: Services, now: datetime, after: timedelta, *, until: str | None = None
) -> tuple[str, int] | None:
    """Return the month that this call closed, not after ``until``, and its place in `log_pending`; None if none is due.

    Months close in their order, one a call.
    """
    async with services.database.acquire() as conn:
        period = await due(conn, now, after)
    if period is None or (until is not None and period > until):
        return None
    return period, await close_month(services, period, now)


async def close_month(services: Services, period: str, now: datetime) -> int:
    """Return the pending id of the statement that closes ``period``, which `due` has named; again returns the same.

    It is in the log once `translog.wait` says so.
    """
    database = services.database
    async with database.transaction() as conn:
        await conn.execute(queries.HOLD_CLOSER, queries.CLOSER_LOCK)
        await periods.end(conn, period, os.urandom(32), now)
    async with database.transaction() as conn:
        await conn.execute(queries.HOLD_CLOSER, queries.CLOSER_LOCK)
        await _allocate(conn, period)
    async with database.transaction() as conn:
        await conn.execute(queries.HOLD_CLOSER, queries.CLOSER_LOCK)
        await periods.seal(conn, period, times.now())
    async with database.transaction() as conn:
        await conn.execute(queries.HOLD_CLOSER, queries.CLOSER_LOCK)
        await _count(conn, period)
    if not await _stated(services, period):
        for hook in SEALED_HOOKS:
            await hook(services, period)
    async with database.transaction() as conn:
        await conn.execute(queries.HOLD_CLOSER, queries.CLOSER_LOCK)
        return await _state(conn, services, period)


async def first_month(conn: Connection) -> str | None:
    """Return the month in which the registry began, None before it has."""
    began = await conn.fetchval(queries.FIRST_ENTRY)
    found = [await periods.first_posted(conn), None if began is None else periods.month_of(began).name]
    return min((each for each in found if each is not None), default=None)


async def _allocate(conn: Connection, period: str) -> None:
    row = await conn.fetchrow(queries.STEP, period)
    if row is None or row["sealed_at"] is not None:
        return
    await conn.execute(queries.PATIENT)
    await periods.closing(conn, period)
    for hook in HOOKS:
        await hook(conn, period)


async def _count(conn: Connection, period: str) -> None:
    """The month's balances, trees, lines and place in the log are kept."""
    row = await conn.fetchrow(queries.STEP, period)
    assert row is not None
    if row["log_end"] is not None:
        return
    await conn.execute(queries.PATIENT)
    await periods.count(conn, period)
    accounts = [each async for each in periods.kept(conn, period)]
    await trees.keep(conn, period, await asyncio.to_thread(trees.trees_of, accounts, row["secret"]))
    month, size = period_of(period), (await translog.head(conn)).size
    before = await conn.fetchrow(queries.BEFORE, period)
    if before is None:
        first = await translog.first_entry_at(conn, periods.first_moment(month.start), size)
    else:
        first = before["log_end"]
    end = max(first, await translog.first_entry_at(conn, periods.first_moment(month.end), size))
    found = [(each["index"], each["leaf_hash"]) for each in await conn.fetch(queries.BATCHES, first, end)]
    root = await asyncio.to_thread(batches_root, found)
    await conn.execute(queries.SET_LOG, period, first, end, len(found), root)


async def _stated(services: Services, period: str) -> bool:
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.STEP, period)
    return row is not None and row["pending"] is not None


async def _state(conn: Connection, services: Services, period: str) -> int:
    """Return the pending id of the statement, submitted by this call or an earlier one."""
    row = await conn.fetchrow(queries.STEP, period)
    assert row is not None
    if row["pending"] is not None:
        known: int = row["pending"]
        return known
    before = await conn.fetchrow(queries.BEFORE, period)
    payload = PeriodClose(
        registry=services.keys.ref,
        period=period,
        previous=None if before is None else envelopes.parse(before["envelope"]).payload_digest,
        trees=await trees.kept(conn, period),
        log_first=row["log_first"],
        log_end=row["log_end"],
        batches=row["batches"],
        batches_root=row["batches_root"].hex(),
        issued_at=times.to_text(row["sealed_at"]),
        left_out=await conn.fetchval(queries.LEFT_OUT, period),
    )
    check_totals(payload)  # never sign what whoever reads it must refuse
    sealed = envelopes.encode(envelopes.seal(payload, await services.keys.hold(conn, "office")))
    pending = await translog.submit(conn, "period-close", identifiers.new_id("stm"), sealed, None)
    if await conn.execute(queries.SET_PENDING, period, pending) != "UPDATE 1":
        raise Conflict(f"the month {period} was closed meanwhile")
    payees = [identifiers.to_uuid(row["payee"]) for row in await conn.fetch(queries.PAYEES, period)]
    said = f"the books of {period} are closed: what you were owed and owed stands for good"
    await events.tell_many(conn, payees, "month-closed", period, said)
    return pending
