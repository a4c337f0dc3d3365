"""SIGKILL at every step of an erasure: all of it is done, or nothing, and the log's tree is whole."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

import pytest

from tests.conftest import FAULTS
from tests.registry.archive.conftest import contents
from tests.registry.catalogue import PAID, RESEARCH, artist, picture
from tests.registry.erasure.leaving import places, verdict, verified, words
from tests.registry.harness import Running, verify_whole_log
from tests.registry.market import shelf, trainer

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.fault]
EVERY = max(1, 5 // FAULTS)  # a step of so many


async def ended(killer: Process, nth: int) -> int:
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(b"%d\n" % nth)
    await killer.stdin.drain()
    return int(await killer.stdout.readline())


async def at_rest(site: Running) -> dict[str, Any]:
    """Return everything that is in the database, once whoever was killed is gone from it and the log stands still."""
    async with site.services.database.acquire() as conn:
        while await conn.fetchval(BUSY):
            await asyncio.sleep(0.01)
    held = await contents(site.services.database)
    return {table: rows for table, rows in held.items() if table not in {"quotas", "idempotency"}}


BUSY = """
select exists (select from log_queue) or exists (
    select from pg_stat_activity
    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()
)
"""


async def test_rule_28_killed_while_erasing_nothing_is_gone_or_everything(lone: Running, dsn: str) -> None:
    site = lone
    ada = await artist(site, "Zephyrine Quill")
    await ada.raise_level(2)
    goods = await shelf(site, PAID, 1, owner=ada)
    lab = await trainer(site)
    await lab.license(goods.wanted())
    free = await ada.picture(picture(1), title="Moth at dusk", urls=["https://zephyrine.example/moth.png"])
    await ada.state([free.work], RESEARCH)
    services = site.services
    killer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.registry.erasure.killed"),
        *(dsn, str(services.settings.data), ada.id),
        stdin=PIPE,
        stdout=PIPE,
    )
    before = await at_rest(site)
    nth = 1
    while await ended(killer, nth) == -9 and await at_rest(site) == before:
        nth += EVERY  # once it is another, it was committed, and its caller died before it heard
    assert killer.stdin is not None
    killer.stdin.close()
    assert await killer.wait() == 0
    assert nth > EVERY * 6
    personal = words(ada, "Zephyrine", "zephyrine", "Moth at dusk")
    assert await places(site, personal) <= {"account_keys.public", "log_pending.envelope", "works.urls"}
    async with services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from erasures") == 1
        assert await conn.fetchval("select count(*) from log_queue") == 0
        size = await conn.fetchval("select size from log_head")
    assert await verdict(site, picture(1)) == "deny"
    assert len(verify_whole_log(services.settings.data, services.keys.log_signer.verifier)) == size
    await verified(site)
