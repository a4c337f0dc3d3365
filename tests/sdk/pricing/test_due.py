"""Whatever the terms and figures: parts add up, order does not matter, and better terms never pay less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from licet import money
from licet.errors import InputError
from licet.pricing import Due, Item, Owed, Quantities, Window, due, written
from licet.terms import Price, durations
from licet.terms.prices import at_least
from tests.sdk.terms.strategies import prices

SINCE = datetime(2026, 1, 31, tzinfo=UTC)
MOMENTS = st.integers(0, 900).map(lambda days: SINCE + timedelta(days=days))
AMOUNTS = st.dictionaries(st.sampled_from(("USD", "EUR")), st.integers(0, 10**12))


def window_of(price: Price) -> Window:
    """One period of the price, or a month."""
    length = durations.parse(price.period or "P1M")
    return Window(length.after(SINCE, 1), length.after(SINCE, 2), SINCE)


@st.composite
def quantities(draw: st.DrawFn) -> Quantities:
    return Quantities(draw(st.integers(0, 50)), draw(st.integers(0, 10**6)), draw(AMOUNTS), draw(AMOUNTS))


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    found = draw(st.lists(prices(), min_size=1, max_size=6))
    return [
        Item(f"w{place}", draw(st.sampled_from("xyz")), Price.model_validate(price), draw(st.integers(1, 1000)))
        for place, price in enumerate(found)
    ]


def sums(found: Due) -> dict[str, int]:
    totals: dict[str, int] = {}
    for line in found.lines:
        if line.currency is not None:
            totals[line.currency] = totals.get(line.currency, 0) + line.amount
    return totals


@given(items(), quantities(), st.randoms())
def test_lines_add_up_exactly_end_in_their_last_step_and_do_not_depend_on_order(priced, reported, chance):
    window = window_of(Price(model="free"))
    found = due(priced, reported, window)
    assert sums(found) == found.totals
    assert {line.work for line in found.lines} == {item.work for item in priced}
    for line in found.lines:
        assert line.amount == line.steps[-1].result >= 0
        for lang in ("en", "zh-Hans"):
            assert all(written(line.steps, line.currency, lang))
    mixed = list(priced)
    chance.shuffle(mixed)
    assert due(mixed, reported, window) == found


@given(items(), quantities())
def test_what_is_divided_is_divided_without_rest(priced, reported):
    sources = {item.work: item for item in priced}
    divided: dict[tuple[Any, ...], list[Owed]] = {}
    for line in due(priced, reported, window_of(Price(model="free"))).lines:
        price = sources[line.work].price
        if line.steps[-1].what == "part":
            shared = ("pool",) if price.model == "pool" else (line.payee, price.model_dump_json())
            divided.setdefault((*shared, line.currency), []).append(line)
    for parts in divided.values():
        (before,) = {line.steps[:-1] for line in parts}
        assert sum(line.amount for line in parts) == before[-1].result
        assert {line.steps[-1].of for line in parts} == {sum(sources[line.work].weight for line in parts)}


@st.composite
def raised(draw: st.DrawFn) -> tuple[Price, Price]:
    """A price, and one that is the same or higher in some figures."""
    low = draw(prices())
    high = dict(low)
    for name, values in (("amount", ("100", "500")), ("minimum", ("1", "70")), ("share_bps", (500, 9000))):
        if name in high and draw(st.booleans()):
            high[name] = draw(st.sampled_from(values))
    if "cap" in high and draw(st.booleans()):
        high["cap"] = "5000"
    old, new = Price.model_validate(low), Price.model_validate(high)
    assume(at_least(new, old))
    return old, new


@given(raised(), quantities())
def test_rule_10_a_price_that_is_no_lower_never_owes_less(pair, reported):
    old, new = pair
    window = window_of(new)
    worse, better = (due([Item("w", "x", price)], reported, window).totals for price in (old, new))
    assert all(better.get(currency, 0) >= amount for currency, amount in worse.items())


@given(prices(), quantities(), st.lists(MOMENTS, min_size=2, max_size=6, unique=True))
def test_what_begins_is_counted_once_however_time_is_cut(price, reported, cuts):
    read = Price.model_validate(price)
    assume(read.model in {"per-work", "subscription"})
    cuts.sort()
    item = Item("w", "x", read)

    def total(start: datetime, end: datetime) -> int:
        return sum(due([item], reported, Window(start, end, SINCE)).totals.values())

    pieces = [total(start, end) for start, end in pairwise(cuts)]
    assert sum(pieces) == total(cuts[0], cuts[-1])


def test_months_are_counted_in_the_calendar_from_the_day_on_which_it_began():
    month = durations.parse("P1M")
    assert [month.after(SINCE, times).day for times in range(4)] == [31, 28, 31, 30]
    assert month.count(SINCE, datetime(2026, 2, 28, tzinfo=UTC)) == 1
    assert month.count(SINCE, datetime(2026, 2, 28, 0, 0, 1, tzinfo=UTC)) == 2
    assert month.count(SINCE, SINCE) == 0
    with pytest.raises(InputError, match="before the year 10000"):
        durations.parse("P9999Y").after(SINCE)
    assert durations.parse("P9999Y").count(SINCE, datetime(9999, 1, 1, tzinfo=UTC)) == 1


def test_a_pool_keeps_the_terms_of_every_work_in_it():
    low = Price(model="pool", currency="USD", share_bps=1000)
    high = Price(model="pool", currency="USD", share_bps=2000, minimum="30")
    month = window_of(low)
    found = due([Item("a", "x", low), Item("b", "y", high)], Quantities(revenue={"USD": 100 * money.MICRO}), month)
    assert found.totals == {"USD": 30 * money.MICRO}
    assert [line.amount for line in found.lines] == [15 * money.MICRO] * 2


PER_MONTH = Price(model="per-output", amount="1", currency="USD", cap="5", period="P1M")


@pytest.mark.parametrize(
    ("priced", "reported", "window", "told"),
    [
        ([Item("a", "x", PER_MONTH)] * 2, {}, window_of(PER_MONTH), "work: expected each work once, got 'a'"),
        ([Item("a", "x", PER_MONTH, -1)], {}, window_of(PER_MONTH), "weight: expected 0 to"),
        (
            [Item("a", "x", PER_MONTH)], {}, Window(SINCE, SINCE + timedelta(days=30), SINCE),
            "window: expected one period of P1M since 2026-01-31",
        ),
        (
            [Item("a", "x", Price(model="pool", currency="USD"), 0)], {"pool": {"USD": 5}}, window_of(PER_MONTH),
            "weight: expected one work at least with a weight above 0",
        ),
        (
            [Item("a", "x", Price(model="per-output", amount="9000000000", currency="USD"))], {"outputs": 2},
            window_of(PER_MONTH), "totals: expected at most 9007199254.740991 USD, got '18000000000'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_priced_is_named(priced, reported, window, told):
    with pytest.raises(InputError) as caught:
        due(priced, Quantities(**reported), window)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"runs": -1}, "runs: expected 0 to 1000000000000, got -1"),
        ({"outputs": 10**12 + 1}, "outputs: expected 0 to"),
        ({"revenue": {"USD": -1}}, "revenue.USD: expected 0 to"),
        ({"pool": {"usd": 1}}, "pool: expected an ISO 4217 code"),
    ],
)
def test_figures_that_cannot_be_are_refused(fields, told):
    with pytest.raises(InputError) as caught:
        Quantities(**fields)
    assert told in str(caught.value)


def test_a_while_has_an_end_after_its_start_and_a_time_zone():
    with pytest.raises(InputError, match="end: expected a time after the start"):
        Window(SINCE, SINCE, SINCE)
    with pytest.raises(InputError, match="since: expected an aware datetime"):
        Window(SINCE, SINCE + timedelta(days=1), SINCE.replace(tzinfo=None))


def test_another_language_is_refused():
    with pytest.raises(InputError, match="lang: expected en or zh-Hans"):
        written((), "USD", "fr")
