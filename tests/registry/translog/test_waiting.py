"""The wake-up and the wait: rung for what was committed alone, answered for everybody, whenever they came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from registry.database import Database
from registry.translog import open_keys, queries, submit, wait, wait_all
from registry.translog.keyfiles import SIGNING
from registry.translog.keys import RegistryKeys
from tests.registry.translog.log import ORIGIN, sequencing, submitted

pytestmark = pytest.mark.anyio


@pytest.fixture
async def keys(database: Database, tmp_path: Path) -> RegistryKeys:
    async with database.acquire() as conn:
        return await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)


@asynccontextmanager
async def calls(database: Database) -> AsyncIterator[asyncio.Queue[str]]:
    """Yield what the sequencer hears."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with database.dedicated() as conn:
        await conn.add_listener(queries.PENDING_CHANNEL, lambda *call: heard.put_nowait(call[-1]))
        yield heard


async def test_the_sequencer_is_woken_for_what_is_committed_and_not_for_what_is_taken_back(database, keys):
    async with calls(database) as heard:
        with pytest.raises(RuntimeError, match="stop"):
            async with database.transaction() as conn:
                await submit(conn, "consent", "stm_back", b"envelope", None)
                raise RuntimeError("stop")
        async with database.acquire() as conn:
            assert await conn.fetchval("select count(*) from log_queue where pending > 4") == 0
        await submitted(database, 1)
        await asyncio.wait_for(heard.get(), 10)
        async with database.dedicated() as conn, conn.transaction():  # no transaction of the pool's
            await submit(conn, "consent", "stm_alone", b"envelope", None)
            await asyncio.sleep(0)
            assert heard.empty()
        await asyncio.wait_for(heard.get(), 10)
        assert heard.empty()


async def test_those_who_commit_together_share_calls(database, keys):
    async with calls(database) as heard:
        await asyncio.gather(*(submitted(database, 1) for _ in range(60)))
        await asyncio.wait_for(heard.get(), 10)
        await submitted(database, 1)  # and the bell is not stuck
        await asyncio.wait_for(heard.get(), 10)
        assert heard.qsize() < 30


async def test_a_receipt_comes_whether_one_asks_before_or_after_publication(database, keys, tmp_path):
    sequencer = sequencing(keys, tmp_path)
    early = await submitted(database, 300)
    waiting = asyncio.create_task(wait_all(database, early))
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        for limit in (100, 1, 150):  # published in pieces while the others wait on
            await sequencer.integrate(conn, limit)
            await sequencer.publish(conn)
            await asyncio.sleep(0.03)
        late = await submitted(database, 3)
        also_waiting = asyncio.create_task(wait_all(database, late))
        already = await wait(database, early[7])  # one that is published while others are not
        assert not waiting.done()
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)
    found = [*await waiting, *await also_waiting]
    assert [each.log_index for each in found] == list(range(4, 307))
    assert already.log_index == 11
    assert (await wait(database, late[0])).log_index == 304
