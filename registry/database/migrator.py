"""The schema, step by step: plain SQL files ``NNNN_name.sql``, forward only, each applied once.

What was applied is remembered with the SHA-256 of its text, so a file that was edited, renamed, removed or slipped
in before one already applied is refused by name. Each file runs in one transaction together with its record. A file
with the line ``-- licet: no-transaction`` (for ``CREATE INDEX CONCURRENTLY``) holds one statement that is safe to
run again, because its record follows only afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import asyncpg

from registry.database.pool import Connection, Database
from registry.errors import MigrationError
from registry.packaged import packaged

_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql", re.ASCII)
_NO_TRANSACTION: Final = re.compile(r"^-- licet: no-transaction\s*$", re.MULTILINE)
_LOCK: Final = 0x6C69_6365_7401  # "licet", then a number: this lock is the migrator's
_WAIT_SECONDS: Final = 600.0
_LOCK_TIMEOUT: Final = "5s"  # DDL that waits for a lock stops everybody behind it
_LOCK_ATTEMPTS: Final = 10

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     bytea       NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_EXISTS = "SELECT to_regclass('schema_migrations') IS NOT NULL"
_APPLIED = "SELECT version, name, sha256 FROM schema_migrations ORDER BY version"
_RECORD = "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)"
_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
_UNLOCK = "SELECT pg_advisory_unlock($1)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, SQL and the digest of the SQL (line ends as ``\\n``)."""

    version: int
    name: str
    sql: str
    sha256: bytes

    @property
    def file(self) -> str:
        return f"{self.version:04d}_{self.name}.sql"

    @property
    def in_transaction(self) -> bool:
        return _NO_TRANSACTION.search(self.sql) is None


def migrations_folder() -> Path:
    """Return the folder of this installation's migrations, in a wheel or a checkout."""
    return packaged("migrations")


def migrations(folder: Path | None = None) -> list[Migration]:
    """Return the migrations in ``folder`` in order. Raises ``MigrationError`` for a bad name or two of one number."""
    folder = folder or migrations_folder()
    if not folder.is_dir():
        raise MigrationError(f"expected a folder of migrations at {folder}, found none")
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"expected a migration named NNNN_name.sql, got {path.name}")
        try:
            sql = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            raise MigrationError(f"cannot read {path.name}: {error}") from error
        found.append(Migration(int(match[1]), match[2], sql, hashlib.sha256(sql.encode()).digest()))
    for one, other in pairwise(found):
        if one.version == other.version:
            raise MigrationError(f"expected one migration {one.version:04d}, got {one.file} and {other.file}")
    return found


async def pending(database: Database, folder: Path | None = None) -> list[Migration]:
    """Return the migrations that are not applied yet; changes nothing. Raises ``MigrationError`` on any mismatch."""
    files = migrations(folder)
    async with database.acquire() as connection:
        return await _pending(connection, files)


async def migrate(database: Database, folder: Path | None = None) -> list[Migration]:
    """Every migration of ``folder`` is applied when this returns; returns those that this call applied.

    Safe to run from several processes at once: one works, the others wait and find nothing left. Raises
    ``MigrationError`` that names the file which was changed, is missing, or failed; what came before it stays.
    """
    files = migrations(folder)
    async with database.dedicated() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SET idle_in_transaction_session_timeout = 0")
        await _lock(connection)
        try:
            await connection.execute("SET client_min_messages = warning")
            await connection.execute(_TABLE)
            todo = await _pending(connection, files)
            for migration in todo:
                await _apply(connection, migration)
        finally:
            if not connection.is_closed():
                await connection.execute(_UNLOCK.replace("$1", str(_LOCK)))
    return todo


async def _lock(connection: Connection) -> None:
    """Take the migrator's lock by asking again and again: a waiting statement would hold a snapshot, and
    ``CREATE INDEX CONCURRENTLY`` of the one who works waits for every snapshot."""
    deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while not await connection.fetchval(_TRY_LOCK, _LOCK):
        if asyncio.get_running_loop().time() > deadline:
            raise MigrationError(
                f"another process has been migrating for {_WAIT_SECONDS:.0f} s; try again when it is done"
            )
        await asyncio.sleep(0.1)


async def _pending(connection: Connection, files: Sequence[Migration]) -> list[Migration]:
    applied = await connection.fetch(_APPLIED) if await connection.fetchval(_EXISTS) else []
    by_version = {migration.version: migration for migration in files}
    last = 0
    for row in applied:
        version, name, sha256 = row["version"], row["name"], bytes(row["sha256"])
        shown = f"{version:04d}_{name}.sql"
        migration = by_version.pop(version, None)
        if migration is None:
            raise MigrationError(f"{shown} was applied to this database and is missing here: is this an older release?")
        if migration.name != name:
            raise MigrationError(f"{shown} was applied to this database, here it is named {migration.file}")
        if migration.sha256 != sha256:
            raise MigrationError(f"{shown} was changed after it was applied; put it back and add a new migration")
        last = version
    todo = sorted(by_version.values(), key=lambda migration: migration.version)
    if todo and todo[0].version < last:
        raise MigrationError(f"{todo[0].file} comes before {last:04d}, which is applied; give it the next free number")
    return todo


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        for attempt in range(1, _LOCK_ATTEMPTS + 1):
            try:
                await _apply_once(connection, migration)
            except asyncpg.LockNotAvailableError:
                if attempt == _LOCK_ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * attempt)
            else:
                return
    except asyncpg.PostgresError as error:
        position = getattr(error, "position", None)
        line = f" at line {migration.sql[: int(position)].count(chr(10)) + 1}" if position else ""
        raise MigrationError(f"{migration.file} failed{line}: {error}") from error


async def _apply_once(connection: Connection, migration: Migration) -> None:
    if migration.in_transaction:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            await connection.execute(migration.sql)
            await connection.execute(_RECORD, migration.version, migration.name, migration.sha256)
    else:
        await connection.execute(migration.sql)
        await connection.execute(_RECORD, migration.version, migration.name, migration.sha256)
