"""One running service for all tests of this room: tenants keep them apart, and pictures are never drawn twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from registry.snapshots.publisher import publish
from tests.registry.catalogue import registry
from tests.registry.harness import Running
from tests.registry.servers import Server


@pytest.fixture(scope="package")
async def site(
    server: Server, migrated_template: str, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The service on a database of its own."""
    async with (
        server.fresh(migrated_template, "register") as dsn,
        registry(dsn, tmp_path_factory.mktemp("register")) as running,
    ):
        yield running


@pytest.fixture(scope="package")
async def snapshot(site: Running) -> str:
    """The digest of a snapshot that the registry issued."""
    await publish(site.services)
    async with site.services.database.acquire() as conn:
        digest = await conn.fetchval("select digest from snapshots order by sequence desc limit 1")
    return bytes(digest).hex()
