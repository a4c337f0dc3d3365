"""SIGKILL at every step of archiving and of replaying: nothing that was committed is missing in the end, or wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.archive import set_aside
from registry.archive.bases import get_from, load_base
from registry.archive.places import manifests
from registry.database import Database
from tests.conftest import FAULTS
from tests.registry.archive.conftest import OWNER, contents

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
EVERY = max(1, 3 // FAULTS)  # a step of so many, another one each time

Kill = Callable[[str, int, str], bool]
LIFE = (
    "insert into accounts (id, kind, name) values (gen_random_uuid(), 'opr', 'Ö')",
    "update accounts set level = (level + 1) % 5",
    "insert into log_pending (kind, subject, envelope) select 'consent', 'stm', 'x' from generate_series(1, 20)",
    "update log_pending set envelope = null, salt = null where id % 7 = 0",
)


@pytest.fixture
def kill(tmp_path: Path, key: object) -> Iterator[Kill]:
    """Do it in a process that dies at a step; whether it died, and did not come to its end."""
    command = [sys.executable, "-m", "tests.registry.archive.killed", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told, answers = process.stdin, process.stdout

        def run(what: str, nth: int, dsn: str) -> bool:
            print(what, nth, dsn, file=told, flush=True)
            code = int(answers.readline())
            assert code in {0, -9}
            return code == -9

        yield run
        told.close()


async def lived(database: Database) -> None:
    async with database.acquire() as conn:
        for statement in LIFE:
            await conn.execute(statement)


async def test_killed_while_archiving_nothing_is_missing(database, dsn, restored, kill):
    nth, kills = 1, 0
    while True:  # the first base, and the slot
        await lived(database)
        if not kill("keep", nth, dsn):
            break
        nth, kills = nth + 10 * EVERY, kills + 1
    nth = 1
    while True:
        await lived(database)
        if not kill("keep", nth, dsn):
            break
        nth, kills = nth + 1, kills + 1
    assert kills > 10
    copy = await restored()
    assert await contents(copy) == await contents(database)


async def test_killed_while_replaying_it_ends_the_same(
    database, dsn, server, migrated_template, archive, store, key, kill
):
    async with database.dedicated() as conn:
        await archive.open(conn)
        for _ in range(3):
            await lived(database)
            await archive.keep(conn)
    async with server.fresh(migrated_template, "killed") as other:
        copy = await Database.connect(other, connections=2)
        async with copy.dedicated() as conn:
            (base,) = await manifests(store, key, OWNER.origin)
            await set_aside(conn)
            await load_base(conn, base, key, get_from(store, base.base), "base")
        nth, kills = 1, 0
        while kill("replay", nth, other):
            nth, kills = nth + EVERY, kills + 1
        assert kills > 10
        assert await contents(copy) == await contents(database)
        async with copy.acquire() as conn:
            assert not await conn.fetchval("select exists (select from archive_aside)")
        await copy.close()
