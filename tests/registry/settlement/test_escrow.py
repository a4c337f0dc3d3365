"""Escrow of real licences ends once: released at claim level 2, returned to the licensee after 180 days below it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from licet import times
from licet.terms import Price, preset
from registry.settlement import escrow, refunding, verification
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, nothing_is_wrong, shelf, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
HALF_A_YEAR = escrow.RETURNS_AFTER


async def licensed(site: Running) -> tuple[Shelf, Trainer]:
    """Return works of an artist below level 2, and who used them in two runs: by a licence and by a batch."""
    works, lantern = await shelf(site, PER_RUN, 1, level=0), await trainer(site)
    await lantern.report(await lantern.license(works.wanted()), "2")
    assert await balance(works.owner.http) == {("escrow", "USD"): "1.8"}
    return works, lantern


async def settled(site: Running, after: timedelta = timedelta(0)) -> tuple[int, int]:
    """Look at what is in escrow as if ``after`` had passed; books and derived figures hold afterwards."""
    outcome = await escrow.settle(site.services, times.now() + after)
    await nothing_is_wrong(site)
    async with site.services.database.transaction() as conn:
        assert await verification.rebuild(conn) == []
    return outcome


async def charges(site: Running, lantern: Trainer) -> list[str]:
    """Return the transfers that charged the organisation, the oldest first."""
    found = (await lantern.http.get("/v1/ledger/entries")).json()["items"]
    return sorted({each["transfer"] for each in found if each["account"] == "receivable"})


async def test_escrow_is_released_once_when_the_account_has_claim_level_2(site: Running):
    works, lantern = await licensed(site)
    assert await settled(site) == (0, 0)
    await works.owner.raise_level(1)
    assert await settled(site) == (0, 0)
    await works.owner.raise_level(2)
    assert await settled(site, HALF_A_YEAR) == (2, 0)  # whose level suffices is paid, however late
    assert await balance(works.owner.http) == {("payable", "USD"): "1.8"}
    assert await settled(site, 3 * HALF_A_YEAR) == (0, 0)
    assert await balance(lantern.http) == {("receivable", "USD"): "2"}


async def test_escrow_returns_to_the_licensee_once_after_180_days_below_level_2(site: Running):
    works, lantern = await licensed(site)
    assert await settled(site, HALF_A_YEAR - timedelta(hours=1)) == (0, 0)
    assert await balance(works.owner.http) == {("escrow", "USD"): "1.8"}
    assert await settled(site, HALF_A_YEAR) == (0, 2)
    assert await balance(works.owner.http) == {}
    assert await balance(lantern.http) == {}
    await works.owner.raise_level(2)
    assert await settled(site, HALF_A_YEAR) == (0, 0)  # what went back does not come again
    assert await balance(works.owner.http) == {}


@pytest.mark.parametrize("refunded", [False, True])
async def test_what_was_released_can_be_contested_and_stands_or_is_refunded(site: Running, refunded: bool):
    works, lantern = await licensed(site)
    await works.owner.raise_level(2)
    assert await settled(site) == (2, 0)
    charge = (await charges(site, lantern))[0]
    await refunding.contest(site.services, charge, "not hers")
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9", ("escrow", "USD"): "0.9"}
    assert await settled(site, HALF_A_YEAR) == (0, 0)  # until somebody decides
    await refunding.decide(site.services, charge, refunded=refunded)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9" if refunded else "1.8"}
    assert await balance(lantern.http) == {("receivable", "USD"): "1" if refunded else "2"}
    assert await settled(site) == (0, 0)
