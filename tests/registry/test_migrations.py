"""Our migrations make the schema that is written down, the same on every PostgreSQL; squawk looks at each of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from registry.database import Database
from registry.database.migrator import migrations
from tests.registry import schema
from tests.registry.external import ExternalPostgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.anyio
async def test_the_schema_is_the_one_that_is_written_down(database: Database):
    async with database.acquire() as connection:
        found = await schema.dump(connection)
    assert found == schema.PATH.read_text(), "run `make schema` and look at what changed"


@pytest.mark.anyio
async def test_postgresql_16_has_the_same_schema(postgres16: ExternalPostgres):
    async with postgres16.server.fresh("template0", "schema") as dsn:
        assert await schema.migrated(dsn) == schema.PATH.read_text()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("alter table works alter column tags drop not null", "    tags text[]\n"),
        ("alter table works add column colour text default 'red'", "    colour text default 'red'::text\n"),
        ("drop index works_grams", "works_grams"),
        ("alter table works disable trigger works_update", "trigger (D) CREATE TRIGGER works_update"),
        (
            "create or replace function works_keep() returns trigger language plpgsql as 'begin end'",
            "AS $function$begin end$",
        ),
        ("create type mood as enum ('glad', 'sad')", "enum mood ('glad', 'sad')\n"),
        ("create view mine as select id from works", "view mine\n"),
        ("alter table works add constraint named check (title <> '') not valid", "(not valid)"),
        ("create table works_more (id int generated always as identity)", "    id integer not null always identity\n"),
    ],
)
async def test_no_change_of_the_schema_is_missed(database: Database, change: str, line: str):
    async with database.transaction() as connection:
        await connection.execute(change)
        assert (line in await schema.dump(connection)) is (line not in schema.PATH.read_text())


def test_numbers_count_up_from_one():
    found = migrations()
    assert [one.version for one in found] == list(range(1, len(found) + 1))


def linted(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "tools" / "lint-migrations"), *map(str, files)]
    environment = {"SQUAWK": str(Path(sys.executable).with_name("squawk")), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_migration_is_linted_and_clean():
    done = linted()
    assert done.returncode == 0, done.stdout
    assert f"{len(migrations())} files" in done.stdout.replace("file ", "files ")


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("create index i on works (title);", "require-concurrent-index-creation"),
        ("alter table works drop column title;", "ban-drop-column"),
        ("create table t (n int);\ncommit;", "transaction-nesting"),
        ("-- licet: no-transaction\ncreate index concurrently if not exists i on works (title);", None),
        ("-- licet: no-transaction\nalter table works drop column title;", "ban-drop-column"),
    ],
)
def test_what_would_stop_a_running_service_is_found(tmp_path: Path, sql: str, rule: str | None):
    file = tmp_path / "0099_x.sql"
    file.write_text(sql + "\n")
    done = linted(file)
    if rule is None:
        assert done.returncode == 0, done.stdout
    else:
        assert done.returncode == 1
        assert rule in done.stdout
