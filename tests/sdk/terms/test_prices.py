"""Prices: every model has exactly the figures that it needs; the dearer of two satisfies both."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from licet.errors import InputError
from licet.terms import NEEDS_AGREEMENT, PRICE_MODELS, UNITS, UNPAID, Price
from licet.terms.prices import FREE, at_least, dearer
from tests.sdk.terms.strategies import prices

PRICES = prices().map(lambda drawn: Price(**drawn))
FIGURES: dict[str, Any] = {
    "amount": "1",
    "currency": "USD",
    "share_bps": 500,
    "minimum": "1",
    "cap": "2",
    "period": "P1M",
}
ALLOWED: dict[str, set[str]] = {
    "free": set(),
    "attribution": set(),
    "negotiate": set(),
    "per-work": {"amount", "currency"},
    "per-training-run": {"amount", "currency"},
    "per-output": {"amount", "currency", "minimum", "cap", "period"},
    "subscription": {"amount", "currency", "period"},
    "pool": {"currency", "share_bps", "minimum", "cap", "period"},
    "revenue-share": {"share_bps", "currency", "minimum", "cap", "period"},
}


def test_every_model_of_the_vocabulary_is_known():
    assert set(ALLOWED) == set(PRICE_MODELS)
    assert UNPAID | NEEDS_AGREEMENT | {"per-work", "per-training-run", "per-output"} == set(PRICE_MODELS)
    assert set(UNITS) | NEEDS_AGREEMENT == set(PRICE_MODELS)


@pytest.mark.parametrize("model", PRICE_MODELS)
def test_a_model_takes_its_own_figures_and_no_others(model):
    own = {name: FIGURES[name] for name in ALLOWED[model]}
    assert Price(model=model, **own).to_json() == {"model": model, **own}
    for name in FIGURES.keys() - own.keys():
        with pytest.raises(InputError, match=f"^{name}: expected nothing, because the price model is {model}"):
            Price(model=model, **own, **{name: FIGURES[name]})


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        ("per-work", "amount"),
        ("per-work", "currency"),
        ("per-training-run", "amount"),
        ("per-output", "currency"),
        ("subscription", "period"),
        ("pool", "currency"),
        ("revenue-share", "share_bps"),
    ],
)
def test_a_needed_figure_that_is_missing_is_named(model, missing):
    figures = {name: FIGURES[name] for name in ALLOWED[model] - {missing, "minimum", "cap"}}
    with pytest.raises(InputError, match=f"^{missing}: expected a value, because the price model is {model}"):
        Price(model=model, **figures)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        (
            {"model": "revenue-share", "share_bps": 100, "minimum": "1"},
            "currency: expected a value, because there is a",
        ),
        ({"model": "pool", "currency": "USD", "minimum": "2", "cap": "1"}, "cap: expected at least the minimum"),
        ({"model": "revenue-share", "share_bps": 0}, "share_bps: expected at"),
        ({"model": "revenue-share", "share_bps": 10_001}, "share_bps: expected at"),
        ({"model": "revenue-share", "share_bps": True}, "share_bps: expected a whole number"),
        ({"model": "free", "unit": "run"}, "unit: expected work"),
        ({"model": "negotiate", "unit": "work"}, "unit: expected nothing"),
    ],
)
def test_figures_must_fit_together(figures, message):
    with pytest.raises(InputError, match=message):
        Price(**figures)


def test_micro_units_and_what_they_pay_for():
    price = Price(model="per-training-run", amount="0.05", currency="USD")
    assert (price.micro, price.per) == (50_000, "run")
    assert (FREE.micro, FREE.per) == (0, "work")
    assert Price(model="negotiate").per == "agreement"


@given(PRICES, PRICES, PRICES)
def test_dearer_is_a_least_upper_bound(a, b, c):
    assert dearer(a, a) == a
    assert dearer(a, b) == dearer(b, a)
    assert dearer(dearer(a, b), c) == dearer(a, dearer(b, c))
    top = dearer(a, b)
    for price in (a, b):
        comparable = top.model == price.model and (top.currency, top.period) == (price.currency, price.period)
        assert not comparable or at_least(top, price)
        assert comparable or price.model == "free" or top.model == "negotiate"
        assert top.needs_agreement or not price.needs_agreement


@given(PRICES, PRICES)
def test_at_least_is_a_partial_order(a, b):
    assert at_least(a, a)
    assert not (at_least(a, b) and at_least(b, a)) or a == b


def test_a_price_that_needs_an_answer_never_becomes_one_that_anybody_accepts():
    bare, capped = (Price(model="per-output", amount="1", currency="USD", cap=cap) for cap in (None, "100"))
    assert capped.needs_agreement
    assert not bare.needs_agreement
    assert not at_least(bare, capped)
    assert dearer(bare, capped) == dearer(capped, bare) == Price(model="negotiate")


def test_no_figure_may_get_lower_and_no_cap_appear():
    def pool(**figures: str) -> Price:
        return Price(model="pool", currency="USD", **figures)  # type: ignore[arg-type]

    assert at_least(pool(minimum="2"), pool(minimum="1"))
    assert not at_least(pool(minimum="1"), pool(minimum="2"))
    assert at_least(pool(minimum="1"), pool())
    assert not at_least(pool(), pool(minimum="1"))
    assert at_least(pool(), pool(cap="5"))
    assert not at_least(pool(cap="5"), pool())
    assert not at_least(pool(cap="5"), pool(cap="6"))
    assert not at_least(pool(period="P1M"), pool())


def test_prices_of_different_kinds_have_to_be_negotiated():
    work = Price(model="per-work", amount="1", currency="USD")
    assert dearer(work, Price(model="per-work", amount="1", currency="EUR")).model == "negotiate"
    assert dearer(work, Price(model="per-training-run", amount="1", currency="USD")).model == "negotiate"
    assert dearer(work, FREE) == work
    assert dearer(work, Price(model="attribution")) == work
    assert dearer(FREE, Price(model="attribution")).model == "attribution"
