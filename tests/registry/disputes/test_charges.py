"""Disputes about charges: opened by whom a charge takes from, one at a time, and nobody uses up another's right."""

from __future__ import annotations

import msgspec
import pytest

from licet.terms import Price, preset
from licet.wire.common import Page
from licet.wire.settlement import ChargeInfo
from registry.errors import Conflict, NotFound
from registry.settlement import refunding
from tests.registry.catalogue import artist
from tests.registry.disputes.parties import (
    all_holds,
    charge_of,
    decide,
    dispute,
    opening,
    send,
    step,
    told,
)
from tests.registry.harness import Running
from tests.registry.market import balance, problem, reported, shelf, trainer
from tests.registry.splits.owners import agreed
from tests.registry.usage import test_corrections as corrections

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
PER_OUTPUT = preset("paid", Price(model="per-output", amount="1", currency="USD"))


@pytest.mark.parametrize("upheld", [False, True])
async def test_rule_18_whoever_owes_disputes_a_charge_and_it_stands_or_is_taken_back_once(site: Running, upheld: bool):
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted("near"))
    charge = await charge_of(lab)
    about = await dispute(lab, charge)
    assert (about.subject, about.against, about.holds) == (charge, works.owner.id, True)
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.9"}
    listed = msgspec.json.decode((await works.owner.http.get("/v1/charges")).content, type=Page[ChargeInfo]).items
    assert [(each.charge, each.state, each.dispute) for each in listed] == [(charge, "contested", about.dispute)]
    with pytest.raises(Conflict, match="is in dispute: decide on dsp_"):
        await refunding.decide(site.services, charge, refunded=True)
    with pytest.raises(Conflict, match="is in dispute: decide on dsp_"):  # it would be let go with the dispute
        await refunding.contest(site.services, charge, "by hand")
    with pytest.raises(Conflict, match="is contested"):
        await refunding.refund(site.services, charge, "by hand")
    assert "is disputed already" in problem(await send(lab, opening(lab, charge)))[2]
    await step(works.owner, about)
    await decide(site, about, "upheld" if upheld else "dismissed")
    assert await balance(works.owner.http) == ({} if upheld else {("payable", "USD"): "0.9"})
    assert await balance(lab.http) == ({} if upheld else {("receivable", "USD"): "1"})
    assert problem(await send(lab, opening(lab, charge)))[0] == 409


async def test_whom_a_charge_is_in_favour_of_cannot_have_it_decided_before_the_other_party_says_anything(
    site: Running,
):
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted())
    charge = await charge_of(lab)
    refused = problem(await send(works.owner, opening(works.owner, charge)))
    assert refused[0] == 400
    assert "subject: expected a charge that takes something from you" in refused[2]
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9"}
    about = await dispute(lab, charge)
    assert told(await step(lab, about, "withdraw")).dispute.state == "withdrawn"
    with pytest.raises(NotFound, match="is not contested"):  # nobody has decided, and nothing is to be decided
        await refunding.decide(site.services, charge, refunded=True)
    again = problem(await send(lab, opening(lab, charge)))
    assert (again[0], "and that ended: withdrawn" in again[2]) == (409, True)
    await refunding.contest(site.services, charge, "the office may hold it still")
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.9"}
    await refunding.decide(site.services, charge, refunded=False)
    with pytest.raises(Conflict, match="decided on: stands"):
        await refunding.contest(site.services, charge, "once more")
    assert await balance(works.owner.http) == {("payable", "USD"): "0.9"}
    await all_holds(site)


async def test_what_the_office_holds_is_not_let_go_by_a_dispute_that_is_taken_back(site: Running):
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted())
    charge = await charge_of(lab)
    await refunding.contest(site.services, charge, "a picture of the police")
    refused = problem(await send(lab, opening(lab, charge)))
    assert (refused[0], "is held by the office already" in refused[2]) == (409, True)
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.9"}
    await refunding.decide(site.services, charge, refunded=True)
    assert "taken back already" in problem(await send(lab, opening(lab, charge)))[2]
    await all_holds(site)


@pytest.mark.parametrize("upheld", [False, True])
async def test_a_dispute_that_one_party_takes_back_leaves_another_its_own(site: Running, upheld: bool):
    works, lab, mei = await shelf(site, PER_OUTPUT, 1), await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    await agreed(works.owner, works.works, [(works.owner, 5000), (mei, 5000)])
    licence = await lab.license(works.wanted())
    (used,) = lab.events(licence, "1", outputs=10)
    reported(await corrections.send(lab, licence, used))
    reported(await corrections.send(lab, licence, corrections.correction(used, 4)))  # takes 6 back, less the fee
    left = {("payable", "USD"): "1.8"}
    assert (await balance(mei.http), await balance(works.owner.http)) == (left, left)
    charge = await charge_of(mei)
    assert "in your favour" in problem(await send(lab, opening(lab, charge)))[2]
    held = {("payable", "USD"): "4.5", ("escrow", "USD"): "-2.7"}
    for who in (mei, works.owner):
        about = await dispute(who, charge)
        assert (about.against, about.holds) == (lab.id, True)
        assert (await balance(mei.http), await balance(works.owner.http)) == (held, held)
        await all_holds(site)
        listed = msgspec.json.decode((await lab.http.get("/v1/charges")).content, type=Page[ChargeInfo]).items
        assert (charge, "contested", about.dispute) in [(each.charge, each.state, each.dispute) for each in listed]
        assert problem(await send(mei, opening(mei, charge)))[0] == 409
        if who is mei:
            await step(mei, about, "withdraw")
            assert (await balance(mei.http), await balance(works.owner.http)) == (left, left)
            await all_holds(site)
            assert "ended: withdrawn" in problem(await send(mei, opening(mei, charge)))[2]
    await step(lab, about)
    await decide(site, about, "upheld" if upheld else "dismissed")
    now = {("payable", "USD"): "4.5" if upheld else "1.8"}
    assert (await balance(mei.http), await balance(works.owner.http)) == (now, now)
    assert await balance(lab.http) == {("receivable", "USD"): "10" if upheld else "4"}
    for who in (mei, works.owner):
        assert problem(await send(who, opening(who, charge)))[0] == 409
