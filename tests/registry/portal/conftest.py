"""One running service for all tests of the portal's rooms, with an artist who has nothing but a passkey."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.registry.catalogue import registry
from tests.registry.claims.internet import Internet, internet
from tests.registry.harness import Running
from tests.registry.portal.people import Artist, joined
from tests.registry.servers import Server

#: A registry that pays everything at once.
PAYS = {
    "bank_accounts": "DE89370400440532013000",
    "payout_minimum": "0.01USD",
    "payout_hold": "0d",
    "payout_change_hold": "0d",
}


@pytest.fixture(scope="package")
async def net(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Internet]:
    """DNS and the web, as far as the service looks at domains."""
    async with internet(tmp_path_factory.mktemp("internet")) as found:
        yield found


@pytest.fixture(scope="package")
async def site(
    server: Server, migrated_template: str, net: Internet, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """The service on a database of its own."""
    async with (
        server.fresh(migrated_template, "portal") as dsn,
        registry(dsn, tmp_path_factory.mktemp("portal"), **net.settings, **PAYS) as running,
    ):
        yield running


@pytest.fixture(scope="module")
async def mei(site: Running) -> Artist:
    """An artist with a session and two works, one of them signed for."""
    artist = await joined(site, "Mei & <Lin>")
    await artist.registers(2)
    form = await artist.form(f"/en/terms?work={artist.works[0]}")
    assert (await artist.sends("/en/terms/sign", artist.signed(form))).status_code == 303
    return artist
