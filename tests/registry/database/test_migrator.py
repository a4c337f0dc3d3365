"""The migrator: each file once and in order, by one process at a time, and nothing that was applied may change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from registry.database import Database, migrate, pending
from registry.database.migrator import migrations
from registry.errors import MigrationError

pytestmark = pytest.mark.anyio

FIRST = "CREATE TABLE artist (id int PRIMARY KEY);\nINSERT INTO artist VALUES (1);\n"
SECOND = "CREATE TABLE work (id int PRIMARY KEY, artist int REFERENCES artist);\n"
INDEX = "-- licet: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS work_artist ON work (artist);\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_artists.sql").write_text(FIRST)
    (tmp_path / "0002_works.sql").write_text(SECOND)
    return tmp_path


async def test_every_file_is_applied_once_and_in_order(database: Database, folder: Path):
    assert [one.file for one in await pending(database, folder)] == ["0001_artists.sql", "0002_works.sql"]
    assert [one.file for one in await migrate(database, folder)] == ["0001_artists.sql", "0002_works.sql"]
    assert await migrate(database, folder) == []
    assert await pending(database, folder) == []
    (folder / "0003_index.sql").write_text(INDEX)
    assert [one.file for one in await migrate(database, folder)] == ["0003_index.sql"]
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM artist") == 1
        rows = await connection.fetch("SELECT version, name, octet_length(sha256) FROM schema_migrations ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, "artists", 32), (2, "works", 32), (3, "index", 32)]


async def test_looking_at_what_is_pending_changes_nothing(database: Database, folder: Path):
    await pending(database, folder)
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT to_regclass('schema_migrations')") is None


async def test_an_edited_file_is_refused_by_name(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0001_artists.sql").write_text(FIRST + "-- a later thought\n")
    for look in (pending, migrate):
        with pytest.raises(MigrationError, match=r"0001_artists\.sql was changed after it was applied"):
            await look(database, folder)


async def test_other_line_ends_are_not_an_edit(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0001_artists.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert await pending(database, folder) == []


async def test_a_missing_file_is_refused_by_name(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0002_works.sql").unlink()
    with pytest.raises(MigrationError, match=r"0002_works\.sql was applied to this database and is missing here"):
        await migrate(database, folder)


async def test_a_renamed_file_is_refused_by_name(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0002_works.sql").rename(folder / "0002_pictures.sql")
    with pytest.raises(MigrationError, match=r"0002_works\.sql was applied .* named 0002_pictures\.sql"):
        await migrate(database, folder)


async def test_a_file_slipped_in_before_an_applied_one_is_refused(database: Database, folder: Path):
    (folder / "0001_artists.sql").rename(folder / "0003_artists.sql")
    (folder / "0002_works.sql").unlink()
    await migrate(database, folder)
    (folder / "0002_late.sql").write_text("SELECT 1;\n")
    with pytest.raises(MigrationError, match=r"0002_late\.sql comes before 0003"):
        await migrate(database, folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [("0002_other.sql", "expected one migration 0002"), ("2_x.sql", "expected a migration named NNNN_name.sql")],
)
async def test_a_bad_name_is_refused(folder: Path, name: str, message: str):
    (folder / name).write_text("SELECT 1;\n")
    with pytest.raises(MigrationError, match=message):
        migrations(folder)


async def test_a_file_that_is_not_utf_8_is_refused_by_name(folder: Path):
    (folder / "0003_latin.sql").write_bytes("-- Künstler\n".encode("latin-1"))
    with pytest.raises(MigrationError, match=r"cannot read 0003_latin\.sql"):
        migrations(folder)


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(MigrationError, match="found none"):
        migrations(tmp_path / "nowhere")


async def test_a_file_that_fails_leaves_nothing_and_those_before_it_stay(database: Database, folder: Path):
    (folder / "0002_works.sql").write_text("CREATE TABLE half (id int);\nCREATE TABLE nonsense (id nonsense);\n")
    with pytest.raises(MigrationError, match=r'0002_works\.sql failed at line 2: type "nonsense" does not exist'):
        await migrate(database, folder)
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT count(*) FROM artist") == 1
    (folder / "0002_works.sql").write_text(SECOND)
    assert [one.file for one in await migrate(database, folder)] == ["0002_works.sql"]


async def test_runners_at_once_share_the_work_without_harm(empty_dsn: str, folder: Path):
    # The concurrent index waits for every snapshot, so a runner that waited inside a statement would never end.
    (folder / "0003_index.sql").write_text(INDEX)
    runners = [await Database.connect(empty_dsn, connections=2) for _ in range(4)]
    try:
        done = await asyncio.gather(*(migrate(runner, folder) for runner in runners))
    finally:
        for runner in runners:
            await runner.close()
    assert sorted(len(one) for one in done) == [0, 0, 0, 3]


async def test_a_lock_held_by_users_delays_a_migration_and_does_not_fail_it(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    await migrate(database, folder)
    monkeypatch.setattr("registry.database.migrator._LOCK_TIMEOUT", "50ms")
    (folder / "0003_column.sql").write_text("ALTER TABLE work ADD COLUMN title text;\n")
    async with database.transaction() as reader:
        await reader.fetch("SELECT * FROM work")
        running = asyncio.create_task(migrate(database, folder))
        await asyncio.sleep(0.2)
        assert not running.done()
    assert [one.file for one in await running] == ["0003_column.sql"]


async def test_a_runner_that_dies_frees_the_lock(database: Database, empty_dsn: str, folder: Path):
    (folder / "0002_works.sql").write_text("SELECT pg_sleep(60);\n")
    dying = asyncio.create_task(migrate(database, folder))
    async with database.acquire() as connection:
        for _ in range(500):
            sleeping = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"
            )
            if sleeping is not None:
                break
            await asyncio.sleep(0.01)
        await connection.execute("SELECT pg_terminate_backend($1)", sleeping)
    with pytest.raises(Exception, match=r"terminat|did not answer|lost"):
        await dying
    (folder / "0002_works.sql").write_text(SECOND)
    assert [one.file for one in await migrate(database, folder)] == ["0002_works.sql"]
