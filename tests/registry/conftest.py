"""A real PostgreSQL for the tests: one server per run, one migrated template, one fresh database per test.

The server is our own, or the one that ``LICET_TEST_DATABASE_URL`` names (a user who may make databases).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from registry.app import create_app
from registry.database import Database, EmbeddedPostgres, migrate
from registry.openapi import document
from registry.settings import Settings
from tests.registry import memory
from tests.registry.buckets import bucket, s3
from tests.registry.servers import Server

__all__ = ["bucket", "s3"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that lives as long as the tests and never waits for the disk, or the external one."""
    external = os.environ.get("LICET_TEST_DATABASE_URL")
    if external:
        yield Server(external)
        return
    data = memory.folder("licet-tests-")
    # 250 connections: every test's pool may still be closing while the next one opens.
    cluster = EmbeddedPostgres(
        data,
        durable=False,
        options={
            "synchronous_commit": "off",
            "max_connections": "250",
            "autovacuum": "off",
            "shared_buffers": "64MB",
            "max_wal_size": "256MB",
        },
    )
    address = cluster.start()
    try:
        yield Server(Server(address).address("postgres"))
    finally:
        cluster.stop()
        shutil.rmtree(data)


@pytest.fixture(scope="session")
def migrated_template(server: Server) -> Iterator[str]:
    """The name of a template to which every migration was applied once."""
    name = f"licet_template_{os.getpid()}"

    async def make() -> None:
        await server.administer(f"CREATE DATABASE {name} TEMPLATE template0")
        database = await Database.connect(server.address(name), connections=2)
        await migrate(database)
        await database.close()

    asyncio.run(make())
    yield name
    asyncio.run(server.administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def dsn(server: Server, migrated_template: str, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a fresh database with the whole schema and no rows; gone after the test."""
    async with server.fresh(migrated_template) as address:
        yield address


@pytest.fixture
async def empty_dsn(server: Server, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a fresh database with nothing in it; gone after the test."""
    async with server.fresh("template0") as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """An open ``Database`` on a fresh, migrated database."""
    opened = await Database.connect(dsn, connections=8)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture(scope="session")
def api() -> dict[str, Any]:
    """The description of the application as it is now."""
    return dict(msgspec.json.decode(document(create_app(Settings(data=Path("unused"))))))
