"""One running service for all tests of this room, with a busy month in it; tenants keep tests apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from registry.database.instance import dsn as address_of
from tests.registry.auditing.month import Month, played
from tests.registry.catalogue import registry
from tests.registry.harness import Running


@pytest.fixture(scope="package")
async def site(
    server: Path, migrated_template: str, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The service on a database of its own."""
    name = "auditing"
    connection = await asyncpg.connect(address_of(server, "postgres"))
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY file_copy")
    async with registry(address_of(server, name), tmp_path_factory.mktemp(name)) as running:
        yield running
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture(scope="package")
async def month(site: Running) -> Month:
    """What two organisations did with the works of four artists this month."""
    return await played(site)
