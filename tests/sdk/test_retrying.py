"""When to ask again: the whole decision, for any course of a call."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, ServiceError
from licet.exchange.calls import get
from licet.exchange.retrying import (
    ATTEMPTS,
    CONNECTS,
    LONGEST_DELAY,
    LONGEST_WAIT,
    RETRIED,
    Timeouts,
    Tries,
    retry_after,
)
from licet.wire.common import Page

STATUSES = st.sampled_from([400, 401, 404, 408, 409, 422, 429, 500, 501, 502, 503, 504])
HEADERS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.integers(0, 100).map(lambda seconds: {"retry-after": str(seconds)}),
    st.text(max_size=12).map(lambda text: {"retry-after": text}),
)
# What comes of an attempt: no connection, no whole answer, or a status with headers; and how long it took.
OUTCOMES = st.tuples(
    st.one_of(st.just("unsent"), st.just("cut"), st.tuples(STATUSES, HEADERS)), st.floats(0, 30, allow_nan=False)
)


@given(
    st.lists(OUTCOMES, min_size=ATTEMPTS + 2, max_size=ATTEMPTS + 2),
    st.booleans(),
    st.none() | st.floats(0.1, 300),
    st.floats(0, 0.999),
)
def test_every_call_ends_in_time_and_repeats_only_what_it_may(
    course: list[tuple[object, float]], repeatable: bool, total: float | None, chance: float
) -> None:
    now = 0.0
    tries = Tries(Timeouts(total=total), repeatable, clock=lambda: now, chance=lambda: chance)
    for attempt, (outcome, took) in enumerate(course, 1):
        left = tries.begin()
        assert (left is None) == (total is None)
        assert total is None or (left is not None and 0 < left <= total)
        now += took if total is None else min(took, left or 0)
        if outcome == "unsent":
            wait = tries.after_fault(sent=False)
            assert attempt < CONNECTS or wait is None
        elif outcome == "cut":
            wait = tries.after_fault()
            assert repeatable or wait is None
        else:
            assert isinstance(outcome, tuple)
            status, headers = outcome
            wait = tries.after_answer(status, headers)
            assert status in RETRIED or wait is None
            assert repeatable or status == 429 or wait is None
            asked = retry_after(headers.get("retry-after"))
            assert wait is None or asked is None or asked <= wait <= LONGEST_WAIT
        assert attempt < ATTEMPTS or wait is None
        if wait is None:
            return
        assert 0.25 <= wait <= LONGEST_WAIT
        assert total is None or now + wait < total
        now += wait
    raise AssertionError("the call never ended")


@given(st.integers(-100_000, 100_000))
def test_a_date_to_come_back_at_is_the_seconds_until_then(seconds: int) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    text = email.utils.format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(text, now) == max(0, seconds)


@pytest.mark.parametrize("text", ["Sat, 28 Nov 2026 12:00:00", "Sat, 28 Nov 2026", "28.11.2026", "²", "1.5"])
def test_what_names_no_moment_is_passed_over(text: str) -> None:
    assert retry_after(text, datetime(2026, 11, 28, tzinfo=UTC)) is None


@given(st.integers(1, ATTEMPTS - 1), st.floats(0, 0.999))
def test_waits_double_within_their_bounds(attempt: int, chance: float) -> None:
    tries = Tries(Timeouts(total=None), chance=lambda: chance, attempt=attempt)
    wait = tries.after_fault()
    assert wait is not None
    most = min(LONGEST_DELAY, 0.5 * 2 ** (attempt - 1))
    assert most / 2 <= wait <= most


def test_a_cursor_that_the_service_forgot_is_the_services_fault_and_says_after_how_many() -> None:
    from licet.client.endpoints.listing import Listing

    listing = Listing(get("listWorks", "/v1/works", Page[dict]))
    refused = InputError("?cursor: expected a cursor of this list", errors=[{"pointer": "?cursor"}], request_id="req_1")
    again = r"after 200 items; ask for the list again \(request req_1\)"
    with pytest.raises(ServiceError, match=again), listing.resumable(200):
        raise refused
    with pytest.raises(InputError), listing.resumable(0):  # the very first page: what the caller gave
        raise refused
    other = InputError("?sort: expected …", errors=[{"pointer": "?sort"}])
    with pytest.raises(InputError, match="sort"), listing.resumable(200):
        raise other
