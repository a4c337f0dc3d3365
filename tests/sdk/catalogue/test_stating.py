"""Terms as they are named on a command line or in a table."""

from __future__ import annotations

import pytest

from licet.catalogue.stating import chosen_terms
from licet.errors import InputError
from licet.terms import Price


def test_paid_asks_for_no_figure_that_its_price_model_does_not_have() -> None:
    assert chosen_terms("paid", None, None, "negotiate", None).rules["train-gen"].price == Price(model="negotiate")


@pytest.mark.parametrize(
    ("price", "currency", "model", "field"),
    [
        (None, "USD", None, "--price"),
        ("1", None, "per-work", "--currency"),
        (None, None, "pool", "--currency"),
        ("1", "USD", "negotiate", "--price"),
        (None, None, "dear", "--price-model"),
        (None, None, "free", "--price-model"),
    ],
)
def test_figures_that_are_missing_or_too_many_are_named(
    price: str | None, currency: str | None, model: str | None, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        chosen_terms("paid", price, currency, model, None, option="--{}")
    assert caught.value.details["field"] == field
