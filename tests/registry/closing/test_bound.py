"""What reports of revenue and closes may take a debt to: what is refused is whole, and stops nobody else."""

from __future__ import annotations

import pytest

from licet import money
from licet.terms import Price, preset
from registry.agreements import allocation
from registry.agreements.left_out import left_out
from registry.auditing import verify
from registry.licensing.owing import AT_CLOSE
from tests.registry.agreements.revenue import drafted, report, send
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import balance, granted, problem, shelf, trainer
from tests.registry.usage.test_owing import paid, stored

pytestmark = pytest.mark.anyio

THIRD = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD"))
MONTHLY = preset("paid", Price(model="subscription", amount="10", currency="USD", period="P1M"))


async def test_a_report_that_would_owe_too_much_is_refused_whole_and_taken_once_there_is_room(
    site: Running, clock: Clock
):
    first = clock.month
    works, lab = await shelf(site, THIRD, 2), await trainer(site)
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True))).licence
    before = await stored(site)
    refused = await send(lab, drafted(lab, licence, first, {"USD": 4_000_000_000}))
    assert (refused.status_code, problem(refused)[1]) == (409, "over-limit")
    for figure in ("at most 1,000,000,000.00 USD", "got 0.00 USD owed", "1,200,000,000.00 USD more"):
        assert figure in problem(refused)[2]
    assert await stored(site) == before
    told = await report(lab, licence, first, {"USD": 3_000_000_000})
    more = await send(lab, drafted(lab, licence, first, {"USD": 4_000_000_000}, supersedes=told.document))
    assert problem(more)[1] == "over-limit"
    clock.next_month()
    second = clock.month
    assert await close_all(site, clock.now()) == [first]
    assert await balance(lab.http) == {("receivable", "USD"): "900000000"}
    next_one = drafted(lab, licence, second, {"USD": 400_000_000})
    assert problem(await send(lab, next_one))[1] == "over-limit"
    await report(lab, licence, first, {"USD": 2_900_000_000}, supersedes=told.document)  # what lowers it is taken
    await paid(site, lab.id, 20_000_000)
    assert (await send(lab, next_one)).status_code == 201  # the same bytes
    clock.next_month()
    assert await close_all(site, clock.now()) == [second]
    assert await balance(lab.http) == {("receivable", "USD"): "970000000"}


async def test_what_was_reported_in_time_is_charged_at_a_close_beyond_the_limit(site: Running, clock: Clock):
    month = clock.month
    works, lab = await shelf(site, THIRD, 1), await trainer(site)
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True))).licence
    await report(lab, licence, month, {"USD": 3_000_000_000})
    await paid(site, lab.id, -500_000_000)  # it owes more meanwhile
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    assert await balance(lab.http) == {("receivable", "USD"): "1400000000"}
    assert site.services.settings.owed_limit_micro < 1_400_000_000 * money.MICRO < AT_CLOSE


async def test_what_a_close_leaves_out_stops_nobody_and_is_told(
    site: Running, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(allocation, "AT_CLOSE", 15 * money.MICRO)
    month, lab, other = clock.month, await trainer(site), await trainer(site)
    one, two, three = [await shelf(site, MONTHLY, 1) for _ in range(3)]
    granted(await lab.accept(await lab.quote(one.wanted(), None, agreement=True)))
    left = granted(await lab.accept(await lab.quote(two.wanted(), None, agreement=True))).licence
    granted(await other.accept(await other.quote(three.wanted(), None, agreement=True)))
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    for who in (lab, other):
        assert await balance(who.http) == {("receivable", "USD"): "10"}
    assert await balance(two.owner.http) == {}
    assert [(each.licence, each.period) for each in await left_out(site.services.database)] == [(left, month)]
    assert await verify(site.services) == []
    async with site.services.database.transaction() as conn:
        await conn.execute("delete from allocations_left_out")
    told, signed = sorted(map(str, await verify(site.services)))  # it must be known, else it is lost
    assert "period-close: left_out: expected 0, got 1" in signed
    assert f"licence {left}: {month}: expected a charge of {{'USD': 10000000}} micro-units, got {{}}" in told
