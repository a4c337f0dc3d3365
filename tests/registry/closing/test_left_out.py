"""What a close could not charge is kept, told to whom it concerns, and charged once, at the first close that can."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

import httpx
import msgspec
import pytest

from licet import identifiers, money, times
from licet.terms import Price, preset
from licet.wire.usage import Balance
from registry import closing, ledger
from registry.accounts.operators import invite
from registry.agreements.allocation import allocate
from registry.agreements.left_out import left_out
from registry.auditing import verify
from registry.ledger import Entry, Transfer
from registry.licensing.owing import AT_CLOSE
from registry.settlement import escrow
from tests.registry.agreements.revenue import report
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_bundles import pulled
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, granted, shelf, trainer

pytestmark = pytest.mark.anyio

MONTHLY = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))
SHARE = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", period="P1M"))
DEEP = AT_CLOSE // money.MICRO  # what an organisation that owes it is not charged beyond


async def owed(http: httpx.AsyncClient) -> Balance:
    return msgspec.json.decode((await http.get("/v1/ledger/balance")).content, type=Balance)


async def deep_in_debt(site: Running, organisation: str, units: int = DEEP) -> None:
    """It owes more than a close may take it to: in pieces, each of which money can hold."""
    piece = 4_000_000_000
    sign = 1 if units > 0 else -1
    for part in [*[piece] * (abs(units) // piece), abs(units) % piece]:
        key, amount = identifiers.new_id("pay"), sign * part * money.MICRO
        entries = (Entry("residue:registry", "USD", -amount), Entry(f"receivable:{organisation}", "USD", amount))
        async with site.services.database.transaction() as conn:
            await ledger.post(conn, [Transfer(key, "payment", times.now(), key, entries)])


async def left_behind(site: Running, clock: Clock) -> tuple[Trainer, dict[str, Shelf]]:
    """Two agreements of one organisation that the close of the first month could not charge: it owes too much."""
    lab = await trainer(site)
    works, weak = await shelf(site, MONTHLY, 2), await shelf(site, SHARE, 2, level=0)
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True))).licence
    shared = granted(await lab.accept(await lab.quote(weak.wanted(), None, agreement=True))).licence
    told_of = await report(lab, shared, month := clock.month, {"USD": 300})
    await deep_in_debt(site, lab.id)
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    await report(lab, shared, month, {"USD": 210}, supersedes=told_of.document)  # what is late is trued up beside it
    await report(lab, shared, clock.month, {"USD": 0})
    return lab, {licence: works, shared: weak}


async def everybody(site: Running, lab: Trainer, owners: Iterable[Shelf]) -> list[httpx.AsyncClient]:
    _, token = await invite(site.services.database, "auditor", name="Ada Okafor")
    return [site.client(token.token), lab.http, *(each.owner.http for each in owners)]


async def test_an_agreement_left_out_at_a_close_is_charged_once_at_the_next_that_can(
    site: Running, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(closing.steps, "HOOKS", [allocate, allocate])  # a close that is taken up again
    first = clock.month
    lab, agreed = await left_behind(site, clock)
    second = clock.month
    (licence, works), (shared, weak) = agreed.items()
    await deep_in_debt(site, lab.id, -DEEP)
    assert await balance(lab.http) == {}
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    # two months of two works at 10, and three tenths of 300, less those of the 90 that were reported too much
    assert await balance(lab.http) == {("receivable", "USD"): "103"}
    assert await balance(works.owner.http) == {("payable", "USD"): "36"}
    assert await balance(weak.owner.http) == {("escrow", "USD"): "56.7"}
    assert await left_out(site.services.database) == []
    assert (await owed(lab.http)).not_yet_computed == []
    assert "found" not in (await site.http.get("/health/ready")).json()["checks"]["closes"]
    for name, side, owner in ((licence, "payable", works.owner.id), (shared, "escrow", weak.owner.id)):
        expected = {f"{name}/{month}/{side}:{owner}/USD": (month, second) for month in (first, second)}
        assert await keys_of(site, name) == expected
    assert await verify(site.services) == []
    for http in await everybody(site, lab, agreed.values()):
        for month in (first, second, clock.month):
            await pulled(site, http, tmp_path / "all.zip", month)
    # what waits in escrow is released work by work, as any other
    await weak.owner.raise_level(2)
    await escrow.settle(site.services, clock.now())
    assert await balance(weak.owner.http) == {("payable", "USD"): "56.7"}
    assert await verify(site.services) == []
    async with site.services.database.transaction() as conn:
        await conn.execute("update allocations_left_out set posted = null where period = $1", first)
    told = [str(each) for each in await verify(site.services)]
    assert any(f"licence {licence}: {first}: expected its charge in None, got it in {second}" in each for each in told)


async def test_what_is_left_out_waits_in_its_order_and_is_told_to_whom_it_concerns(site: Running, clock: Clock):
    first = clock.month
    lab, agreed = await left_behind(site, clock)
    second = clock.month
    before = await balance(lab.http)
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    assert await balance(lab.http) == before
    for each in agreed.values():  # nothing was credited, and nothing taken: not what was trued up either
        assert await balance(each.owner.http) == {}
        assert (await owed(each.owner.http)).not_yet_computed == []
    both = sorted((month, licence) for month in (first, second) for licence in agreed)
    assert [(each.period, each.licence) for each in (await owed(lab.http)).not_yet_computed] == both
    found = await left_out(site.services.database)
    assert [(each.period, each.licence) for each in found] == both
    for left in found:
        reason = "more: nothing was stored" if left.period == first else f"what it owes for {first} is to be charged"
        assert reason in left.why
    check = (await site.http.get("/health/ready")).json()["checks"]["closes"]
    assert check["ok"]
    assert check["found"] == f"4 charges of agreements left out when months closed, from {first} on"
    assert not [licence for licence in agreed if licence in json.dumps(check)]
    assert "licet_agreements_left_out 4" in (await site.http.get("/metrics")).text
    assert await verify(site.services) == []
    # and in public: how many wait behind each close, whatever becomes of them later, is signed
    counted = {each["period"]: each["left_out"] for each in (await site.http.get("/v1/periods")).json()["items"]}
    assert counted == {first: 2, second: 4, clock.month: None}
    shown = (await lab.http.get(f"/v1/periods/{second}/line")).json()["close"]["envelope"]
    assert json.loads(base64.b64decode(shown["payload"]))["left_out"] == 4
    async with site.services.database.transaction() as conn:
        await conn.execute("delete from allocations_left_out where period = $1", second)
    told = [str(each) for each in await verify(site.services)]
    assert any(f"month {second}: period-close: left_out: expected 2, got 4" in each for each in told)


async def test_what_is_left_out_is_in_the_evidence_of_whom_it_concerns(site: Running, clock: Clock, tmp_path: Path):
    first = clock.month
    lab, agreed = await left_behind(site, clock)
    second = clock.month
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    people = await everybody(site, lab, agreed.values())
    for month, charges in ((first, 2), (second, 4)):
        told, _ = await pulled(site, people[0], tmp_path / "all.zip", month)
        allocations = {check.name: check.detail for check in told.checks}["allocations"]
        assert f"{charges} charges were left out when the month closed, and are not yet computed" in allocations
        for http in people[1:]:
            await pulled(site, http, tmp_path / "part.zip", month)


async def keys_of(site: Running, licence: str) -> dict[str, tuple[str, str]]:
    """Return what was posted at closes: key → the month that it is for, the month that it is in."""
    async with site.services.database.acquire() as conn:
        query = "select key, memo, period from transfers where source = $1 and kind = 'allocation'"
        return {row["key"]: (row["memo"], row["period"]) for row in await conn.fetch(query, licence)}
