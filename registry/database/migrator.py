"""The schema, step by step: forward only, each file applied once, by one process at a time.

What was applied is remembered with the SHA-256 of its text, so a file that was edited, renamed, removed or slipped
in before one already applied is refused by name. Each file runs in one transaction together with its record, so a
process that dies in the middle leaves nothing. A file outside a transaction (``registry.database.steps``) is recorded
after it ran: cut off before that, it is run again, and an index that it left half built is dropped first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from registry.database.pool import Connection, Database
from registry.database.steps import Migration, file_name, migrations, migrations_folder
from registry.errors import MigrationError

_LOCK: Final = 0x6C69_6365_7401  # "licet", then a number: this lock is the migrator's
_WAIT_SECONDS: Final = 600.0
_LOCK_TIMEOUT: Final = "5s"  # DDL that waits for a lock stops everybody behind it
_LOCK_ATTEMPTS: Final = 10
_CUT = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)
_log = structlog.get_logger("registry.migrator")

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     bytea       NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_EXISTS = "SELECT to_regclass('schema_migrations') IS NOT NULL"
_APPLIED = "SELECT version, name, sha256, applied_at FROM schema_migrations ORDER BY version"
_RECORD = "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)"
_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
_WHO = "SELECT current_user::text, current_database()::text"
_TRANSACTION = "SELECT pg_current_xact_id()::text"
# What a step adds to the schema is archived from the moment that it is there; steps before the archive's have none.
_FOLLOW = """
DO $$ BEGIN
    IF to_regprocedure('archive_follow()') IS NOT NULL THEN PERFORM archive_follow(); END IF;
END $$
"""
# An index lies in the schema of its table, which the file may name.
_HALF_BUILT = """
SELECT i.indexrelid::regclass::text AS name
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relname = ANY ($1) AND (n.nspname = current_schema() OR n.nspname = ANY ($1))
ORDER BY 1
"""

_INVALID = """
SELECT i.indexrelid::regclass::text AS name, c.relname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace
ORDER BY 1
"""


async def pending(database: Database, folder: Path | None = None) -> list[Migration]:
    """Return the migrations that are not applied yet; changes nothing. Raises ``MigrationError`` on any mismatch."""
    files = migrations(folder)
    async with database.acquire() as connection, _entitled(connection):
        return await _pending(connection, files)


async def stranded(database: Database, folder: Path | None = None) -> list[str]:
    """Return the invalid indexes that no pending migration builds anew: a cut-off build left them, and its file went.

    Such an index answers no query and is still kept up by every write, so somebody must drop it.
    """
    files = migrations(folder)
    async with database.acquire() as connection, _entitled(connection):
        ahead = {word for migration in await _pending(connection, files) for word in migration.words}
        return [row["name"] for row in await connection.fetch(_INVALID) if row["relname"] not in ahead]


async def migrate(database: Database, folder: Path | None = None, *, upto: int | None = None) -> list[Migration]:
    """Every migration of ``folder``, or those up to number ``upto``, is applied; returns those that this call applied.

    Safe to run from several processes at once: one works, the others wait and find nothing left. Raises
    ``MigrationError`` that names the file which was changed, is missing, or failed; what came before it stays.
    """
    files = migrations(folder)
    # The lock belongs to the connection, and goes with it.
    async with database.dedicated() as connection, _entitled(connection):
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SET idle_in_transaction_session_timeout = 0")
        await connection.execute("SET client_min_messages = warning")
        with suppress(asyncpg.PostgresError):  # not every platform can
            # Work for a process that died ends soon; without it, a long statement would go on and hold the lock.
            await connection.execute("SET client_connection_check_interval = '1s'")
        await _lock(connection)
        await connection.execute(_TABLE)
        todo = await _pending(connection, files)
        todo = [migration for migration in todo if upto is None or migration.version <= upto]
        for migration in todo:
            await _apply(connection, migration)
    return todo


@asynccontextmanager
async def _entitled(connection: Connection) -> AsyncIterator[None]:
    """Turn a right that our user lacks into a ``MigrationError`` that says how to give it."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(await _lacking(connection, error)) from error


