"""Escrow of real licences ends once: released at claim level 2, returned to the licensee after 180 days below it.

Works that were shared since, or were decided to be somebody else's, leave it as parts.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from licet import times
from licet.audit import verify_bundle
from licet.statements.splits import LASTS
from licet.statements.trust import Trust
from licet.terms import Price, preset
from registry.settlement import escrow, refunding, verification
from tests.registry.catalogue import artist
from tests.registry.harness import Running
from tests.registry.market import TRAIN, Shelf, Trainer, balance, nothing_is_wrong, reported, shelf, trainer
from tests.registry.splits.owners import agreed, answer, propose, told
from tests.registry.usage.test_corrections import correction, send

pytestmark = pytest.mark.anyio
PER_OUTPUT = preset("paid", Price(model="per-output", amount="1", currency="USD"))
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


@pytest.mark.parametrize("refunded", [False, True])
async def test_what_is_contested_in_escrow_stays_there_until_somebody_decides(site: Running, refunded: bool):
    works, lantern = await licensed(site)
    charge = (await charges(site, lantern))[0]
    await refunding.contest(site.services, charge, "not hers")
    await works.owner.raise_level(2)
    assert await settled(site, HALF_A_YEAR) == (1, 0)  # the other one alone
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9", ("escrow", "USD"): "0.9"}
    await refunding.decide(site.services, charge, refunded=refunded)
    assert await settled(site) == (0 if refunded else 1, 0)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9" if refunded else "1.8"}
    assert await balance(lantern.http) == {("receivable", "USD"): "1" if refunded else "2"}
    await refunding.decide(site.services, charge, refunded=refunded)
    assert await balance(lantern.http) == {("receivable", "USD"): "1" if refunded else "2"}


async def test_rule_21_a_later_split_divides_once_what_is_held_for_its_works(site: Running):
    works, lantern, mei = await shelf(site, PER_RUN, 3, level=0), await trainer(site), await artist(site, "Mei")
    await lantern.license(works.wanted())
    assert await balance(works.owner.http) == {("escrow", "USD"): "2.7"}
    shares = [(works.owner, 3333), (mei, 6667)]
    split = await agreed(works.owner, works.works[:2], shares)
    assert await settled(site) == (0, 0)
    # 1.8 of two works, less than a micro-unit of which is nobody's; the third is hers alone.
    assert await balance(works.owner.http) == {("escrow", "USD"): "1.49994"}
    assert await balance(mei.http) == {("escrow", "USD"): "1.20006"}
    posted = (await mei.http.get("/v1/ledger/entries")).json()["items"]
    assert [(each["account"], each["amount"]) for each in posted] == [("escrow", "1.20006")]
    assert f"2 works by {split.split}, document {split.document}" in posted[0]["memo"]
    await agreed(works.owner, works.works[:2], [(works.owner, 9000), (mei, 1000)], split)
    assert await settled(site) == (0, 0)  # by the first one, and by no later one again
    await lantern.license(works.wanted(), use=msgspec.structs.replace(TRAIN, version="2"))
    assert await balance(mei.http) == {("escrow", "USD"): "1.38006"}
    await works.owner.raise_level(2)
    assert (await settled(site))[1] == 0
    assert await balance(works.owner.http) == {("payable", "USD"): "4.01994"}
    assert await balance(mei.http) == {("payable", "USD"): "1.38006"}
    assert await settled(site) == (0, 0)
    charge = (await charges(site, lantern))[0]
    await refunding.refund(site.services, charge, "twice")
    assert await balance(mei.http) == {("payable", "USD"): "0.18"}
    assert await balance(lantern.http) == {("receivable", "USD"): "3"}
    await settled(site)


async def test_rule_21_what_is_used_before_all_have_signed_waits_and_is_shared_by_what_they_sign(
    site: Running, tmp_path: Path
):
    works, lantern, mei = await shelf(site, PER_RUN, 2), await trainer(site), await artist(site, "Mei")
    licence = await lantern.license(works.wanted())
    split = await propose(works.owner, works.works[:1], [(works.owner, 3333), (mei, 6667)])
    await lantern.report(licence, "2")
    assert await balance(works.owner.http) == {("payable", "USD"): "2.7", ("escrow", "USD"): "0.9"}
    other = await lantern.license(works.wanted(), use=msgspec.structs.replace(TRAIN, version="2"))
    assert {line.work: line.escrow for line in other.lines} == {each: each == works.works[0] for each in works.works}
    assert await balance(works.owner.http) == {("payable", "USD"): "3.6", ("escrow", "USD"): "1.8"}
    assert await settled(site) == (0, 0)
    told(await answer(mei, split))
    assert await settled(site) == (2, 0)
    assert await balance(works.owner.http) == {("payable", "USD"): "4.19994"}
    assert await balance(mei.http) == {("payable", "USD"): "1.20006"}
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    for who in (lantern.http, works.owner.http, mei.http):
        evidence = await who.get("/v1/audit/bundle", params={"period": f"{times.now():%Y-%m}"})
        (tmp_path / "bundle.zip").write_bytes(evidence.content)
        verify_bundle(tmp_path / "bundle.zip", trust)


@pytest.mark.parametrize("declined", [True, False])
async def test_rule_21_what_waits_for_a_split_that_nobody_signs_is_paid_to_whoever_registered_the_work(
    site: Running, declined: bool
):
    works, lantern, mei = await shelf(site, PER_OUTPUT, 1), await trainer(site), await artist(site, "Mei")
    licence = await lantern.license(works.wanted())
    paid, held = (*lantern.events(licence, "1", outputs=10), *lantern.events(licence, "2", outputs=20))
    reported(await send(lantern, licence, paid))
    split = await propose(works.owner, works.works, [(works.owner, 1), (mei, 9999)])
    reported(await send(lantern, licence, held))
    assert await balance(works.owner.http) == {("payable", "USD"): "9", ("escrow", "USD"): "18"}
    reported(await send(lantern, licence, correction(paid, 9), correction(held, 18)))
    assert await balance(works.owner.http) == {("payable", "USD"): "8.1", ("escrow", "USD"): "16.2"}
    if declined:
        told(await answer(mei, split, "decline"))
    assert (await settled(site, timedelta(0) if declined else LASTS))[1] == 0
    assert await balance(works.owner.http) == {("payable", "USD"): "24.3"}


async def test_what_was_shared_in_escrow_returns_whole(site: Running):
    works, lantern, mei = await shelf(site, PER_RUN, 2, level=0), await trainer(site), await artist(site, "Mei")
    await lantern.license(works.wanted())
    await agreed(works.owner, works.works[:1], [(works.owner, 1), (mei, 9999)])
    assert await settled(site) == (0, 0)
    assert await settled(site, HALF_A_YEAR) == (0, 1)
    for who in (works.owner, mei, lantern):
        assert await balance(who.http) == {}
