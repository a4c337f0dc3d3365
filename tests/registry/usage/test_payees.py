"""Where money goes when the claim behind a licensed work changes: what was in doubt stays in escrow."""

from __future__ import annotations

import pytest

from licet.terms import Price, preset
from tests.registry.catalogue import Artist, artist, new_pictures, picture
from tests.registry.harness import Running
from tests.registry.market import Shelf, balance, nothing_is_wrong, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))


async def claimed(owner: Artist, seed: int) -> Shelf:
    """Return the picture of ``seed`` as the one work of ``owner``."""
    work = (await owner.picture(picture(seed))).work
    statement = await owner.state([work], PER_RUN)
    return Shelf(owner, statement.statement, [work])


async def test_withdrawing_a_contested_work_does_not_let_its_money_out_of_escrow(
    site: Running, request: pytest.FixtureRequest
):
    new_pictures(request.node.nodeid)
    ada, eve = await artist(site), await artist(site, "Eve")
    await ada.raise_level(2)
    await eve.raise_level(2)
    mine = await claimed(ada, 1)
    lantern = await trainer(site)
    licence = await lantern.license(mine.wanted())
    await claimed(eve, 1)
    await lantern.report(licence, "2")
    assert await balance(ada.http) == {("payable", "USD"): "0.9", ("escrow", "USD"): "0.9"}
    await ada.withdraw(mine.works)
    await lantern.report(licence, "3")
    assert await balance(ada.http) == {("payable", "USD"): "0.9", ("escrow", "USD"): "1.8"}
    await nothing_is_wrong(site)
