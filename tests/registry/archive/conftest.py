"""A database whose changes are archived into a folder, and copies of it that are brought up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry.archive import (
    Archive,
    ArchiveKey,
    Owner,
    get_from,
    load_base,
    manifests,
    put_back,
    replay,
    set_aside,
)
from registry.archive.queries import FOLLOWED
from registry.database import Connection, Database
from registry.storage import FolderStore, Store

OWNER = Owner("log.example/licet", "ab" * 32)


@pytest.fixture
async def dsn(server: Any, migrated_template: str, anyio_backend: str) -> AsyncIterator[str]:
    """A database whose commits are in the server's log when they return, as everywhere but in tests."""
    async with server.fresh(migrated_template) as address:
        name = urlsplit(address).path.removeprefix("/")
        await server.administer(f"ALTER DATABASE {name} SET synchronous_commit = on")
        yield address


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "archive")


@pytest.fixture
def key(tmp_path: Path) -> ArchiveKey:
    return ArchiveKey.make(tmp_path / "keys", datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def archive(database: Database, store: Store, key: ArchiveKey) -> Archive:
    return Archive(database, store, key, OWNER)


Restored = Callable[..., Awaitable[Database]]


@pytest.fixture
async def restored(
    server: Any, migrated_template: str, store: Store, key: ArchiveKey, anyio_backend: str
) -> AsyncIterator[Restored]:
    """Make a database from the archive alone: its newest base, then everything after it."""
    opened = []

    async def restore(*statements: str) -> Database:
        fresh = server.fresh(migrated_template, "copy")
        copy = await Database.connect(await fresh.__aenter__(), connections=3)
        opened.append((copy, fresh))
        async with copy.dedicated() as conn:
            for statement in statements:
                await conn.execute(statement)
            base = (await manifests(store, key, OWNER.origin))[-1]
            await set_aside(conn)
            await load_base(conn, base, key, get_from(store, base.base), "base")
            await replay(copy, conn, store, key, OWNER.origin)
            await put_back(conn)
        return copy

    yield restore
    for copy, fresh in opened:
        await copy.close()
        await fresh.__aexit__(None, None, None)


async def content(conn: Connection) -> dict[str, list[str]]:
    """Return every archived row as text, by table."""
    tables = [row["tablename"] for row in await conn.fetch(FOLLOWED)]
    return {
        table: [row[0] for row in await conn.fetch(f'select t::text from "{table}" t order by t::text collate "C"')]
        for table in tables
    }


async def contents(database: Database) -> dict[str, list[str]]:
    """Return every archived row of ``database`` as text, by table."""
    async with database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await content(conn)
