"""What an agreement was charged is given back once: by a refund, or by a report that is corrected, not by both."""

from __future__ import annotations

from typing import Any

import pytest

from licet.terms import Price, Terms, preset
from registry.auditing import verify
from registry.errors import Conflict
from registry.settlement import refunding
from tests.registry.agreements.revenue import drafted, report, send
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, granted, problem, shelf, trainer

pytestmark = pytest.mark.anyio
SHARE = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", period="P1M"))
TWO_MONTHS = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", period="P2M"))
POOL = preset("paid", Price(model="pool", share_bps=3000, currency="USD", minimum="300", period="P1M"))


async def agreed(lab: Trainer, terms: Terms, *shelves: Shelf, **how: Any) -> str:
    """Return the agreement of ``lab`` on all works of ``shelves``."""
    wanted = [each for works in shelves for each in works.wanted()]
    return granted(await lab.accept(await lab.quote(wanted, None, agreement=True, **how))).licence


async def last_charge(lab: Trainer) -> str:
    """Return what ``lab`` was charged last."""
    name: str = (await lab.http.get("/v1/charges")).json()["items"][0]["charge"]
    return name


async def closes(site: Running, clock: Clock) -> str:
    """End the month and close it; return the next one."""
    month = clock.month
    clock.next_month()
    assert await close_all(site, clock.now()) == [month]
    return clock.month


@pytest.mark.parametrize("first", ["refund", "correction"])
async def test_a_month_is_given_back_by_a_refund_or_by_a_corrected_report(site: Running, clock: Clock, first: str):
    lab, works, month = await trainer(site), await shelf(site, SHARE, 1), clock.month
    licence = granted(await lab.accept(await lab.quote(works.wanted(), None, agreement=True))).licence
    said = await report(lab, licence, month, {"USD": 1000})
    clock.next_month()
    following = clock.month
    assert await close_all(site, clock.now()) == [month]
    charge = (await lab.http.get("/v1/ledger/entries")).json()["items"][0]["transfer"]
    assert await balance(lab.http) == {("receivable", "USD"): "300"}
    nothing = drafted(lab, licence, month, {"USD": 0}, supersedes=said.document)
    if first == "refund":
        await refunding.refund(site.services, charge, "a mistake")
        refused = problem(await send(lab, nothing))
        assert (refused[0], f"what was charged for {month} was given back" in refused[2]) == (409, True)
    else:
        assert (await send(lab, nothing)).status_code == 201
        for gives in (refunding.refund, refunding.contest):
            with pytest.raises(Conflict, match=f"the report of {month} was corrected since"):
                await gives(site.services, charge, "a mistake")
    await report(lab, licence, following, {"USD": 0})
    clock.next_month()
    assert await close_all(site, clock.now()) == [following]
    assert await balance(lab.http) == {}
    assert await balance(works.owner.http) == {}
    assert await verify(site.services) == []


@pytest.mark.parametrize("first", ["refund", "correction"])
async def test_a_window_is_given_back_once_whichever_of_its_months_is_corrected(
    site: Running, clock: Clock, first: str
):
    lab, works, months = await trainer(site), await shelf(site, TWO_MONTHS, 1), [clock.month]
    licence = await agreed(lab, TWO_MONTHS, works)
    said = await report(lab, licence, months[0], {"USD": 1000})
    months.append(await closes(site, clock))
    assert await balance(lab.http) == {}
    await report(lab, licence, months[1], {"USD": 0})
    await closes(site, clock)
    assert await balance(lab.http) == {("receivable", "USD"): "300"}
    charge = await last_charge(lab)
    nothing = drafted(lab, licence, months[0], {"USD": 0}, supersedes=said.document)
    if first == "refund":
        await refunding.refund(site.services, charge, "a mistake")
        refused = problem(await send(lab, nothing))
        assert (refused[0], f"what was charged for {months[1]} was given back" in refused[2]) == (409, True)
        assert await balance(lab.http) == {}
    else:
        assert (await send(lab, nothing)).status_code == 201
        for gives in (refunding.refund, refunding.contest):
            with pytest.raises(Conflict, match=f"the report of {months[0]} was corrected since"):
                await gives(site.services, charge, "a mistake")
    assert await verify(site.services) == []


