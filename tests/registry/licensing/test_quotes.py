"""Quotes: every wanted work is a line or is left out with its reason; budgets are kept exactly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.statements.kinds import Budget
from licet.statements.licences import quote_digest
from licet.terms import Price, Terms, preset
from licet.wire.licensing import WorkWanted
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running
from tests.registry.market import TRAIN, balance, granted, nothing_is_wrong, problem, shelf, trainer

pytestmark = pytest.mark.anyio


def priced(model: Any, amount: str | None = None, currency: str | None = None) -> Terms:
    return preset("paid", Price(model=model, amount=amount, currency=currency))


def changed(terms: Terms, **rules: object) -> Terms:
    written = {atom: rule.to_json() for atom, rule in terms.rules.items()}
    return Terms.parse({**written, **{atom.replace("_", "-"): rule for atom, rule in rules.items()}})


async def test_every_wanted_work_is_a_line_or_is_left_out_with_its_reason(site: Running):
    paid = await shelf(site, PAID, 1)
    denied = await shelf(site, NO_AI, 1)
    open_to_all = changed(NO_AI, train_gen="allow")
    allowed = await shelf(site, open_to_all, 1)
    unbacked = await shelf(site, open_to_all, 1, level=0)
    asked = await shelf(site, priced("negotiate"), 1)
    pooled = await shelf(site, priced("pool", currency="USD"), 1)
    abroad = await shelf(site, changed(PAID, train_gen={"permission": "license", "territory": {"allow": ["JP"]}}), 1)
    credited = changed(NO_AI, train_gen={"permission": "license", "attribution": {"text": "Ada"}})
    free = await shelf(site, credited, 1)
    stale = WorkWanted(paid.works[0], identifiers.new_id("stm"), "exact")
    unknown = WorkWanted(identifiers.new_id("wrk"), paid.statement, "exact")
    shelves = [paid, denied, allowed, unbacked, asked, pooled, abroad, free]
    lantern = await trainer(site)
    quote = await lantern.quote([each for one in shelves for each in one.wanted()] + [unknown])
    assert {line.work for line in quote.lines} == {paid.works[0], free.works[0]}
    assert {each.work: each.reason for each in quote.left_out} == {
        denied.works[0]: "deny",
        allowed.works[0]: "allow",
        unbacked.works[0]: "unknown",
        asked.works[0]: "needs-agreement",
        pooled.works[0]: "needs-agreement",
        abroad.works[0]: "review",
        unknown.work: "unknown",
    }
    assert quote.digest == quote_digest(quote)
    assert [each.reason for each in (await lantern.quote([stale])).left_out] == ["changed"]
    answer = granted(await lantern.accept(quote))
    assert [each.currency for each in answer.posted] == ["USD"]
    await nothing_is_wrong(site)


async def test_a_near_match_earns_only_with_a_good_fingerprint_and_a_withdrawn_work_never(site: Running):
    works = await shelf(site, PAID, 2)
    lantern = await trainer(site)
    assert len((await lantern.quote(works.wanted("near"))).lines) == 2
    await works.owner.withdraw(works.works[:1])
    quote = await lantern.quote(works.wanted())
    assert [line.work for line in quote.lines] == works.works[1:]
    assert quote.left_out[0].reason in {"changed", "deny"}


async def test_a_currency_without_a_budget_needs_an_agreement_and_none_at_all_is_a_dry_run(site: Running):
    dollars, euros = await shelf(site, PAID, 2), await shelf(site, priced("per-work", "3", "EUR"), 1)
    lantern = await trainer(site)
    wanted = [*dollars.wanted(), *euros.wanted()]
    quote = await lantern.quote(wanted, "1USD")
    assert [(each.currency, each.amount) for each in quote.totals] == [("USD", 100_000)]
    assert {each.work: each.reason for each in quote.left_out} == {euros.works[0]: "needs-agreement"}
    assert not quote.over_budget
    both = await lantern.quote(wanted, "1USD 5EUR")
    assert [(each.currency, each.amount) for each in both.totals] == [("EUR", 3_000_000), ("USD", 100_000)]
    dry = await lantern.quote(wanted, None)
    assert dry.totals == both.totals
    assert dry.over_budget
    assert problem(await lantern.accept(dry))[:2] == (409, "over-budget")
    assert await balance(lantern.http) == {}


async def test_over_budget_takes_nothing_unless_asked_to_fit_and_then_the_cheapest_first(site: Running):
    cheap = await shelf(site, priced("per-work", "0.1", "USD"), 3)
    dear = await shelf(site, priced("per-work", "0.25", "USD"), 2)
    lantern = await trainer(site)
    wanted = [*dear.wanted(), *cheap.wanted()]
    over = await lantern.quote(wanted, "0.6USD")
    assert over.over_budget
    assert problem(await lantern.accept(over))[:2] == (409, "over-budget")
    fitted = await lantern.quote(wanted, "0.6USD", fit_budget=True)
    assert not fitted.over_budget
    assert [line.work for line in fitted.lines] == sorted([*cheap.works, min(dear.works)])
    assert [(each.work, each.reason) for each in fitted.left_out] == [(max(dear.works), "over-budget")]
    assert fitted.totals[0].amount == 550_000
    exactly = await lantern.quote(wanted, "0.2USD", fit_budget=True)
    assert [line.work for line in exactly.lines] == sorted(cheap.works)[:2]
    granted(await lantern.accept(fitted))
    assert await balance(lantern.http) == {("receivable", "USD"): "0.55"}


async def test_what_is_owed_per_output_is_in_the_licence_and_costs_nothing_yet(site: Running):
    works = await shelf(site, priced("per-output", "0.01", "USD"), 2)
    lantern = await trainer(site)
    quote = await lantern.quote(works.wanted(), "0USD")
    assert [(each.amount, each.works) for each in quote.totals] == [(0, 2)]
    licence = granted(await lantern.accept(quote))
    assert licence.posted == []
    assert await balance(lantern.http) == {}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"use": msgspec.structs.replace(TRAIN, atoms=["training"])}, "/uses"),
        ({"use": msgspec.structs.replace(TRAIN, model="lantern")}, "/model"),
        ({"use": msgspec.structs.replace(TRAIN, territory=["XX"])}, "/territory"),
        ({"run": " 1"}, "/run"),
        ({"run": ""}, "/run"),
        ({"dataset": "wrk_00000000000000000000000000"}, "/dataset"),
        ({"amounts": [Budget("XXX", 1)]}, "/budget/0/currency"),
        ({"amounts": [Budget("USD", -1)]}, "/budget/0"),
        ({"amounts": [Budget("USD", 1), Budget("USD", 2)]}, "/budget/1"),
        ({"works": []}, "/works"),
    ],
)
async def test_a_wrong_request_is_refused_by_field(site: Running, fields, named):
    lantern = await trainer(site)
    wanted = [WorkWanted(identifiers.new_id("wrk"), identifiers.new_id("stm"), "exact")]
    answer = await lantern.ask(**{"works": wanted, **fields})
    assert answer.status_code == 400, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [named]


async def test_a_work_named_twice_is_refused(site: Running):
    lantern = await trainer(site)
    wanted = WorkWanted(identifiers.new_id("wrk"), identifiers.new_id("stm"), "exact")
    assert problem(await lantern.ask([wanted, wanted]))[0] == 400


async def test_a_quote_ends_after_its_time(site: Running):
    works = await shelf(site, PAID, 1)
    lantern = await trainer(site)
    quote = await lantern.quote(works.wanted())
    async with site.services.database.acquire() as conn:
        stored = msgspec.structs.replace(quote, expires_at=quote.issued_at)
        await conn.execute(
            "update quotes set body = $2 where id = $1",
            identifiers.to_uuid(quote.quote),
            msgspec.json.encode(stored),
        )
    assert problem(await lantern.accept(quote))[:2] == (409, "expired")
    assert problem(await lantern.accept(msgspec.structs.replace(quote, quote=identifiers.new_id("quo"))))[0] == 404
