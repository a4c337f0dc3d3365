"""Looking again: at what was asked for until it is there, at what is proven every few days."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Final

from licet import times
from registry.claims import queries
from registry.claims.looking import TOTAL_TIMEOUT, Looker
from registry.claims.service import ASKED_FOR, record
from registry.database import Row
from registry.errors import NotFound
from registry.observing import tracing
from registry.services import Services

LOOK_EVERY: Final = 30.0  # seconds
_AT_ONCE: Final = 8
_TAKEN: Final = timedelta(seconds=10 * TOTAL_TIMEOUT)


async def run(services: Services, stop: asyncio.Event) -> None:
    """Look at every domain whose time has come, until ``stop``."""
    while not stop.is_set():
        while await look_again(services, times.now()) == _AT_ONCE and not stop.is_set():
            pass
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)


async def look_again(services: Services, now: datetime) -> int:
    """Return how many domains were looked at, of at most 8 that are due at ``now``, all at a time."""
    async with services.database.transaction() as conn:
        await conn.execute(queries.FORGET, now, now - ASKED_FOR)
        rows = await conn.fetch(queries.DUE, now, now + _TAKEN, _AT_ONCE)
    looker = Looker(services.settings)
    with tracing.span("claims.look"):
        await asyncio.gather(*(_look(services, looker, row) for row in rows))
    return len(rows)


async def _look(services: Services, looker: Looker, row: Row) -> None:
    found = await looker.look(row["domain"], row["value"])
    with contextlib.suppress(NotFound):  # the account is gone
        await record(services, row["account"], row["id"], found)