@pytest.mark.parametrize("first", ["refund", "correction"])
async def test_what_a_later_close_trued_up_is_given_back_once(site: Running, clock: Clock, first: str):
    lab, works, month = await trainer(site), await shelf(site, SHARE, 1), clock.month
    licence = await agreed(lab, SHARE, works)
    said = await report(lab, licence, month, {"USD": 1000})
    second = await closes(site, clock)
    more = await report(lab, licence, month, {"USD": 1500}, supersedes=said.document)
    await report(lab, licence, second, {"USD": 0})
    await closes(site, clock)
    assert await balance(lab.http) == {("receivable", "USD"): "450"}
    charge = await last_charge(lab)  # of the second month, for what is trued up of the first
    again = drafted(lab, licence, month, {"USD": 1000}, supersedes=more.document)
    if first == "refund":
        await refunding.refund(site.services, charge, "a mistake")
        refused = problem(await send(lab, again))
        assert (refused[0], f"what was charged for {second} was given back" in refused[2]) == (409, True)
        assert await balance(lab.http) == {("receivable", "USD"): "300"}
    else:
        assert (await send(lab, again)).status_code == 201
        with pytest.raises(Conflict, match=f"the report of {month} was corrected since"):
            await refunding.refund(site.services, charge, "a mistake")
    assert await verify(site.services) == []


@pytest.mark.parametrize("first", ["refund", "report"])
async def test_a_late_report_takes_nothing_from_whom_a_refund_took_it(site: Running, clock: Clock, first: str):
    """The least was divided alike; what is reported late says that all of it is Ben's."""
    lab, ada, ben, month = await trainer(site), await shelf(site, POOL, 1), await shelf(site, POOL, 1), clock.month
    licence = await agreed(lab, POOL, ada, ben, weigh="report")
    following = await closes(site, clock)
    charges = {each["amount"]: each["charge"] for each in (await ada.owner.http.get("/v1/charges")).json()["items"]}
    ((_, charge),) = charges.items()
    weights = {ada.works[0]: 0, ben.works[0]: 1}
    late = drafted(lab, licence, month, {"USD": 0}, weights=weights)
    if first == "refund":
        await refunding.refund(site.services, charge, "a mistake")
        refused = problem(await send(lab, late))
        assert (refused[0], f"what was charged for {month} was given back" in refused[2]) == (409, True)
    else:
        assert (await send(lab, late)).status_code == 201
        with pytest.raises(Conflict, match=f"{month} was reported since"):
            await refunding.refund(site.services, charge, "a mistake")
    await report(lab, licence, following, {"USD": 0}, weights=weights)
    await closes(site, clock)
    assert await balance(ada.owner.http) in ({}, {("payable", "USD"): "0"})
    assert await verify(site.services) == []


async def test_a_late_report_that_takes_nothing_back_comes_after_a_refund(site: Running, clock: Clock):
    lab, month = await trainer(site), clock.month
    least = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", period="P1M", minimum="100"))
    works = await shelf(site, least, 1)
    licence = await agreed(lab, least, works)
    following = await closes(site, clock)
    assert await balance(lab.http) == {("receivable", "USD"): "100"}
    await refunding.refund(site.services, await last_charge(lab), "a mistake")
    await report(lab, licence, month, {"USD": 1000})
    await report(lab, licence, following, {"USD": 0})
    await closes(site, clock)
    assert await balance(lab.http) == {("receivable", "USD"): "300"}  # 200 beyond the least of before, and the next one
    assert await verify(site.services) == []
