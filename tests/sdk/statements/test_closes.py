"""What an agreement owes at closes is whole: every period once, every output once, whatever order it is computed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers
from licet.errors import InputError
from licet.statements.agreed import agreeable, agreed
from licet.statements.closes import Term, month_after, owed_at_close
from licet.statements.kinds import LicenceLine
from licet.terms import Price, durations

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS = 40
PERIODS = st.sampled_from(["P1M", "P3M", "P1Y", "P10D", "P1W"])
MOMENTS = st.integers(0, 31 * 24 * 3600 * 1000 - 1).map(lambda ms: SINCE + timedelta(milliseconds=ms))
ENDS = st.none() | st.integers(1, 1000).map(lambda days: SINCE + timedelta(days=31 + days))


def line(price: Price, currency: str = "USD") -> LicenceLine:
    return LicenceLine(
        work=identifiers.new_id("wrk"),
        account=identifiers.new_id("art"),
        statement=identifiers.new_id("stm"),
        terms_hash="00" * 32,
        atom="train-gen",
        model=price.model,
        currency=price.currency,
        amount=price.micro,
        match="exact",
        escrow=False,
        agreed=agreed(price),
    )


def per_output(**bounds: Any) -> LicenceLine:
    return line(Price(model="per-output", amount="0.01", currency="USD", **bounds))


def charged(lines: list[LicenceLine], term: Term, outputs: dict[str, dict[int, int]] | None = None) -> list[int]:
    """What all months' closes charge, month by month."""
    return [sum(each.amount for each in owed_at_close(lines, term, month, outputs or {})) for month in range(MONTHS)]


@given(PERIODS, MOMENTS, ENDS, ENDS)
def test_a_subscription_is_owed_once_for_each_period_that_begins_before_its_licence_or_notice_ends(
    period, moment, ends, over
):
    one = line(Price(model="subscription", amount="10", currency="USD", period=period))
    begun = durations.parse(period).count(moment, min(filter(None, (ends, over, month_after(SINCE, MONTHS)))))
    term = Term(SINCE, moment, ends, {} if over is None else {one.work: over})
    assert sum(charged([one], term)) == begun * 10_000_000


@given(
    st.sampled_from([None, "P1M", "P2M", "P3M"]),
    st.dictionaries(st.integers(0, 29), st.integers(-500, 1000), max_size=12),
)
def test_every_output_is_charged_once_and_what_is_taken_back_is_taken_from_what_follows(period, posted):
    one = per_output(period=period, cap="1000000000")
    total = sum(charged([one], Term(SINCE, SINCE, None), {one.work: posted})) // 10_000
    assert total >= max(sum(posted.values()), 0)
    if all(count >= 0 for count in posted.values()):
        assert total == sum(posted.values())
    later = {**posted, MONTHS - 5: 100_000}  # more than was ever taken back
    whole = sum(charged([one], Term(SINCE, SINCE, None), {one.work: later})) // 10_000
    assert whole == sum(later.values())


@given(st.lists(st.integers(0, 10_000), min_size=12, max_size=12))
def test_each_window_is_within_the_least_and_the_most_until_the_licence_ends(counts):
    one = per_output(period="P3M", minimum="5", cap="20")
    term = Term(SINCE, SINCE, month_after(SINCE, 6))
    found = charged([one], term, {one.work: dict(enumerate(counts))})
    for month, amount in enumerate(found[:12]):
        used = sum(counts[month - 2 : month + 1]) * 10_000
        if month % 3 != 2:
            assert amount == 0
        elif month < 6:
            assert amount == min(max(used, 5_000_000), 20_000_000)
        else:  # what is late is owed for, and no least
            assert amount == min(used, 20_000_000)
    assert found[12:] == [0] * (MONTHS - 12)


@given(st.permutations(range(4)), st.integers(0, 11))
def test_the_order_of_lines_does_not_matter(order, month):
    lines = [
        line(Price(model="subscription", amount="3", currency="EUR", period="P1M")),
        line(Price(model="revenue-share", share_bps=3000, currency="USD", minimum="7")),
        per_output(minimum="1"),
        line(Price(model="pool", currency="USD", share_bps=100, minimum="11", period="P3M")),
    ]
    term, outputs = Term(SINCE, SINCE, None), {lines[2].work: {month: 1234}}
    expected = owed_at_close(lines, term, month, outputs)
    assert owed_at_close([lines[place] for place in order], term, month, outputs) == expected
    assert sum(each.amount for each in expected) == 3_000_000 + 7_000_000 + 12_340_000 + 11_000_000 * (month % 3 == 2)


def test_what_is_priced_use_by_use_is_left_out():
    assert (
        owed_at_close([line(Price(model="per-work", amount="2", currency="USD"))], Term(SINCE, SINCE, None), 0, {})
        == []
    )


def test_outputs_beyond_what_money_can_hold_are_refused():
    one = per_output(minimum="1")
    with pytest.raises(InputError, match="outputs: expected 0 to"):
        owed_at_close([one], Term(SINCE, SINCE, None), 0, {one.work: {0: 10**13}})


def test_subscriptions_and_outputs_within_bounds_need_no_answer_where_months_can_close():
    assert agreeable(Price(model="subscription", amount="1", currency="USD", period="P10D"))
    assert agreeable(Price(model="per-output", amount="1", currency="USD", cap="5"))
    assert not agreeable(Price(model="per-output", amount="1", currency="USD", cap="5", period="P10D"))
    assert not agreeable(Price(model="per-output", amount="1", currency="USD"))
    assert not agreeable(Price(model="negotiate"))
