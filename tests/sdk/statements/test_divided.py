"""Pools and shares of revenue are whole over all closes: whenever it is reported, whatever was said before."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from licet.errors import InputError
from licet.pricing import written
from licet.statements.closes import Divided, Report, Term, month_after, owed_at_close
from licet.statements.kinds import Budget, LicenceLine, RegistryRef, RevenueReport, Weigh, Weight
from licet.statements.revenue import Needed, draft_report, needed, wrong_period, wrong_report
from licet.terms import Price
from tests.sdk.statements.test_closes import SINCE, line

TERM = Term(SINCE, SINCE, None)
MONTHS = 8
SHARED = line(Price(model="revenue-share", share_bps=3333, currency="USD", minimum="5", cap="900"))
ANYWHERE = line(Price(model="revenue-share", share_bps=1234))
QUARTERLY = [line(Price(model="pool", currency="EUR", share_bps=bps, minimum="7", period="P3M")) for bps in (700, 900)]
POOLED = [line(Price(model="pool", currency="USD")) for _ in range(3)]
LINES = [SHARED, ANYWHERE, *QUARTERLY, *POOLED]
AMOUNTS = st.integers(0, 10**10)


@st.composite
def told(draw: st.DrawFn) -> list[Report]:
    """Reports as a registry takes them: in the order of the log, each counting at a close from its month on."""
    found, close = [], 0
    for _ in range(draw(st.integers(0, 7))):
        month = draw(st.integers(0, MONTHS - 1))
        close = draw(st.integers(close, MONTHS))
        weights = draw(st.dictionaries(st.sampled_from([each.work for each in LINES]), st.integers(0, 50)))
        revenue = {"USD": draw(AMOUNTS), "EUR": draw(AMOUNTS)}
        found.append(Report(month, max(month, close), revenue, {"USD": draw(AMOUNTS)}, weights))
    return found


USES = st.dictionaries(
    st.sampled_from([each.work for each in LINES]), st.dictionaries(st.integers(0, MONTHS), st.integers(0, 9))
)
WEIGH = st.sampled_from(["work", "use", "report"])


def totals(lines: list[LicenceLine], divided: Divided) -> Counter[tuple[str, str | None]]:
    """What all closes owe each work; the last one comes after all reports."""
    sums: Counter[tuple[str, str | None]] = Counter()
    for month in range(MONTHS + 1):
        for each in owed_at_close(lines, TERM, month, {}, divided):
            sums[each.work, each.currency] += each.amount
    return Counter({key: amount for key, amount in sums.items() if amount})


@given(told(), USES, WEIGH)
def test_rule_19_what_is_reported_late_comes_to_what_it_would_have_come_to_in_time(reports, uses, weigh: Weigh):
    last = {each.month: each for each in reports}
    in_time = [each._replace(close=month) for month, each in sorted(last.items())]
    assert totals(LINES, Divided(reports, uses, weigh)) == totals(LINES, Divided(in_time, uses, weigh))


@given(told(), USES, WEIGH, st.permutations(LINES), st.integers(0, MONTHS))
def test_the_order_of_lines_does_not_matter_and_parts_add_up(reports, uses, weigh: Weigh, mixed, month):
    divided = Divided(reports, uses, weigh)
    found = owed_at_close(LINES, TERM, month, {}, divided)
    assert owed_at_close(mixed, TERM, month, {}, divided) == found
    known = {each.month: each for each in reports if each.close <= month}
    pooled = {each.work for each in POOLED}
    now = [each for each in found if each.work in pooled and each.steps[0].what != "late"]
    assert sum(each.amount for each in now) == (known[month].pool["USD"] if month in known else 0)
    assert all(each.open == (month not in known) for each in now)


@given(told(), USES, WEIGH, st.integers(0, MONTHS))
def test_what_was_owed_at_a_close_stays_whatever_is_reported_after_it(reports, uses, weigh: Weigh, month):
    before = [each for each in reports if each.close <= month]
    assert owed_at_close(LINES, TERM, month, {}, Divided(reports, uses, weigh)) == owed_at_close(
        LINES, TERM, month, {}, Divided(before, uses, weigh)
    )


def report(month: int, close: int, micro: int, **weights: int) -> Report:
    return Report(month, close, {"USD": micro, "EUR": 0}, {"USD": 0}, weights)


def test_what_is_trued_up_says_how_in_both_languages():
    reports = [report(0, 1, 1_000_000_000), report(0, 2, 100_000_000)]
    more, less = (owed_at_close([SHARED], TERM, month, {}, Divided(reports))[-1] for month in (1, 2))
    assert more.amount == 333_300_000 - 5_000_000
    assert written(more.steps, "USD", "en") == [
        "of 2026-01, reported after its close",
        "33.33% of 1,000.00 USD net revenue = 333.30 USD",
        "333.30 USD × 1 / 1 = 333.30 USD",
        "less 5.00 USD charged before = 328.30 USD",
    ]
    assert less.amount == 33_330_000 - 333_300_000
    assert written(less.steps, "USD", "zh-Hans") == [
        "2026 年 1 月的部分，结账之后才报告",
        "净收入 100.00 USD 的 33.33% = 33.33 USD",
        "33.33 USD × 1 / 1 = 33.33 USD",
        "减去此前已计收的 333.30 USD = −299.97 USD",
    ]


def test_nobody_reports_of_a_licence_that_is_over_and_its_least_is_owed_no_more():
    term = Term(SINCE, SINCE, month_after(SINCE, 2))
    owed = [sum(each.amount for each in owed_at_close([SHARED], term, month, {})) for month in range(4)]
    assert owed == [5_000_000, 5_000_000, 0, 0]
    assert "before 2026-03-01" in (wrong_period("2026-03", term) or "")
    assert "2026-01 or later" in (wrong_period("2025-12", term) or "")
    assert wrong_period("2026-02", term) is None


def test_what_was_revoked_has_no_part_in_what_begins_after_its_notice():
    first, *others = POOLED
    term = TERM._replace(revoked={first.work: month_after(SINCE, 1), SHARED.work: SINCE + timedelta(days=40)})
    reports = [Report(month, month, {"USD": 10**6}, {"USD": 999_999}, {}) for month in (0, 1)]
    for month, sharing in ((0, POOLED), (1, others)):
        owed = owed_at_close([SHARED, *POOLED], term, month, {}, Divided(reports))
        assert {each.work for each in owed} == {SHARED.work, *(each.work for each in sharing)}
        assert sum(each.amount for each in owed) == 5_999_999
    alone = [sum(each.amount for each in owed_at_close([SHARED], term, month, {})) for month in range(4)]
    assert alone == [5_000_000, 5_000_000, 0, 0]


def test_where_nobody_weighs_anything_all_share_alike():
    lines = [line(Price(model="pool", currency="USD")) for _ in range(2)]
    weighed = Report(0, 0, {}, {"USD": 10_000_000}, {lines[0].work: 3, lines[1].work: 1})
    for weights, expected in ((weighed.weights, [7_500_000, 2_500_000]), ({}, [5_000_000, 5_000_000])):
        found = owed_at_close(lines, TERM, 0, {}, Divided([weighed._replace(weights=weights)], {}, "report"))
        assert {each.work: each.amount for each in found} == dict(
            zip((each.work for each in lines), expected, strict=True)
        )
    uses = {lines[1].work: {0: 4}}
    (only,) = [each for each in owed_at_close(lines, TERM, 0, {}, Divided([weighed], uses, "use")) if each.amount]
    assert (only.work, only.amount) == (lines[1].work, 10_000_000)


REF = RegistryRef("registry.example/log", "00" * 32)


def drafted(**changes: Any) -> RevenueReport:
    fields: dict[str, Any] = {
        "registry": REF,
        "organisation": "org_x",
        "genesis": "00",
        "licence": "lic_x",
        "period": "2026-01",
        "revenue": {"USD": 1, "EUR": 0},
        "pool": {"USD": 0},
        "weights": {},
        **changes,
    }
    return draft_report(**fields)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"revenue": {"USD": -1}}, "revenue[0].amount: expected 0 to"),
        ({"revenue": {"USD": 2**53}}, "revenue[0].amount: expected 0 to"),
        ({"pool": {"XXX": 1}}, "pool[0].currency: expected an ISO 4217 code"),
        ({"weights": {"wrk_a": 10**9 + 1}}, "weights[0].weight: expected 0 to"),
        ({"weights": {"wrk_a": 0}}, "weights: expected one work at least"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_by_its_name(changes, wrong):
    with pytest.raises(InputError, match="expected") as raised:
        drafted(**changes)
    assert wrong in raised.value.message


def test_what_is_signed_is_refused_by_its_field_as_well():
    fields = {name: getattr(drafted(), name) for name in RevenueReport.__struct_fields__}
    for changes, wrong in (
        ({"period": "2026-13"}, "period: expected a month"),
        ({"supersedes": "AB" * 32}, "supersedes: expected a SHA-256"),
        ({"revenue": [Budget("USD", 1), Budget("EUR", 1)]}, "revenue: expected each currency once, in rising order"),
        ({"weights": [Weight("b", 1), Weight("a", 1)]}, "weights: expected each work once, in rising order"),
    ):
        with pytest.raises(ValueError, match=wrong):
            RevenueReport(**{**fields, **changes})


def test_a_report_says_all_that_something_follows_from_and_nothing_else():
    wanted = needed(LINES)
    assert wanted[:3] == (frozenset({"USD", "EUR"}), frozenset({"USD"}), True)
    assert len(wanted.works) == len(LINES)
    fixed = needed([SHARED, *POOLED])
    work = POOLED[0].work
    cases: list[tuple[Needed, Weigh, dict[str, Any], str | None]] = [
        (wanted, "work", {}, None),
        (wanted, "work", {"revenue": {"USD": 1, "EUR": 2, "CNY": 3}}, None),
        (wanted, "work", {"revenue": {"USD": 1}}, "revenue: expected an amount in EUR and an amount in USD, and any"),
        (wanted, "work", {"pool": {}}, "pool: expected an amount in USD, 0 where nothing was made, got nothing"),
        (fixed, "work", {"revenue": {"EUR": 1}}, "revenue: expected an amount in USD, 0 where"),
        (fixed, "work", {"revenue": {"EUR": 1, "USD": 1}}, "got EUR, USD"),
        (needed([ANYWHERE]), "work", {"revenue": {}, "pool": {}}, "revenue: expected an amount in one currency"),
        (wanted, "use", {"weights": {work: 1}}, "weights: expected none, because works weigh by use"),
        (wanted, "report", {"weights": {work: 1}}, None),
        (wanted, "report", {"weights": {"wrk_x": 1}}, "weights[0].work: expected a work that shares"),
        (needed([line(Price(model="per-output", amount="1", currency="USD", minimum="2"))]), "work", {},
         "licence: expected an agreement that divides"),
    ]  # fmt: skip
    for asked, weigh, changes, said in cases:
        found = wrong_report(drafted(**changes), asked, weigh)
        assert (found is None) if said is None else (said in (found or "")), (changes, found)


def test_lines_without_what_was_agreed_share_in_nothing():
    import msgspec

    assert not needed([msgspec.structs.replace(SHARED, agreed=UNSET)]).works
