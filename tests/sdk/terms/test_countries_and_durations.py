"""Territories count the EU as its member states; durations compare only where months cannot matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.terms import Territory, durations
from licet.terms.countries import CODES, COUNTRIES, EU_MEMBERS, compress, expand
from licet.terms.durations import Duration


def test_the_lists_are_complete():
    assert len(COUNTRIES) == 249
    assert len(EU_MEMBERS) == 27
    assert EU_MEMBERS < COUNTRIES
    assert "EU" not in COUNTRIES
    assert not {"UK", "XK", "AN"} & CODES


@pytest.mark.parametrize(
    ("territory", "requested", "covered"),
    [
        ({"allow": ["EU"]}, ("DE",), True),
        ({"allow": ["EU"]}, ("EU",), True),
        ({"allow": ["EU"]}, ("DE", "US"), False),
        ({"allow": ["DE"]}, ("EU",), False),
        ({"allow": sorted(EU_MEMBERS)}, ("EU",), True),
        ({"deny": ["DE"]}, ("EU",), False),
        ({"deny": ["EU"]}, ("DE",), False),
        ({"deny": ["EU"]}, ("US",), True),
        ({"deny": ["DE"]}, ("FR",), True),
        ({"allow": ["EU"], "deny": ["DE"]}, ("FR", "IT"), True),
        ({"allow": ["EU"], "deny": ["DE"]}, ("DE",), False),
        ({"allow": ["EU"], "deny": ["DE"]}, ("EU",), False),
    ],
)
def test_eu_stands_for_its_members_in_both_directions(territory, requested, covered):
    assert Territory(**territory).covers(requested) is covered


@given(st.sets(st.sampled_from(sorted(CODES)), min_size=1))
def test_compress_keeps_the_countries(codes):
    assert expand(compress(expand(codes))) == expand(codes)


@given(st.integers(0, 2000), st.integers(0, 10**8))
def test_a_duration_has_one_spelling(months, seconds):
    duration = Duration(months, seconds)
    if months or seconds:
        assert durations.parse(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "canonical"), [("P12M", "P1Y"), ("P2W", "P14D"), ("PT24H", "P1D"), ("P1Y0M", "P1Y"), ("PT90M", "PT1H30M")]
)
def test_other_spellings_become_the_one(text, canonical):
    assert str(durations.parse(text)) == canonical


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1YT", "P0D", "1Y", "P1", "P1.5Y", "-P1Y", "P1Y ", "p1y", "P123456Y", 3, None]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="grant_term: expected an ISO 8601 duration"):
        durations.parse(text, "grant_term")


def test_months_and_days_do_not_compare():
    month, days = durations.parse("P1M"), durations.parse("P30D")
    assert not month <= days
    assert not days <= month
    assert month <= durations.parse("P1M1D")
