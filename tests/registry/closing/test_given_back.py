"""What an agreement was charged is given back once: by a refund, or by a report that is corrected, not by both."""

from __future__ import annotations

import pytest

from licet.terms import Price, preset
from registry.auditing import verify
from registry.errors import Conflict
from registry.settlement import refunding
from tests.registry.agreements.revenue import drafted, report, send
from tests.registry.closing.conftest import Clock
from tests.registry.closing.test_closing import close_all
from tests.registry.harness import Running
from tests.registry.market import balance, granted, problem, shelf, trainer

pytestmark = pytest.mark.anyio
SHARE = preset("paid", Price(model="revenue-share", share_bps=3000, currency="USD", period="P1M"))


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
