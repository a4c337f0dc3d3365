"""What works earn is shared by the split that was in force when the use was posted, to the last micro-unit."""

from __future__ import annotations

import asyncio

import pytest

from licet import identifiers
from licet.terms import Price, preset
from tests.registry.catalogue import artist, new_pictures
from tests.registry.harness import Running
from tests.registry.market import balance, nothing_is_wrong, shelf, trainer
from tests.registry.splits.owners import agreed, answer, propose, told

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
ODD = preset("paid", Price(model="per-training-run", amount="0.000011", currency="USD"))


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest) -> None:
    new_pictures(request.node.nodeid)


async def test_rule_21_uses_are_shared_from_the_moment_that_everybody_has_signed(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    await ada.raise_level(2)
    mine = await shelf(site, PER_RUN, 2, owner=ada)
    lantern = await trainer(site)
    licence = await lantern.license(mine.wanted())
    assert await balance(ada.http) == {("payable", "USD"): "1.8"}
    split = await propose(ada, mine.works[:1], [(ada, 7000), (ben, 3000)])
    assert split.state == "open"
    await lantern.report(licence, "2")
    assert await balance(ada.http) == {("payable", "USD"): "2.7", ("escrow", "USD"): "0.9"}
    assert await balance(ben.http) == {}
    accepted = told(await answer(ben, split))
    assert accepted.split.state == "in-force"
    assert accepted.split.agreed_index == accepted.receipt.log_index
    await lantern.report(licence, "3")
    # 0.9 of the other work, 0.63 of this one
    assert await balance(ada.http) == {("payable", "USD"): "4.23", ("escrow", "USD"): "0.9"}
    assert await balance(ben.http) == {("payable", "USD"): "0.27"}
    await nothing_is_wrong(site)


async def test_rule_21_a_licence_taken_under_a_split_pays_the_co_owners(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    await ada.raise_level(2)
    mine = await shelf(site, PER_RUN, 1, owner=ada)
    split = await agreed(ada, mine.works, [(ada, 2500), (ben, 7500)])
    licence = await (await trainer(site)).license(mine.wanted())
    assert [(each.account, each.split) for each in licence.posted] == [(ada.id, split.split)]
    assert await balance(ada.http) == {("payable", "USD"): "0.225"}
    assert await balance(ben.http) == {("payable", "USD"): "0.675"}
    shown = (await ada.http.get(f"/v1/works/{mine.works[0]}")).json()
    assert shown["split"] == {"split": split.split, "since": split.agreed_index}
    await nothing_is_wrong(site)


async def test_rule_21_below_claim_level_2_all_shares_wait_in_escrow(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    mine = await shelf(site, PER_RUN, 1, owner=ada)
    await agreed(ada, mine.works, [(ada, 5000), (ben, 5000)])
    await (await trainer(site)).license(mine.wanted())
    assert await balance(ada.http) == await balance(ben.http) == {("escrow", "USD"): "0.45"}


async def test_what_cannot_be_divided_evenly_is_not_lost(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    await ada.raise_level(2)
    mine = await shelf(site, ODD, 1, owner=ada)
    await agreed(ada, mine.works, [(ada, 3334), (ben, 3333), (cay, 3333)])
    lantern = await trainer(site)
    licence = await lantern.license(mine.wanted())
    parts = [(await balance(who.http))["payable", "USD"] for who in (ada, ben, cay)]
    assert sorted(parts) == ["0.000003", "0.000003", "0.000004"]  # 10 micro-units after a fee of 1
    for run in range(2, 5):
        await lantern.report(licence, str(run))
    await nothing_is_wrong(site)


async def test_rule_21_the_next_split_needs_everybody_who_has_a_share_now(site: Running):
    ada, ben, cay = [await artist(site, name) for name in ("Ada", "Ben", "Cay")]
    await ada.raise_level(2)
    mine = await shelf(site, PER_RUN, 1, owner=ada)
    lantern = await trainer(site)
    first = await agreed(ada, mine.works, [(ada, 5000), (ben, 5000)])
    licence = await lantern.license(mine.wanted())
    second = await propose(ada, mine.works, [(ada, 5000), (cay, 5000)], first.document)
    assert [(each.account, each.bps, each.signed) for each in second.parties] == sorted(
        [(ada.id, 5000, True), (ben.id, 0, False), (cay.id, 5000, False)]
    )
    told(await answer(cay, second))
    await lantern.report(licence, "2")
    assert await balance(ben.http) == {("payable", "USD"): "0.9"}
    assert told(await answer(ben, second)).split.state == "in-force"
    await lantern.report(licence, "3")
    assert await balance(ben.http) == {("payable", "USD"): "0.9"}
    assert await balance(cay.http) == {("payable", "USD"): "0.45"}
    states = {each["split"]: each["state"] for each in (await ben.http.get("/v1/splits")).json()["items"]}
    assert states == {first.split: "replaced", second.split: "in-force"}
    await nothing_is_wrong(site)


async def test_a_report_and_the_last_signature_at_once_leave_books_that_the_log_explains(site: Running):
    ada, ben = await artist(site), await artist(site, "Ben")
    await ada.raise_level(2)
    mine = await shelf(site, PER_RUN, 1, owner=ada)
    lantern = await trainer(site)
    licence = await lantern.license(mine.wanted())
    for run in range(2, 6):
        items = (await ada.http.get("/v1/splits", params={"state": "in-force"})).json()["items"]
        before = items[0]["document"] if items else None
        split = await propose(ada, mine.works, [(ada, 5000 + run), (ben, 5000 - run)], before)
        reply, _ = await asyncio.gather(answer(ben, split), lantern.report(licence, str(run)))
        since = told(reply).split.agreed_index
        assert since is not None
        async with site.services.database.acquire() as conn:
            row = await conn.fetchrow(
                "select e.index, v.split from usage_events v join usage_batches b on b.id = v.batch "
                "join log_entries e on e.pending = b.pending where v.organisation = $1 and v.run = $2",
                identifiers.to_uuid(lantern.id),
                str(run),
            )
        assert row is not None
        assert (row["index"] > since) == (row["split"] == identifiers.to_uuid(split.split))
    await nothing_is_wrong(site)
