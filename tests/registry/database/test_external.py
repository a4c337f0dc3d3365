"""An external server: what it refuses, lacks or is becomes one sentence that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from registry.database import Database, migrate, pending
from registry.errors import DatabaseUnavailable, MigrationError, StartError
from tests.registry.external import ExternalPostgres

pytestmark = pytest.mark.anyio


@pytest.fixture
async def guest(postgres16: ExternalPostgres, anyio_backend: str) -> AsyncIterator[str]:
    """The address, for a user who owns nothing, of a database of somebody else's."""
    await postgres16.server.administer("CREATE ROLE guest LOGIN PASSWORD 'welcome'")
    async with postgres16.server.fresh("template0", "guest") as dsn:
        yield postgres16.address(dsn.rpartition("/")[2], "guest", "welcome")
    await postgres16.server.administer("DROP ROLE guest")


@pytest.fixture(scope="module")
def standby(postgres16: ExternalPostgres) -> Iterator[ExternalPostgres]:
    """A read-only standby of the server."""
    second = ExternalPostgres(options={"hot_standby": "on"})
    try:
        second.follow(postgres16)
        yield second.start()
    finally:
        second.remove()


async def refusal(dsn: str) -> str:
    with pytest.raises(StartError) as caught:
        await Database.connect(dsn)
    message = str(caught.value)
    assert "%20" not in message
    return message


async def test_a_wrong_password_is_said_without_showing_it(postgres16: ExternalPostgres):
    message = await refusal(postgres16.address("postgres", password="guessed"))
    assert f"127.0.0.1:{postgres16.port}/postgres refuses us: password authentication failed" in message
    assert "correct user and password in DATABASE_URL" in message
    assert "guessed" not in message


async def test_a_missing_database_says_how_to_make_it(postgres16: ExternalPostgres):
    message = await refusal(postgres16.address("nowhere"))
    assert 'database "nowhere" does not exist; make the database with CREATE DATABASE' in message


async def test_a_user_who_may_not_connect_is_told_what_is_missing(postgres16: ExternalPostgres, guest: str):
    await postgres16.server.administer(f"REVOKE CONNECT ON DATABASE {guest.rpartition('/')[2]} FROM PUBLIC")
    assert "GRANT CONNECT ON DATABASE" in await refusal(guest)


async def test_a_user_who_may_not_make_tables_is_told_what_is_missing(guest: str):
    database = await Database.connect(guest)
    try:
        with pytest.raises(MigrationError) as caught:
            await migrate(database)
        assert "permission denied for schema public" in str(caught.value)
        assert f"ALTER DATABASE {guest.rpartition('/')[2]} OWNER TO guest" in str(caught.value)
    finally:
        await database.close()


async def test_a_user_who_may_not_read_the_schema_is_told_what_is_missing(postgres16: ExternalPostgres, guest: str):
    owner = await Database.connect(postgres16.address(guest.rpartition("/")[2]))
    database = await Database.connect(guest)
    try:
        await migrate(owner)
        with pytest.raises(MigrationError, match=r"permission denied for table schema_migrations; .* OWNER TO guest"):
            await pending(database)
    finally:
        await database.close()
        await owner.close()


async def test_a_read_only_standby_is_refused(standby: ExternalPostgres):
    message = await refusal(standby.server.dsn)
    assert "got one that is a read-only standby; put the address of the primary into DATABASE_URL" in message


async def test_a_database_that_is_set_read_only_is_refused(postgres16: ExternalPostgres):
    async with postgres16.server.fresh("template0") as dsn:
        await postgres16.server.administer(
            f"ALTER DATABASE {dsn.rpartition('/')[2]} SET default_transaction_read_only = on"
        )
        assert "got one that is read-only; put the address of the primary" in await refusal(dsn)


async def test_a_primary_that_becomes_read_only_is_unavailable(postgres16: ExternalPostgres):
    async with postgres16.server.fresh("template0") as dsn:
        database = await Database.connect(dsn)
        try:
            with pytest.raises(DatabaseUnavailable, match="read-only transaction"):
                async with database.acquire() as connection:
                    await connection.execute("SET default_transaction_read_only = on")
                    await connection.execute("CREATE TABLE t ()")
        finally:
            await database.close()


async def test_another_encoding_is_refused(postgres16: ExternalPostgres):
    await postgres16.server.administer("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        message = await refusal(postgres16.server.address("latin"))
        assert "got LATIN1; make one with CREATE DATABASE … ENCODING 'UTF8'" in message
    finally:
        await postgres16.server.administer("DROP DATABASE latin")


async def test_a_server_that_is_too_old_is_refused(postgres16: ExternalPostgres, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("registry.database.pool.MINIMUM", 99)
    message = await refusal(postgres16.server.dsn)
    assert "expected PostgreSQL 99 or newer" in message
    assert "got 16." in message
    assert "leave DATABASE_URL empty" in message


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:p@127.0.0.1:port/d", "postgresql://u:p@127.0.0.1/d?sslmode=perhaps", "postgresql://u:p@[::1/d"],
)
def test_an_address_that_makes_no_sense_is_wrong_input(dsn: str):
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = subprocess.run(
        [sys.executable, "-m", "registry.cli", "migrate", "--check"],
        env=environment | {"DATABASE_URL": dsn},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("licet-registry: DATABASE_URL: expected")
    assert told.stderr.count("\n") == 1


async def test_a_name_that_nobody_knows_is_unavailable():
    with pytest.raises(DatabaseUnavailable, match="is the server up, and the address right"):
        await Database.connect("postgresql://u:p@127.0.0.1:1/d")


async def test_the_server_is_none_of_ours(postgres16: ExternalPostgres):
    connection = await asyncpg.connect(postgres16.server.dsn)
    try:
        assert (await connection.fetchval("SHOW server_version")).startswith("16.")
        assert await connection.fetchval("SELECT inet_server_addr()::text") == "127.0.0.1/32"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres16.address("postgres", password="wrong"))
    finally:
        await connection.close()
