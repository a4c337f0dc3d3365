"""What an agreement owes for a work that was decided to be somebody else's goes to her, once, and what is trued up too.

What it owes for works whose first split waits for a signature waits in escrow, and is shared by what they sign.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from licet import identifiers, money, times
from licet.errors import VerificationError
from licet.terms import Price, Revocation, Terms, preset
from licet.wire.settlement import PayoutSet
from registry.accounts.identity import Caller
from registry.accounts.operators import invite
from registry.auditing import queries, verify
from registry.auditing.queries import DECIDED
from registry.settlement import escrow, remitting, verification
from registry.settlement.escrow import RETURNS_AFTER
from tests.registry.agreements.revenue import report
from tests.registry.catalogue import Artist, artist
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_bundles import pulled
from tests.registry.closing.test_closing import close_all
from tests.registry.disputes.parties import decide, dispute, step
from tests.registry.duties import talks as revoking
from tests.registry.harness import Running
from tests.registry.market import balance, granted, shelf, trainer
from tests.registry.settlement.books import balances, remitted
from tests.registry.splits.owners import answer, propose, told

pytestmark = pytest.mark.anyio

MONTHLY = preset("paid", Price(model="subscription", amount="1.000001", currency="USD", period="P1M"))
SHARE = preset("paid", Price(model="revenue-share", share_bps=1000, currency="USD", period="P1M"))


async def settled(site: Running, clock: Clock) -> None:
    """Everything in escrow was looked at, and all that is derived holds."""
    await escrow.settle(site.services, clock.now())
    assert await verify(site.services) == []


async def remittances(site: Running, *who: Artist) -> dict[str, str]:
    """Return what a file for the bank sends to each of these once all holds are over."""
    for each in who:
        caller = Caller(identifiers.to_uuid(each.id), "art", "Mei", 2, frozenset(), identifiers.new_uuid(), times.now())
        await remitting.set_payout(site.services, caller, PayoutSet("Mei Lin", "GB", "GB29NWBK60161331926819"))
    return {payee: money.to_decimal(amount) for _, payee, _, amount in (await remitted(site.services)).paid}


async def all_verify(site: Running, people: list[httpx.AsyncClient], months: list[str], target: Path) -> None:
    """The bundles of everybody, and of an auditor, verify for each of these months."""
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    for month in months:
        for http in (site.client(token.token), *people):
            await pulled(site, http, target / "bundle.zip", month)


async def test_what_an_agreement_owes_for_a_lost_work_is_the_winners(site: Running, clock: Clock, tmp_path: Path):
    first = clock.month
    works, lab, mei = await shelf(site, MONTHLY, 3), await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True)))
    lost = works.works[0]
    about = await dispute(mei, lost)
    clock.next_month()
    second = clock.month
    assert await close_all(site, clock.now()) == [first]
    # of three works, each 1.000001 with a fee of a tenth in whole micro-units: the one in dispute waits
    assert await balance(works.owner.http) == {("payable", "USD"): "1.800002", ("escrow", "USD"): "0.900001"}
    await settled(site, clock)
    await step(works.owner, about)
    await decide(site, about, "upheld")
    assert await balance(works.owner.http) == {("payable", "USD"): "1.800002"}
    assert await balance(mei.http) == {("payable", "USD"): "0.900001"}
    clock.next_month()  # the agreement runs on
    assert await close_all(site, clock.now()) == [second]
    await settled(site, clock)
    assert await balance(works.owner.http) == {("payable", "USD"): "3.600004"}
    assert await balance(mei.http) == {("payable", "USD"): "1.800002"}
    assert await balance(lab.http) == {("receivable", "USD"): "6.000006"}
    await settled(site, clock)  # once
    assert await balance(mei.http) == {("payable", "USD"): "1.800002"}
    assert await remittances(site, works.owner, mei) == {works.owner.id: "3.6", mei.id: "1.8"}
    async with site.services.database.transaction() as conn:
        assert sum((await balances(conn)).values()) == 0
        assert await verification.rebuild(conn) == []
    await all_verify(site, [lab.http, works.owner.http, mei.http], [first, second, clock.month], tmp_path)
    async with site.services.database.transaction() as conn:
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update escrow_works set amount = amount - 1")
        await conn.execute("set session_replication_role = origin")
    wrong = [str(each) for each in await verify(site.services)]
    assert sum(f"expected 1000001 of 1000001 micro-units for {lost}, got 1000000" in each for each in wrong) == 2, wrong


async def test_what_is_trued_up_of_a_lost_work_is_the_winners_too(site: Running, clock: Clock, tmp_path: Path):
    first = clock.month
    works, lab, mei = await shelf(site, SHARE, 3), await trainer(site), await artist(site, "Mei")
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True))).licence
    one = await dispute(mei, works.works[0])
    await step(works.owner, one)
    await decide(site, one, "upheld")
    told_of = await report(lab, licence, first, {"USD": 300})
    clock.next_month()
    second = clock.month
    assert await close_all(site, clock.now()) == [first]
    await settled(site, clock)
    # until Mei has claim level 2, her part of 10 waits on the escrow of whoever lost the work
    assert await balance(works.owner.http) == {("payable", "USD"): "18", ("escrow", "USD"): "9"}
    await report(lab, licence, first, {"USD": 210}, supersedes=told_of.document)  # 3 less for each
    await report(lab, licence, second, {"USD": 0})
    await mei.raise_level(2)
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    await settled(site, clock)
    assert await balance(works.owner.http) == {("payable", "USD"): "12.6"}
    assert await balance(mei.http) == {("payable", "USD"): "6.3"}
    assert await balance(lab.http) == {("receivable", "USD"): "21"}
    await all_verify(site, [lab.http, works.owner.http, mei.http], [first, second, clock.month], tmp_path)


async def test_what_a_lost_work_is_owed_goes_back_where_its_winner_has_no_level_in_180_days(
    site: Running, clock: Clock
):
    month = clock.month
    works, lab, mei = await shelf(site, MONTHLY, 2), await trainer(site), await artist(site, "Mei")
    granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True)))
    about = await dispute(mei, works.works[0])
    await step(works.owner, about)
    await decide(site, about, "upheld")
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    await escrow.settle(site.services, clock.now() + RETURNS_AFTER)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.900001"}
    assert await balance(mei.http) == {}
    assert await balance(lab.http) == {("receivable", "USD"): "1.000001"}
    assert await verify(site.services) == []


@pytest.mark.parametrize("signed", [True, False])
async def test_rule_21_what_a_close_owes_waits_until_all_have_signed_the_first_split(
    site: Running, clock: Clock, tmp_path: Path, signed: bool
):
    month = clock.month
    works, lab, mei = await shelf(site, MONTHLY, 2), await trainer(site), await artist(site, "Mei")
    granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True)))
    clock.set(clock.now().replace(day=28))
    split = await propose(works.owner, works.works[:1], [(works.owner, 2500), (mei, 7500)])
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    await settled(site, clock)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.900001", ("escrow", "USD"): "0.900001"}
    told(await answer(mei, split, "accept" if signed else "decline"))
    await settled(site, clock)
    if signed:
        assert await balance(works.owner.http) == {("payable", "USD"): "1.125001"}
        assert await balance(mei.http) == {("payable", "USD"): "0.675001"}
    else:
        assert await balance(works.owner.http) == {("payable", "USD"): "1.800002"}
        assert await balance(mei.http) == {}
    await all_verify(site, [lab.http, works.owner.http, mei.http], [month, clock.month], tmp_path)


async def test_who_won_a_work_takes_back_licences_on_it_and_who_lost_it_does_not(
    site: Running, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = clock.month
    rule = MONTHLY.rules["train-gen"].model_copy(update={"revocation": Revocation(notice_days=5)})
    works = await shelf(site, Terms({**MONTHLY.rules, "train-gen": rule}), 2)
    lab, mei = await trainer(site), await artist(site, "Mei")
    await mei.raise_level(2)
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True)))
    lost = works.works[:1]
    assert (await mei.http.get(f"/v1/licences/{licence.licence}/revocation")).status_code == 404
    about = await dispute(mei, lost[0])
    await step(works.owner, about)
    await decide(site, about, "upheld")
    refused = await revoking.send(works.owner, revoking.revocation(works.owner, licence, lost))
    assert (refused.status_code, "a work of yours" in refused.json()["detail"]) == (400, True)
    for who, own in ((mei, lost), (works.owner, works.works[1:])):
        can = await revoking.offered(who.http, licence.licence)
        assert [each.works for each in can.groups] == [own]
    for who, own in ((mei, lost), (works.owner, sorted(works.works))):
        seen = await who.http.get(f"/v1/licences/{licence.licence}")
        assert sorted(line["work"] for line in seen.json()["lines"]) == own
        (listed,) = (await who.http.get("/v1/licences")).json()["items"]
        assert (listed["licence"], listed["works"]) == (licence.licence, len(own))
    duty = revoking.told(await revoking.send(mei, revoking.revocation(mei, licence, lost))).duty
    assert [each.duty for each in await revoking.listed(lab.http)] == [duty.duty]
    clock.next_month()
    second = clock.month
    clock.next_month()
    assert await close_all(site, clock.now()) == [first, second]
    await settled(site, clock)  # nothing is owed for it in the second month
    assert await balance(mei.http) == {("payable", "USD"): "0.900001"}
    assert await balance(lab.http) == {("receivable", "USD"): "3.000003"}
    await all_verify(site, [works.owner.http, mei.http], [first, second], tmp_path)
    for month in (first, second):  # whoever won a work sees what was licensed of it, and no line of another
        _, hers = await pulled(site, mei.http, tmp_path / "mei.zip", month)
        assert f"statements/licence/{licence.licence}.json" in hers
        lines = hers[f"licences/{licence.licence}.jsonl"].decode()
        assert lost[0] in lines
        assert works.works[1] not in lines
    report, _ = await pulled(site, lab.http, tmp_path / "lab.zip", second)
    said = {check.name: check.detail for check in report.checks}["allocations"]
    assert "in 1 somebody took back works of others, by a decision that is not shown" in said
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    staff = site.client(token.token)
    _, members = await pulled(site, staff, tmp_path / "all.zip", second)
    assert len([name for name in members if name.startswith("statements/dispute-step/")]) == 3  # opened, decided, ended
    for missing in ("open", "end"):  # whose the work is no longer follows, nor what was charged
        monkeypatch.setattr(queries, "DECIDED", DECIDED.replace(f"'{missing}'", "'answer'"))
        for http in (staff, works.owner.http):
            with pytest.raises(VerificationError, match="allocations"):
                await pulled(site, http, tmp_path / "less.zip", second)
