"""A token with a spend limit charges so much in a month and no more; what is refused leaves nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from licet import identifiers, times
from licet.terms import Price, preset
from registry.accounts import spending
from tests.registry.harness import Running
from tests.registry.market import Trainer, nothing_is_wrong, problem, reported, shelf, trainer
from tests.registry.usage.test_corrections import correction, send
from tests.registry.usage.test_owing import stored

pytestmark = pytest.mark.anyio
TEN = preset("paid", Price(model="per-training-run", amount="10", currency="USD"))
EUROS = preset("paid", Price(model="per-work", amount="0.000001", currency="EUR"))
OUTPUTS = preset("paid", Price(model="per-output", amount="1", currency="USD"))


async def made(site: Running, lantern: Trainer, amount: str, scopes: tuple[str, ...] = ("license", "usage")) -> Any:
    asked = {"scopes": list(scopes), "spend_limit": {"amount": amount, "currency": "USD"}}
    answer = await site.post("/v1/tokens", asked, http=lantern.http)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def limited(site: Running, lantern: Trainer, amount: str) -> Trainer:
    """Return ``lantern`` with a token that may charge ``amount`` USD a month."""
    token = (await made(site, lantern, amount))["token"]
    return replace(lantern, account=replace(lantern.account, token=token, http=site.client(token)))


async def spent(lantern: Trainer) -> list[str]:
    items = (await lantern.http.get("/v1/tokens?sort=created")).json()["items"]
    return [each["spent"] for each in items if each["spend_limit"] is not None]


async def test_licences_and_runs_count_up_to_the_limit_and_what_is_over_it_is_refused_whole(site: Running):
    works, more, lantern = await shelf(site, TEN, 2), await shelf(site, TEN, 1), await trainer(site)
    robot = await limited(site, lantern, "45.5")
    licence = await robot.license(works.wanted())  # 20
    reported(await robot.send(robot.batch(robot.events(licence, "2"), licence.lines)))  # 40
    before = await stored(site)
    over = robot.batch(robot.events(licence, "3"), licence.lines)
    for refused in (await robot.send(over), await robot.accept(await robot.quote(more.wanted()))):
        status, slug, detail = problem(refused)
        assert (status, slug) == (409, "over-spend-limit")
        assert "expected at most 45.50 USD charged in a month by this token, got 40.00 USD charged" in detail
    assert await stored(site) == before
    assert await spent(lantern) == ["40"]
    assert reported(await lantern.send(over)).new == 2  # the same bytes with a token that has no limit
    assert reported(await robot.send(over)).new == 2  # known by now: nothing is charged
    assert await spent(lantern) == ["40"]
    await nothing_is_wrong(site)


async def test_other_currencies_are_not_charged_at_all(site: Running):
    works, lantern = await shelf(site, EUROS, 1), await trainer(site)
    robot = await limited(site, lantern, "45")
    refused = await robot.accept(await robot.quote(works.wanted(), "1EUR"))
    assert problem(refused)[1] == "over-spend-limit"
    assert "expected at most 0.00 EUR" in problem(refused)[2]


async def test_two_at_once_do_not_spend_the_same_money(site: Running):
    lantern = await trainer(site)
    robot = await limited(site, lantern, "10")
    quotes = [await robot.quote((await shelf(site, TEN, 1)).wanted()) for _ in range(3)]
    answers = await asyncio.gather(*(robot.accept(quote) for quote in quotes))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert await spent(lantern) == ["10"]


async def test_a_correction_that_lowers_a_debt_gives_back_what_was_spent(site: Running):
    works, lantern = await shelf(site, OUTPUTS, 1), await trainer(site)
    robot = await limited(site, lantern, "100")
    licence = await robot.license(works.wanted())
    (event,) = robot.events(licence, "1", outputs=90)
    reported(await send(robot, licence, event))
    assert problem(await send(robot, licence, correction(event, 101)))[1] == "over-spend-limit"
    reported(await send(robot, licence, correction(event, 30)))
    assert await spent(lantern) == ["30"]


async def test_a_new_month_begins_at_nothing_and_an_earlier_one_does_not_come_back(site: Running):
    lantern = await trainer(site)
    token = (await made(site, lantern, "10"))["id"]
    number = identifiers.to_uuid(token, "tok")
    now = times.now().replace(day=15)
    for at, amount in ((now, 10), (now + timedelta(days=31), 4), (now, 6)):
        async with site.services.database.transaction() as conn:
            await spending.spend(conn, number, {"USD": amount * 1_000_000}, at)
    async with site.services.database.transaction() as conn:
        with pytest.raises(spending.OverSpendLimit):
            await spending.spend(conn, number, {"USD": 1}, now + timedelta(days=31))
    items = (await lantern.http.get("/v1/tokens")).json()["items"]
    assert [each["spent"] for each in items if each["id"] == token] == ["0"]  # of the present month


async def test_a_token_with_a_limit_makes_none_that_charges(site: Running):
    lantern = await trainer(site)
    narrow = site.client((await made(site, lantern, "1", ("account", "license", "query")))["token"])
    for asked in ({"scopes": ["license"]}, {"scopes": ["license"], "spend_limit": {"amount": "1", "currency": "USD"}}):
        refused = await site.post("/v1/tokens", asked, http=narrow)
        assert problem(refused)[:2] == (403, "not-allowed")
        assert "a token without a spend limit" in problem(refused)[2]
    assert (await site.post("/v1/tokens", {"scopes": ["query"]}, http=narrow)).status_code == 201


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        ({"amount": "-1", "currency": "USD"}, "/spend_limit/amount"),
        ({"amount": "1.0000001", "currency": "USD"}, "/spend_limit/amount"),
        ({"amount": "1", "currency": "usd"}, "/spend_limit/currency"),
        ({"amount": "1", "currency": "USD", "per": "year"}, "/spend_limit/per"),
        ({"amount": 1, "currency": "USD"}, "/spend_limit/amount"),
    ],
)
async def test_a_limit_that_is_none_is_refused_by_field(site: Running, limit: dict[str, Any], field: str):
    lantern = await trainer(site)
    refused = await site.post("/v1/tokens", {"scopes": ["license"], "spend_limit": limit}, http=lantern.http)
    assert refused.status_code == 400
    assert [each["pointer"] for each in refused.json()["errors"]] == [field]
