"""SIGKILL at every step of the sequencer, again and again: nothing lost, nothing twice, one root for a size."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process

import pytest

from licet.log import checkpoint
from registry.translog import open_keys
from registry.translog.keyfiles import SIGNING
from tests.conftest import FAULTS
from tests.registry.harness import verify_whole_log
from tests.registry.translog.log import ORIGIN, STEPS, files, logged, sequencing, submitted

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
CYCLES = 104 if FAULTS == 1 else 208 * FAULTS


async def ended(killer: Process, step: str, nth: int, limit: int) -> int:
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{step} {nth} {limit}\n".encode())
    await killer.stdin.drain()
    return int(await killer.stdout.readline())


async def test_a_hundred_kills_and_more_lose_nothing_and_fork_nothing(database, dsn, tmp_path):
    async with database.acquire() as conn:
        keys = await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)
    verifier = keys.log_signer.verifier
    chance = random.Random(7)
    expected = [1, 2, 3, 4]
    roots: dict[int, bytes] = {}
    killer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.registry.translog.killed", dsn, str(tmp_path), stdin=PIPE, stdout=PIPE
    )
    kills = 0
    for cycle in range(CYCLES):
        expected += await submitted(database, chance.randint(1, 40))
        step = STEPS[cycle % len(STEPS)]
        kills += await ended(killer, step, chance.choice((1, 1, 2)), chance.randint(10, 60)) == -9
        shown = await files(tmp_path).read("checkpoint")
        if shown is not None:
            seen = checkpoint.open(shown, verifier)
            assert roots.setdefault(seen.size, seen.root) == seen.root
        if cycle % 20 == 0 and shown is not None:
            assert len(verify_whole_log(tmp_path, verifier)) == seen.size
    assert killer.stdin is not None
    killer.stdin.close()
    assert await killer.wait() == 0
    async with database.dedicated() as conn:
        sequencer = sequencing(keys, tmp_path)
        await sequencer.resume(conn)
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)
        assert await conn.fetchval("select count(*) from log_queue") == 0
    assert kills > CYCLES * 0.6
    assert await logged(database) == expected
    assert len(verify_whole_log(tmp_path, verifier)) == len(expected)
