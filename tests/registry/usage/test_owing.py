"""What one organisation may owe in one currency is bounded; what is refused is whole and can be sent again."""

from __future__ import annotations

from typing import Any

import pytest

from licet import identifiers, money, times
from licet.terms import Price, preset
from registry import ledger
from registry.ledger import Entry, Transfer
from registry.usage import batches
from tests.registry.harness import Running
from tests.registry.market import balance, nothing_is_wrong, problem, reported, shelf, trainer
from tests.registry.usage.test_batches import event
from tests.registry.usage.test_corrections import correction, send

pytestmark = pytest.mark.anyio
DEAR = preset("paid", Price(model="per-training-run", amount="400000000", currency="USD"))
OUTPUTS = preset("paid", Price(model="per-output", amount="1000000", currency="USD"))
RICH = "9000000000USD"
_STORED = """
select (select count(*) from usage_batches), (select count(*) from usage_events), (select count(*) from entries),
    (select count(*) from licences), (select count(*) from log_pending)
"""


async def stored(site: Running) -> tuple[Any, ...]:
    async with site.services.database.acquire() as conn:
        row = await conn.fetchrow(_STORED)
    assert row is not None
    return tuple(row)


async def paid(site: Running, organisation: str, units: int) -> None:
    amount, key = units * money.MICRO, identifiers.new_id("pay")
    entries = (Entry("bank:one", "USD", amount), Entry(f"receivable:{organisation}", "USD", -amount))
    async with site.services.database.transaction() as conn:
        await ledger.post(conn, [Transfer(key, "payment", times.now(), key, entries)])


async def test_a_batch_that_would_owe_too_much_is_refused_whole_and_taken_once_it_is_paid(site: Running):
    works = await shelf(site, DEAR, 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted(), RICH)  # 400 million
    assert (await lantern.report(licence, "2")).new == 1  # 800 million
    before = await stored(site)
    batch = lantern.batch(lantern.events(licence, "3"), licence.lines)
    refused = await lantern.send(batch)
    assert problem(refused)[0] == 409
    assert refused.json()["type"].rsplit("/", 1)[1] == "over-limit"
    for figure in ("1,000,000,000.00 USD", "800,000,000.00 USD", "400,000,000.00 USD"):
        assert figure in refused.json()["detail"]
    assert await stored(site) == before
    await paid(site, lantern.id, 400_000_000)
    assert reported(await lantern.send(batch)).new == 1  # the same bytes
    await nothing_is_wrong(site)


async def test_what_is_known_owes_nothing_more_however_late_it_is_found(site: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batches, "_LOOKED_FOR", 1)  # the first of a batch alone
    works = await shelf(site, DEAR, 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted(), RICH)
    assert (await lantern.report(licence, "2")).new == 1  # 800 million
    (known,) = lantern.events(licence, "2")
    fresh = (event(lantern, licence.licence, known.work, unit="output", seq=seq) for seq in range(1000))
    first = next(each for each in fresh if each.id < known.id)
    answer = reported(await lantern.send(lantern.batch([first, known], licence.lines)))
    assert (answer.new, answer.known, answer.memorandum) == (0, 1, 1)
    await nothing_is_wrong(site)


async def test_a_licence_that_would_owe_too_much_is_not_granted(site: Running):
    works, others = await shelf(site, DEAR, 2), await shelf(site, DEAR, 1)
    lantern = await trainer(site)
    await lantern.license(works.wanted(), RICH)
    before = await stored(site)
    quote = await lantern.quote(others.wanted(), RICH)
    refused = await lantern.accept(quote)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (409, "over-limit")
    assert await stored(site) == before


async def test_a_correction_that_would_owe_too_much_is_refused_whole_and_one_that_lowers_it_never_is(site: Running):
    works, lantern = await shelf(site, OUTPUTS, 1), await trainer(site)
    licence = await lantern.license(works.wanted(), RICH)
    (event,) = lantern.events(licence, "1", outputs=400)
    reported(await send(lantern, licence, event))  # 400 million
    before = await stored(site)
    refused = await send(lantern, licence, correction(event, 1100))
    assert (refused.status_code, problem(refused)[1]) == (409, "over-limit")
    for figure in ("1,000,000,000.00 USD", "400,000,000.00 USD owed", "700,000,000.00 USD more"):
        assert figure in problem(refused)[2]
    assert await stored(site) == before
    more, less = correction(event, 900), correction(event, 100, 900, 2)
    reported(await send(lantern, licence, more))
    await paid(site, lantern.id, -600_000_000)  # it owes 1.5 billion
    reported(await send(lantern, licence, less))
    assert await balance(lantern.http) == {("receivable", "USD"): "700000000"}
    await nothing_is_wrong(site)
