"""The migrator: each file once and in order, by one process at a time, and nothing that was applied may change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from registry.database import Database, migrate, pending, stranded
from registry.database.migrator import migrations
from registry.errors import DatabaseUnavailable, MigrationError

pytestmark = pytest.mark.anyio

FIRST = "CREATE TABLE artist (id int PRIMARY KEY);\nINSERT INTO artist VALUES (1);\n"
SECOND = "CREATE TABLE work (id int PRIMARY KEY, artist int REFERENCES artist);\n"
EDITED = r"0001_artists\.sql was changed after it was applied: expected sha256 [0-9a-f]{16}…, got [0-9a-f]{16}…; put it"
MISSING = r"0002_works\.sql was applied .* on 20\S+ and is missing here: expected the file with sha256 [0-9a-f]{16}…"
LATE = r"0002_late\.sql comes before 0003_artists\.sql, .* expected a number above 0003, got 0002"
MOVED = r"0001_artists\.sql was applied .* number 0001, here it is named 0001_works\.sql"
INDEX = "-- licet: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS work_artist ON work (artist);\n"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"


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
        with pytest.raises(MigrationError, match=EDITED):
            await look(database, folder)


async def test_other_line_ends_are_not_an_edit(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0001_artists.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert await pending(database, folder) == []


async def test_a_missing_file_is_refused_by_name(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0002_works.sql").unlink()
    with pytest.raises(MigrationError, match=MISSING):
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
    with pytest.raises(
        MigrationError,
        match=LATE,
    ):
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


async def test_two_files_that_changed_places_are_refused_by_name(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0001_artists.sql").rename(folder / "0001_works.sql")
    (folder / "0002_works.sql").rename(folder / "0002_artists.sql")
    with pytest.raises(MigrationError, match=MOVED):
        await migrate(database, folder)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("-- licet: no-transactions\nSELECT 1;", r"expected the marker .* got 'no-transactions'"),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (n);",
            r"expected the line '-- licet: no-transaction' above INDEX",
        ),
        ("-- licet: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (n);", r"expected IF NOT EXISTS .* before i,"),
        ("-- licet: no-transaction\nDROP INDEX CONCURRENTLY i;", r"expected IF NOT EXISTS \(or IF EXISTS\) before i;"),
    ],
)
async def test_a_file_that_could_not_be_run_again_is_refused_before_it_runs(folder: Path, sql: str, message: str):
    (folder / "0003_alone.sql").write_text(sql)
    with pytest.raises(MigrationError, match=rf"0003_alone\.sql: {message}"):
        migrations(folder)


async def test_a_file_that_ends_its_transaction_is_refused_and_not_recorded(database: Database, folder: Path):
    (folder / "0002_works.sql").write_text("CREATE TABLE t ();\nCOMMIT;\nCREATE TABLE u ();\n")
    with pytest.raises(MigrationError, match=r"0002_works\.sql ended the transaction .* no BEGIN, COMMIT or ROLLBACK"):
        await migrate(database, folder)
    assert [one.file for one in await pending(database, folder)] == ["0002_works.sql"]


async def test_an_index_that_cannot_be_built_leaves_nothing_and_is_built_once_it_can(database: Database, folder: Path):
    unique = "-- licet: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_each ON work (artist);\n"
    await migrate(database, folder)
    (folder / "0003_unique.sql").write_text(unique)
    async with database.acquire() as connection:
        await connection.execute("INSERT INTO work VALUES (1, 1), (2, 1)")
        with pytest.raises(MigrationError, match=r"0003_unique\.sql failed: could not create unique index"):
            await migrate(database, folder)
        assert await connection.fetchval("SELECT to_regclass('one_each')") is None
        # What a runner leaves that died before it could clean up: the statement alone would take it for done.
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(unique)
        assert not await connection.fetchval(VALID, "one_each")
        await connection.execute("DELETE FROM work WHERE id = 2")
        assert [one.file for one in await migrate(database, folder)] == ["0003_unique.sql"]
        assert await connection.fetchval(VALID, "one_each")


async def test_an_index_that_was_built_and_not_recorded_is_recorded(database: Database, folder: Path):
    await migrate(database, folder)
    (folder / "0003_index.sql").write_text(INDEX)
    async with database.acquire() as connection:
        await connection.execute(INDEX)
        assert [one.file for one in await migrate(database, folder)] == ["0003_index.sql"]
        assert await connection.fetchval(VALID, "work_artist")


async def test_a_runner_that_dies_frees_the_lock(database: Database, empty_dsn: str, folder: Path):
    (folder / "0002_works.sql").write_text("SELECT pg_sleep(60);\n")
    dying = asyncio.create_task(migrate(database, folder))
    async with database.acquire() as connection:
        sleepers = (
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"
        )
        while (sleeping := await connection.fetchval(sleepers)) is None:
            await asyncio.sleep(0.01)
        await connection.execute("SELECT pg_terminate_backend($1)", sleeping)
    with pytest.raises(DatabaseUnavailable):
        await dying
    (folder / "0002_works.sql").write_text(SECOND)
    assert [one.file for one in await migrate(database, folder)] == ["0002_works.sql"]


async def test_an_index_that_was_cut_off_is_built_anew_whatever_the_schema_of_its_table(
    database: Database, folder: Path
):
    await migrate(database, folder)
    async with database.acquire() as connection:
        await connection.execute("CREATE SCHEMA aside; CREATE TABLE aside.work (n int)")
        await connection.execute("INSERT INTO aside.work VALUES (1), (1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY aside_n ON aside.work (n)")
        await connection.execute("DELETE FROM aside.work")
    statement = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS aside_n ON aside.work (n);"
    (folder / "0003_index.sql").write_text(f"-- licet: no-transaction\n{statement}\n")
    assert [each.version for each in await migrate(database, folder)] == [3]
    async with database.acquire() as connection:
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'aside.aside_n'::regclass"
        assert await connection.fetchval(valid)  # never recorded as done while it answers no query


async def test_an_index_left_half_built_is_named_unless_its_file_will_build_it_anew(database: Database, folder: Path):
    await migrate(database, folder)
    assert await stranded(database, folder) == []
    async with database.acquire() as connection:
        await connection.execute("INSERT INTO work VALUES (1, 1), (2, 1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY work_artist ON work (artist)")
    assert await stranded(database, folder) == ["work_artist"]
    (folder / "0003_index.sql").write_text(INDEX)
    assert await stranded(database, folder) == []
    await migrate(database, folder)
    assert await stranded(database, folder) == []
