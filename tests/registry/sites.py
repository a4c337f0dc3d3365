"""Fixtures of rooms that test through a running service: their ``conftest.py`` takes them from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.catalogue import new_pictures, registry
from tests.registry.harness import Running
from tests.registry.servers import Server


@pytest.fixture(scope="module")
async def site(
    server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Running]:
    """One service for the tests of a module, which bring artists and pictures of their own."""
    data = tmp_path_factory.mktemp("site")
    async with server.fresh(migrated_template) as dsn, registry(dsn, data) as running:
        yield running


@pytest.fixture
async def lone(dsn: str, tmp_path: Path) -> AsyncIterator[Running]:
    """A service that no other test uses."""
    async with registry(dsn, tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest) -> None:
    """Pictures that no other test has."""
    new_pictures(request.node.nodeid)
