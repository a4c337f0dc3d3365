"""The power fails in the middle of an erasure: it is done whole or not at all, and the log goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.whole.conftest import People
from tests.whole.stage import Person
from tests.whole.test_restore import Fragile, fragile

pytestmark = pytest.mark.fault

__all__ = ["fragile"]

WAITS = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like 'update consent%')"
COMMITTED = "select exists (select from erasures)"


@contextmanager
def holding(data: Path, row: str) -> Iterator[tuple[BlockingPortal, asyncpg.Connection]]:
    """Let nobody change ``row``; the connection with which to look who waits for it."""
    sockets = (data / "postgres" / "postmaster.pid").read_text().splitlines()[4]

    async def connected() -> asyncpg.Connection:
        return await asyncpg.connect(host=sockets, user="licet", database="licet", ssl=False)

    with start_blocking_portal("asyncio") as portal:
        holder, looking = portal.call(connected), portal.call(connected)
        try:
            portal.call(holder.execute, f"begin; select from {row} for update")
            yield portal, looking
        finally:
            portal.call(holder.terminate)
            portal.call(looking.terminate)


def dies_erasing(fragile: Fragile, who: Person, row: str, reached: str) -> None:
    """Everything is killed once the erasure has ``reached`` so far, while nobody can change ``row``."""

    async def until(conn: asyncpg.Connection) -> None:
        async with asyncio.timeout(120):
            while not await conn.fetchval(reached):  # of another process
                await asyncio.sleep(0.02)

    with holding(fragile.data, row) as (portal, looking):
        erasing = who.starts("account", "erase", "--yes")
        portal.call(until, looking)
        fragile.loses()
    erasing.kill()  # it would ask again, and be answered
    erasing.communicate()


@pytest.mark.slow
def test_killed_before_the_commit_nothing_is_gone_and_after_it_everything(fragile: Fragile, person: People) -> None:
    ada = person("ada-killed", fragile.service.url).joins("artist", "Ada Gone")
    made = ada.does("register", ada.draws("one", 971, 972), "--preset", "research")
    dies_erasing(fragile, ada, "consent_version", WAITS)  # when everything but that is done
    fragile.returns()
    shown = {each["work"]: each["statement"] for each in ada.does("works", "list")["works"]}
    assert shown == {each["work"]: made["statement"] for each in made["works"]}
    assert fragile.office("verify")["equal"] is True

    dies_erasing(fragile, ada, "log_head", COMMITTED)  # and not in the log
    fragile.returns()
    assert ada.types("account", "show").code == 4
    stranger = person("stranger-killed", fragile.service.url)
    (answer,) = stranger.does("check", ada.folder / "one" / "971.png", "--use", "evaluate")["results"]
    assert answer["verdict"] == "deny"
    assert fragile.office("verify")["equal"] is True
    stranger.joins("artist", "Stran Ger").does("log", "verify")
    assert b"Ada Gone" not in (fragile.data / "postgres.log").read_bytes()
