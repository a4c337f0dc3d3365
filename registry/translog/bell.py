"""The wake-up call for the sequencer, rung after COMMIT.

A NOTIFY inside a transaction makes its commit wait for every other such commit, one trip to the disk each. So the
wake-up comes in a transaction of its own, one for all who commit while it is on its way. One that is lost costs a
second: the sequencer looks by itself.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Final

from registry.database import Database
from registry.errors import Unavailable
from registry.translog import queries

NAMED: Final = 20  # requests that one call names at most


class _Bell:
    def __init__(self) -> None:
        self.asked_by: list[str] = []
        self.wanted = False
        self.ringing: asyncio.Task[None] | None = None


_bells: weakref.WeakKeyDictionary[Database, _Bell] = weakref.WeakKeyDictionary()


def ring(database: Database, request: str) -> None:
    """The sequencer will be woken, and told that ``request`` (an id, or empty) handed something in."""
    bell = _bells.setdefault(database, _Bell())
    bell.wanted = True
    if request and len(bell.asked_by) < NAMED:
        bell.asked_by.append(request)
    if bell.ringing is None or bell.ringing.done():
        bell.ringing = asyncio.create_task(_ring(database, bell))


async def _ring(database: Database, bell: _Bell) -> None:
    while bell.wanted:
        requests, bell.asked_by, bell.wanted = " ".join(bell.asked_by), [], False
        try:
            async with database.acquire() as conn:
                await conn.execute(queries.RING, requests)
        except Unavailable:
            return
