"""A server that is none of ours: its user owns the database and may replicate, and is no superuser."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from registry.archive import Archive, ArchiveKey, get_from, load_base, manifests, put_back, replay, set_aside
from registry.database import Database, migrate
from registry.errors import ArchiveError
from registry.storage import FolderStore
from tests.registry.archive.conftest import OWNER, contents
from tests.registry.external import ExternalPostgres

pytestmark = pytest.mark.anyio


async def opened(postgres: ExternalPostgres, name: str, rights: str) -> tuple[Database, list[str]]:
    """Return a migrated database owned by a user with ``rights``, and what takes both away."""
    user = f"licet_{name}_{os.getpid()}"
    await postgres.server.administer(
        f"CREATE ROLE {user} LOGIN {rights} PASSWORD 'secret'",
        f"CREATE DATABASE {user} OWNER {user} TEMPLATE template0",
    )
    database = await Database.connect(postgres.address(user, user, "secret"), connections=3)
    await migrate(database)
    return database, [f"DROP DATABASE {user} WITH (FORCE)", f"DROP ROLE {user}"]


async def test_a_user_who_may_replicate_archives_and_restores(
    postgres16: ExternalPostgres, key: ArchiveKey, store: FolderStore
) -> None:
    database, gone = await opened(postgres16, "from", "REPLICATION")
    copy, gone_too = await opened(postgres16, "to", "NOREPLICATION")
    archive = Archive(database, store, key, OWNER)
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute("insert into accounts (id, kind, name) values (gen_random_uuid(), 'opr', 'Ö')")
        await conn.execute("insert into log_pending (kind, subject) values ('consent', 'stm')")
        await archive.keep(conn)
    async with copy.dedicated() as conn:
        (base,) = await manifests(store, key, OWNER.origin)
        await set_aside(conn)
        await load_base(conn, base, key, get_from(store, base.base), "base")
        await replay(copy, conn, store, key, OWNER.origin)
        await put_back(conn)
    assert await contents(copy) == await contents(database)
    assert len((await contents(copy))["accounts"]) == 1
    await asyncio.gather(database.close(), copy.close())
    await postgres16.server.administer(*gone, *gone_too)


async def test_a_user_who_may_not_is_told_what_to_do(
    postgres16: ExternalPostgres, key: ArchiveKey, tmp_path: Path
) -> None:
    database, gone = await opened(postgres16, "bare", "NOREPLICATION")
    async with database.dedicated() as conn:
        with pytest.raises(ArchiveError, match=r"ALTER ROLE … REPLICATION, or set LICET_REGISTRY_ARCHIVE=off"):
            await Archive(database, FolderStore(tmp_path / "none"), key, OWNER).open(conn)
    await database.close()
    await postgres16.server.administer(*gone)
