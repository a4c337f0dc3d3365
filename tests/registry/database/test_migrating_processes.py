"""Migrating in processes of their own: side by side, and killed in the middle."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from registry.database import Database, migrate

pytestmark = [pytest.mark.anyio, pytest.mark.fault]

ROOT = Path(__file__).resolve().parents[3]
MIGRATING = Path(__file__).with_name("migrating.py")
RUNNING = """
SELECT pid FROM pg_stat_activity
WHERE query LIKE $1 AND datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
"""


class Start(Protocol):
    def __call__(self, dsn: str, folder: Path) -> subprocess.Popen[str]: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that migrates; whatever still runs is killed with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(dsn: str, folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(MIGRATING), dsn, str(folder)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def until_running(database: Database, text: str, process: subprocess.Popen[str]) -> None:
    """Return once a statement like ``text`` of ``process`` runs."""
    async with database.acquire() as connection:
        while await connection.fetchval(RUNNING, text) is None:
            assert process.poll() is None, process.communicate()
            await asyncio.sleep(0.02)


async def test_two_processes_at_once_apply_every_file_once(empty_dsn: str, tmp_path: Path, start: Start):
    (tmp_path / "0001_table.sql").write_text("CREATE TABLE t (n int);\nSELECT pg_sleep(0.5);\n")
    (tmp_path / "0002_rows.sql").write_text("INSERT INTO t SELECT generate_series(1, 3);\n")
    (tmp_path / "0003_index.sql").write_text(
        "-- licet: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_n ON t (n);\n"
    )
    runners = [start(empty_dsn, tmp_path) for _ in range(2)]
    told = await asyncio.gather(*(asyncio.to_thread(runner.communicate) for runner in runners))
    assert sorted(out for out, _ in told) == ["0\n", "3\n"], told
    database = await Database.connect(empty_dsn, connections=2)
    try:
        async with database.acquire() as connection:
            assert await connection.fetchval("SELECT count(*) FROM t") == 3
    finally:
        await database.close()


@pytest.mark.parametrize("alone", [False, True], ids=["transaction", "no transaction"])
async def test_a_process_killed_in_the_middle_leaves_nothing_half_applied(
    database: Database, empty_dsn: str, tmp_path: Path, start: Start, alone: bool
):
    # It would sleep for a minute: the server gives it up once it sees that nobody waits for the answer.
    slow = (
        "CREATE FUNCTION slowly(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS\n"
        "$$ BEGIN IF public.slow() THEN PERFORM pg_sleep(60); END IF; RETURN n; END $$;\n"
    )
    (tmp_path / "0001_table.sql").write_text(
        "CREATE TABLE t (n int);\nINSERT INTO t VALUES (1);\nCREATE TABLE pace (slow bool);\n"
        "INSERT INTO pace VALUES (true);\n"
        "CREATE FUNCTION slow() RETURNS bool LANGUAGE sql STABLE AS 'SELECT slow FROM public.pace';\n" + slow
    )
    await migrate(database, tmp_path)
    (tmp_path / "0002_slow.sql").write_text(
        "-- licet: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_slow ON t (slowly(n));\n"
        if alone
        else "CREATE TABLE half (n int);\nCREATE INDEX t_slow ON t (slowly(n));\n"
    )
    process = start(empty_dsn, tmp_path)
    await until_running(database, "%t_slow%", process)
    process.kill()
    async with database.acquire() as connection:
        while await connection.fetchval(RUNNING, "%t_slow%") is not None:
            await asyncio.sleep(0.05)
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT count(*) FROM schema_migrations") == 1
        # Outside a transaction the index is there, and of no use.
        assert await connection.fetchval("SELECT to_regclass('t_slow') IS NOT NULL") is alone
        await connection.execute("UPDATE pace SET slow = false")
        assert [one.file for one in await migrate(database, tmp_path)] == ["0002_slow.sql"]
        assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_slow'::regclass")
