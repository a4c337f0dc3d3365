"""Money: exact micro-units inside, one shortest decimal outside."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import money
from licet.errors import InputError
from licet.money import LARGEST, MICRO, Money


@given(st.integers(0, LARGEST))
def test_decimal_and_micro_are_each_others_inverse(micro):
    text = money.to_decimal(micro)
    assert money.to_micro(text) == micro
    assert "." not in text or not text.endswith(("0", "."))


@given(st.integers(1, LARGEST))
def test_negative_amounts_of_a_ledger_only_get_a_sign(micro):
    assert money.to_decimal(-micro) == f"-{money.to_decimal(micro)}"


@given(st.text(max_size=24))
def test_anything_else_is_an_input_error(text):
    try:
        micro = money.to_micro(text)
    except InputError:
        return
    assert 0 <= micro <= LARGEST


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "-1", "+1", "1e3", "01", "1,5", "0.0000001", "٥", "9007199254.740992", "NaN", 0.5, 1, None]
)
def test_one_spelling_of_amounts_and_at_most_six_decimals(text):
    with pytest.raises(InputError, match="budget: expected"):
        money.to_micro(text, "budget")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100USD", Money("USD", 100 * MICRO)),
        ("100 usd", Money("USD", 100 * MICRO)),
        (" 0.05 EUR ", Money("EUR", 50_000)),
        ("0.000001CNY", Money("CNY", 1)),
    ],
)
def test_people_write_an_amount_and_a_currency(text, expected):
    assert money.parse(text) == expected
    assert money.parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (900_000, "USD", "0.90 USD"),
        ("0.9", "USD", "0.90 USD"),
        (0, "CNY", "0.00 CNY"),
        (1, "USD", "0.000001 USD"),
        (12_345_670, "EUR", "12.34567 EUR"),
        ("1500", "JPY", "1,500 JPY"),
        ("0.5", "JPY", "0.5 JPY"),
        ("2.5", "KWD", "2.500 KWD"),
        (-1_248_500_000, "USD", "−1,248.50 USD"),
        ("-0.000001", "USD", "−0.000001 USD"),
        (LARGEST * 1000, "USD", "9,007,199,254,740.991 USD"),
    ],
)
def test_people_read_an_amount_exactly_with_at_least_the_decimals_of_its_currency(amount, currency, expected):
    assert money.written(amount, currency) == expected


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(sorted(money.CURRENCIES)))
def test_what_people_read_is_all_of_it_and_ends_no_sooner_than_what_banks_move(micro, currency):
    figure = money.figure(micro, currency)
    exact = figure.replace(",", "").replace("−", "-")
    assert Decimal(exact) * MICRO == micro
    assert len(exact.partition(".")[2]) >= len(money.to_decimal(money.smallest(currency)).partition(".")[2])
    assert money.figure(money.to_decimal(micro), currency) == figure


@pytest.mark.parametrize("text", ["", "1e5", "1_000", "+1", ".5", "5.", "0.0000001", "1,000", "9" * 5000])
def test_a_text_that_is_no_amount_is_not_written_as_one(text):
    with pytest.raises(InputError, match="amount: expected"):
        money.written(text, "USD")


@pytest.mark.parametrize("text", ["100", "USD", "100 US", "100 XXX", "100 BTC", "1 0 USD", "-1 USD", "1.USD", "", None])
def test_money_without_a_currency_or_amount_is_refused(text):
    with pytest.raises(InputError, match="amount: expected"):
        money.parse(text)


@given(st.integers(0, LARGEST), st.lists(st.integers(0, 10_000), min_size=1, max_size=12))
def test_shares_sum_exactly_and_are_within_one_unit_of_fair(total, weights):
    parts = money.share(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_the_largest_remainder_gets_the_odd_unit_and_ties_go_to_the_first():
    assert money.share(10, [1, 1, 1]) == [4, 3, 3]
    assert money.share(5, [7000, 3000]) == [4, 1]
    assert money.share(7, [0, 0]) == [7, 0]
    with pytest.raises(InputError):
        money.share(1, [])
    with pytest.raises(InputError):
        money.share(-1, [1])
    with pytest.raises(InputError):
        money.share(1, [-1, 2])
