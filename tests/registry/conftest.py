"""A real PostgreSQL for the tests: one server per run, one migrated template, one fresh database per test."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from registry.database import Database, EmbeddedPostgres, migrate
from registry.database.instance import dsn as address_of

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """The folder of the socket of a server that lives as long as the tests and never waits for the disk."""
    data = Path(tempfile.mkdtemp(prefix="licet-tests-"))
    # 250 connections: every test's pool may still be closing while the next one opens.
    cluster = EmbeddedPostgres(
        data,
        durable=False,
        options={"synchronous_commit": "off", "max_connections": "250", "autovacuum": "off", "shared_buffers": "64MB"},
    )
    address = cluster.start()
    try:
        yield Path(address.partition("?host=")[2])
    finally:
        cluster.stop()
        shutil.rmtree(data)


@pytest.fixture(scope="session")
def migrated_template(server: Path) -> str:
    """The name of a template to which every migration was applied once."""
    name = "licet_template"

    async def make() -> None:
        await _administer(server, f"CREATE DATABASE {name} TEMPLATE template0")
        database = await Database.connect(address_of(server, name), connections=2)
        await migrate(database)
        await database.close()

    asyncio.run(make())
    return name


@pytest.fixture
async def dsn(server: Path, migrated_template: str, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a fresh database with the whole schema and no rows; gone after the test."""
    async with _Fresh(server, migrated_template) as address:
        yield address


@pytest.fixture
async def empty_dsn(server: Path, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a fresh database with nothing in it; gone after the test."""
    async with _Fresh(server, "template0") as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """An open ``Database`` on a fresh, migrated database."""
    opened = await Database.connect(dsn, connections=8)
    try:
        yield opened
    finally:
        await opened.close()


class _Fresh:
    """A database made from a template, dropped at the end even if somebody is still connected."""

    def __init__(self, server: Path, template: str) -> None:
        self._server = server
        self._template = template
        self._name = f"test_{next(_numbers)}"

    async def __aenter__(self) -> str:
        await _administer(self._server, f"CREATE DATABASE {self._name} TEMPLATE {self._template} STRATEGY file_copy")
        return address_of(self._server, self._name)

    async def __aexit__(self, *_: object) -> None:
        await _administer(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")


async def _administer(server: Path, statement: str) -> None:
    connection = await asyncpg.connect(address_of(server, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
