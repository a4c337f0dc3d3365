"""Disputes end where nobody appealed: the loop looks every minute. While nothing ran, no time to appeal was over.

Each ends in a transaction of its own, under the locks of an appeal: whichever comes first is the one that counts. A
dispute that cannot be ended is logged, looked at again with the next round, and keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from licet import identifiers, times
from licet.statements.disputes import draft_end
from registry.consent.queries.statements import LOCK_HEAD
from registry.disputes import queries, words
from registry.disputes.deciding import office_step
from registry.disputes.lasting import appeal_until
from registry.disputes.service import end
from registry.disputes.telling import named, tell_both
from registry.errors import RegistryError
from registry.observing import tracing
from registry.services import Services
from registry.settlement import escrow
from registry.settlement.queries import LOCK

_EVERY: Final = 60.0  # seconds
_AT_ONCE: Final = 100
_FIRST: Final = UUID(int=0)

log = structlog.get_logger("registry.disputes")


async def run(services: Services, stop: asyncio.Event) -> None:
    """End what nobody appealed, until ``stop``."""
    while not stop.is_set():
        with tracing.span("disputes.end"):
            ended = await end_due(services, times.now())
        if ended:
            log.info("disputes.ended", disputes=ended)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _EVERY)


async def end_due(services: Services, now: datetime) -> int:
    """Return how many disputes ended of those that nobody can appeal any more at ``now``; again, none does."""
    ended, after = 0, _FIRST
    while True:
        async with services.database.acquire() as conn:
            due = [row["id"] for row in await conn.fetch(queries.DUE, after, now, _AT_ONCE)]
        for number in due:
            try:
                ended += await _end(services, number, now)
            except RegistryError as error:
                log.exception("disputes.stuck", dispute=str(number), error=str(error))
        if len(due) < _AT_ONCE:
            break
        after = due[-1]
    if ended:
        await escrow.settle(services, times.now())  # else its loop does, within ten minutes
    return ended


async def _end(services: Services, number: UUID, now: datetime) -> bool:
    async with services.database.transaction() as conn:
        await conn.execute(LOCK)
        row = await conn.fetchrow(queries.SEEN, None, number)
        if row is None or row["state"] != "decided":  # appealed or ended meanwhile
            return False
        if now < await appeal_until(conn, row, now):  # the service was off: whoever lost has the rest of the time
            return False
        names = named(row)
        payload = draft_end(
            services.keys.ref,
            *names,
            operator=identifiers.from_uuid("opr", row["decided_by"]),
            outcome=row["decided"],
        )
        if row["work"] is not None:
            await conn.fetchrow(LOCK_HEAD, row["against"])
        await office_step(services, conn, row, payload)
        await end(services, conn, row, row["decided"], times.now(), row["decided_by"])
        told = words.unappealed(names.dispute, row["decided"])
        await tell_both(conn, row, "dispute-ended", names.dispute, told)
        return True
