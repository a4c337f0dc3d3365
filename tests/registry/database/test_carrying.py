"""Data of another major version: refused by name without being touched, and carried over with nothing lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from registry.database import Database, EmbeddedPostgres, migrate, pending
from registry.database.carrying import carry_over
from registry.errors import DataFolderError
from tests.registry import memory

OLD = 16


@pytest.fixture
def old() -> Iterator[Path]:
    """A data folder that PostgreSQL 16 made, with the whole schema and some rows, stopped."""
    data = memory.folder("licet-old-", programs=True)
    data.chmod(0o711)
    server = EmbeddedPostgres(data, major=OLD, durable=False)

    async def fill(dsn: str) -> None:
        database = await Database.connect(dsn, connections=2)
        await migrate(database)
        async with database.acquire() as connection:
            await connection.execute(
                "INSERT INTO terms SELECT sha256(n::text::bytea), '允' FROM generate_series(1, 500) n"
            )
        await database.close()

    asyncio.run(fill(server.start()))
    server.stop()
    yield data
    shutil.rmtree(data)


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "pg_internal.init"  # a cache that every start may write
    }


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "registry.cli", *map(str, arguments)], capture_output=True, text=True, timeout=110
    )


def test_an_older_database_is_refused_untouched_and_carried_over_as_the_message_says(old: Path):
    before = state(old / "postgres")
    refused = command("migrate", "--data", old)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"expected data of PostgreSQL 18 in {old / 'postgres'}, got data of PostgreSQL 16" in refused.stderr
    advice = f"licet-registry upgrade-database --data {old}"
    assert f"nothing was changed: `{advice}`" in refused.stderr
    assert state(old / "postgres") == before
    done = command(*advice.split()[1:])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"carried over from PostgreSQL 16; remove {old / 'postgres-16'} once you are content\n"
    assert (old / "postgres-16" / "PG_VERSION").read_text() == "16\n"
    assert not (old / "postgres.carrying").exists()

    async def look(dsn: str) -> None:
        database = await Database.connect(dsn, connections=2)
        assert await pending(database) == []
        async with database.acquire() as connection:
            assert (await connection.fetchval("SHOW server_version")).startswith("18.")
            assert await connection.fetchval("SELECT count(*) FROM terms WHERE encoded = '允'") == 500
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute("UPDATE consent_version SET version = -1")
        await database.close()

    server = EmbeddedPostgres(old, durable=False)
    try:
        asyncio.run(look(server.start()))
    finally:
        server.stop()
    assert "already" in command("upgrade-database", "--data", old).stdout


def test_a_failure_on_the_way_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(source: str, target: str) -> None:
        raise DataFolderError("pg_dump failed: the disk is full")

    before = state(old / "postgres" / "base")
    monkeypatch.setattr("registry.database.carrying._copy", broken)
    with pytest.raises(DataFolderError, match="disk is full"):
        carry_over(old)
    monkeypatch.setattr("registry.database.carrying._copy", lambda source, target: None)
    with pytest.raises(DataFolderError, match=r"expected the same rows in the new database, got others in .*terms"):
        carry_over(old)
    assert sorted(path.name for path in old.iterdir()) == ["holder.json", "postgres", "postgres.log"]
    assert state(old / "postgres" / "base").keys() == before.keys()
    assert (old / "postgres" / "PG_VERSION").read_text() == "16\n"


@pytest.mark.parametrize(
    ("major", "advice"),
    [
        (19, "use the release that made it, or a newer one"),
        (17, "start it with PostgreSQL 17's own programs, dump it with pg_dump"),
    ],
)
def test_a_version_that_is_not_at_hand_is_named_with_what_to_do(tmp_path: Path, major: int, advice: str):
    cluster = tmp_path / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text(f"{major}\n")
    if os.geteuid() == 0:
        os.chown(cluster, 65_534, 65_534)
    with pytest.raises(DataFolderError) as caught:
        EmbeddedPostgres(tmp_path).start()
    assert f"expected data of PostgreSQL 18 in {cluster}, got data of PostgreSQL {major}; nothing" in str(caught.value)
    assert advice in str(caught.value)


def test_an_older_postgresql_refuses_our_own_untouched(tmp_path: Path):
    ours = EmbeddedPostgres(tmp_path, durable=False)
    ours.start()
    ours.stop()
    before = state(tmp_path / "postgres")
    with pytest.raises(DataFolderError, match=r"expected data of PostgreSQL 16 .* got data of PostgreSQL 18; nothing"):
        EmbeddedPostgres(tmp_path, major=OLD).start()
    assert state(tmp_path / "postgres") == before
