"""Time: one spelling, to the millisecond, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import times
from licet.errors import InputError

_MOMENTS = st.integers(-30_000_000_000_000, 253_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@given(_MOMENTS)
def test_text_keeps_the_millisecond_and_sorts_as_time_does(moment):
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert times.from_text(times.to_text(moment)) == cut
    later = cut + timedelta(milliseconds=1)
    assert times.to_text(cut) < times.to_text(later)


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fullmatch=True))
def test_only_the_one_spelling_parses(text):
    try:
        moment = times.from_text(text)
    except InputError:
        return
    assert times.to_text(moment) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T21:40:00Z",
        "2026-11-22T21:40:00.000+00:00",
        "2026-11-22t21:40:00.000z",
        "2026-11-22 21:40:00.000Z",
        "2026-02-30T21:40:00.000Z",
        "2026-11-22T24:00:00.000Z",
        "2026-11-22T21:40:60.000Z",
        "2026-11-22T21:40:00.000Z\n",
        "٢٠٢٦-11-22T21:40:00.000Z",
        "",
        None,
    ],
)
def test_other_spellings_name_their_field(text):
    with pytest.raises(InputError, match="issued_at: expected RFC 3339 in UTC"):
        times.from_text(text, "issued_at")


def test_other_zones_are_turned_into_utc_and_naive_times_refused():
    moment = datetime(2026, 11, 23, 5, 40, tzinfo=timezone(timedelta(hours=8)))
    assert times.to_text(moment) == "2026-11-22T21:40:00.000Z"
    with pytest.raises(InputError, match="an aware datetime"):
        times.to_text(datetime(2026, 11, 22))  # noqa: DTZ001


def test_now_survives_a_round_trip():
    moment = times.now()
    assert times.from_text(times.to_text(moment)) == moment
