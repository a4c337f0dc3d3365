"""Connections are handed on while they are sound; what is broken, unused or waited for goes through the pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from registry.database import Database, lending
from registry.database.lending import Lending

pytestmark = pytest.mark.anyio
_PROCESS = "SELECT pg_backend_pid()"


@pytest.fixture
async def pool(empty_dsn: str) -> AsyncIterator[asyncpg.Pool]:
    made = await asyncpg.create_pool(empty_dsn, min_size=0, max_size=2, max_inactive_connection_lifetime=0.05)
    yield made
    made.terminate()


async def give_back(lending: Lending, connection: object) -> None:
    await lending.give_back(connection, sound=True, seconds=2.0)


async def test_the_connection_that_was_used_last_is_lent_next(pool: asyncpg.Pool):
    lending = Lending(pool)
    assert lending.at_once() is None
    one, two = await lending.wait(2.0), await lending.wait(2.0)
    assert lending.lent == 2
    await give_back(lending, two)
    await give_back(lending, one)
    assert lending.lent == 0
    assert lending.at_once() is one
    assert lending.at_once() is two
    assert lending.at_once() is None
    await give_back(lending, one)
    await give_back(lending, two)
    await lending.close(5.0)


async def test_whoever_waits_gets_what_is_given_back(pool: asyncpg.Pool):
    lending = Lending(pool)
    held = [await lending.wait(2.0) for _ in range(2)]
    waiting = asyncio.create_task(lending.wait(10.0))
    await asyncio.sleep(0)
    assert lending.waiting == 1
    await give_back(lending, held[0])
    found = await waiting
    assert await found.fetchval("SELECT 1") == 1
    assert (lending.waiting, lending.lent) == (0, 2)
    for each in (found, held[1]):
        await give_back(lending, each)
    await lending.close(5.0)


async def test_a_connection_that_was_cut_while_it_lay_there_is_not_lent(database: Database):
    async with database.acquire() as connection:
        process = await connection.fetchval(_PROCESS)
    async with database.dedicated() as killer:
        await killer.execute("SELECT pg_terminate_backend($1)", process)
        while await killer.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", process):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # until the driver has heard of it
    async with database.acquire() as connection:
        assert await connection.fetchval(_PROCESS) != process


async def test_what_nobody_uses_is_closed_and_what_is_used_stays(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lending, "LOOK_EVERY", 0.2)
    lent = Lending(pool)
    one, two = await lent.wait(2.0), await lent.wait(2.0)
    process = await two.fetchval(_PROCESS)
    await give_back(lent, one)
    await give_back(lent, two)
    while pool.get_size() > 1:
        found = lent.at_once()
        assert found is two
        await give_back(lent, found)
        await asyncio.sleep(0.01)
    assert await two.fetchval(_PROCESS) == process
    while pool.get_size():
        await asyncio.sleep(0.01)
    assert lent.at_once() is None
    await lent.close(5.0)


async def test_connections_that_lie_there_do_not_hold_up_the_end(pool: asyncpg.Pool):
    lending = Lending(pool)
    held, lying = await lending.wait(2.0), await lending.wait(2.0)
    await give_back(lending, lying)
    ending = asyncio.create_task(lending.close(30.0))
    await asyncio.sleep(0)
    await give_back(lending, held)  # what comes back while it ends is not kept
    async with asyncio.timeout(20):
        await ending
    assert pool.get_size() == 0


async def test_a_statement_that_was_cut_off_disturbs_nobody_after_it(database: Database):
    async with database.acquire() as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.execute("SELECT pg_sleep(30)")
    async with asyncio.timeout(20), database.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    task = asyncio.create_task(_sleep(database))
    await asyncio.sleep(0.05)
    task.cancel()
    async with asyncio.timeout(20), database.acquire() as connection:
        assert await connection.fetchval("SELECT 2") == 2
    with pytest.raises(asyncio.CancelledError):
        await task


async def _sleep(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("SELECT pg_sleep(30)")
