"""Two requests that want the same row, in an order that a test chooses: real transactions, and no luck in it.

A third transaction holds the row until both wait for it, one after the other; the database gives it to them in the
order in which they came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from registry.database import Connection
from tests.registry.harness import Running

A = TypeVar("A")
B = TypeVar("B")
HEAD = "select account from consent_heads where account = $1 for no key update"
ORGANISATION = "select id from accounts where id = $1 for no key update"
_WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()
"""


async def in_turn(
    site: Running,
    row: str,
    account: UUID,
    first: Callable[[], Awaitable[A]],
    second: Callable[[], Awaitable[B]],
) -> tuple[A, B]:
    """Return the answers of ``first`` and ``second``, which had ``row`` (`HEAD`, `ORGANISATION`) in this order."""
    async with site.services.database.acquire() as watching:
        async with site.services.database.transaction() as holding:
            await holding.execute(row, account)
            one = asyncio.ensure_future(first())
            await _until(watching, 1, one)
            two = asyncio.ensure_future(second())
            await _until(watching, 2, two)
        return await one, await two


async def _until(conn: Connection, waiting: int, of: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(20):
        while await conn.fetchval(_WAITING) < waiting:
            assert not of.done(), f"expected a request that waits for the row, got {of.result()!r}"
