"""An internet on loopback, and a registry that lives on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.registry.catalogue import registry
from tests.registry.claims.internet import Internet, internet
from tests.registry.harness import Running
from tests.registry.servers import Server
from tests.registry.sites import pictures

__all__ = ["pictures"]


@pytest.fixture(scope="module")
async def loopback(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Internet]:
    """DNS and the web for the tests of a module."""
    async with internet(tmp_path_factory.mktemp("internet")) as found:
        yield found


@pytest.fixture
def net(loopback: Internet) -> Internet:
    """The same with nothing in it yet."""
    loopback.clear()
    return loopback


@pytest.fixture(scope="module")
async def site(
    server: Server, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, loopback: Internet
) -> AsyncIterator[Running]:
    """One service for the tests of a module, which bring accounts of their own."""
    data = tmp_path_factory.mktemp("site")
    async with server.fresh(migrated_template) as dsn, registry(dsn, data, **loopback.settings) as running:
        yield running