async def _lacking(connection: Connection, error: Exception) -> str:
    row = await connection.fetchrow(_WHO)
    assert row is not None
    user, name = row
    return (
        f"{error}; the user {user} must own the database and all in it: ALTER DATABASE {name} OWNER TO {user}, "
        f"and REASSIGN OWNED BY … TO {user} where tables belong to another user"
    )


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
    last = ""
    for row in applied:
        version, sha256 = row["version"], bytes(row["sha256"])
        last = file_name(version, row["name"])
        migration = by_version.pop(version, None)
        if migration is None:
            raise MigrationError(
                f"{last} was applied to this database on {row['applied_at']:%Y-%m-%d} and is missing here: expected "
                f"the file with sha256 {_short(sha256)}, found none; use the release that has it"
            )
        if migration.file != last:
            raise MigrationError(
                f"{last} was applied to this database as number {version:04d}, here it is named {migration.file}: "
                "expected the files in the order in which they were applied; put them back"
            )
        if migration.sha256 != sha256:
            raise MigrationError(
                f"{last} was changed after it was applied: expected sha256 {_short(sha256)}, got "
                f"{_short(migration.sha256)}; put it back and add a new migration"
            )
    todo = sorted(by_version.values(), key=lambda migration: migration.version)
    if todo and last and todo[0].file < last:
        raise MigrationError(
            f"{todo[0].file} comes before {last}, which is applied: expected a number above {last[:4]}, got "
            f"{todo[0].version:04d}; give it the next free number"
        )
    return todo


def _short(digest: bytes) -> str:
    return f"{digest.hex()[:16]}…"


async def _apply(connection: Connection, migration: Migration) -> None:
    once = _apply_in_transaction if migration.in_transaction else _apply_alone
    try:
        for attempt in range(1, _LOCK_ATTEMPTS + 1):
            try:
                await once(connection, migration)
            except asyncpg.LockNotAvailableError:
                if attempt == _LOCK_ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * attempt)
            else:
                return
    except _CUT:
        raise  # the server is gone, not the file wrong
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(f"{migration.file} failed: {await _lacking(connection, error)}") from error
    except asyncpg.PostgresError as error:
        position = getattr(error, "position", None)
        line = f" at line {migration.sql[: int(position)].count(chr(10)) + 1}" if position else ""
        raise MigrationError(f"{migration.file} failed{line}: {error}") from error


async def _apply_in_transaction(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        ours = await connection.fetchval(_TRANSACTION)
        await connection.execute(migration.sql)
        if await connection.fetchval(_TRANSACTION) != ours:
            raise MigrationError(
                f"{migration.file} ended the transaction that it runs in: expected no BEGIN, COMMIT or ROLLBACK; "
                "what it did before that may stay"
            )
        await connection.execute(_FOLLOW)
        await connection.execute(_RECORD, migration.version, migration.name, migration.sha256)


async def _apply_alone(connection: Connection, migration: Migration) -> None:
    await _drop_half_built(connection, migration)
    try:
        await connection.execute(migration.sql)
    except _CUT:
        raise
    except asyncpg.PostgresError:
        # An invalid index is never used, and still refuses rows if it is unique.
        await _drop_half_built(connection, migration)
        raise
    await connection.execute(_RECORD, migration.version, migration.name, migration.sha256)


async def _drop_half_built(connection: Connection, migration: Migration) -> None:
    """No index that ``migration`` names is invalid: building one concurrently leaves that when it is cut off."""
    for row in await connection.fetch(_HALF_BUILT, sorted(migration.words)):
        _log.warning("half-built index dropped", index=row["name"], file=migration.file)
        await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {row['name']}")


__all__ = ["Migration", "migrate", "migrations", "migrations_folder", "pending", "stranded"]
