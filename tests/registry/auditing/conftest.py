"""One running service for all tests of this room, with a busy month in it; tenants keep tests apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.registry.auditing.month import Month, played
from tests.registry.catalogue import registry
from tests.registry.harness import Running
from tests.registry.servers import Server


@pytest.fixture(scope="package")
async def site(
    server: Server, migrated_template: str, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The service on a database of its own."""
    async with (
        server.fresh(migrated_template, "auditing") as dsn,
        registry(dsn, tmp_path_factory.mktemp("auditing")) as running,
    ):
        yield running


@pytest.fixture(scope="package")
async def month(site: Running) -> Month:
    """What two organisations did with the works of four artists this month."""
    return await played(site)
