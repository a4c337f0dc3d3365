"""One running service for all tests of this room: tenants keep them apart, and pictures are never drawn twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.registry.catalogue import registry
from tests.registry.harness import Running
from tests.registry.servers import Server


@pytest.fixture(scope="package")
async def site(
    server: Server, migrated_template: str, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The service on a database of its own."""
    async with (
        server.fresh(migrated_template, "olp") as dsn,
        registry(dsn, tmp_path_factory.mktemp("olp")) as running,
    ):
        yield running
