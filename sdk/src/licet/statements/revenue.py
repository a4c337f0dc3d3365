"""Reports of revenue: what one has to say of an agreement, drafted and held to its lines alike by everybody."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import UNSET

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.agreed import REPORTED
from licet.statements.closes import Term, month_after, month_number
from licet.statements.kinds import Budget, LicenceLine, RegistryRef, RevenueReport, Weigh, Weight
from licet.statements.kinds.agreements import wrong_amounts, wrong_weights


class Needed(NamedTuple):
    """What a report has to say: in which currencies revenue (``any_revenue``: also in others) and sums of pools."""

    revenue: frozenset[str]
    pool: frozenset[str]
    any_revenue: bool
    works: frozenset[str]  # that share in something


def needed(lines: Iterable[LicenceLine]) -> Needed:
    """Return what has to be reported for ``lines``; no works where nothing follows from reports."""
    revenue, works = set(), set()
    pools: dict[tuple[str, str | None], bool] = defaultdict(bool)  # whether a share of the revenue is what is divided
    any_revenue = False
    for line in lines:
        if line.model not in REPORTED or line.agreed is UNSET:
            continue
        works.add(line.work)
        if line.model == "pool":
            pools[line.currency or "", line.agreed.period] |= line.agreed.share_bps is not None
        elif line.currency is None:
            any_revenue = True
        else:
            revenue.add(line.currency)
    revenue |= {currency for (currency, _), shared in pools.items() if shared}
    agreed = {currency for (currency, _), shared in pools.items() if not shared}
    return Needed(frozenset(revenue), frozenset(agreed), any_revenue, frozenset(works))


def wrong_report(report: RevenueReport, wanted: Needed, weigh: Weigh) -> str | None:
    """Return what ``report`` does not say, or says without need, in words that begin with the field; None if nothing.

    Every amount that something follows from is said, 0 where nothing was made: what is left out was not reported.
    """
    if not wanted.works:
        return f"licence: expected an agreement that divides revenue or a pool, got {report.licence}"
    said = {each.currency for each in report.revenue}
    if (wanted.any_revenue and not (said and said >= wanted.revenue)) or (
        not wanted.any_revenue and said != wanted.revenue
    ):
        return f"revenue: expected {_currencies(wanted.revenue, wanted.any_revenue)}, got {_got(said)}"
    pools = {each.currency for each in report.pool}
    if pools != wanted.pool:
        return f"pool: expected {_currencies(wanted.pool)}, got {_got(pools)}"
    if report.weights and weigh != "report":
        return f"weights: expected none, because works weigh by {weigh} in this agreement"
    for place, each in enumerate(report.weights):
        if each.work not in wanted.works:
            return f"weights[{place}].work: expected a work that shares in what is divided, got {each.work}"
    return None


def wrong_period(period: str, term: Term) -> str | None:
    """Return why nothing can be reported of ``period``, whatever the time is: the licence did not run in it."""
    if month_number(term.since, period) < 0:
        return f"period: expected {term.since:%Y-%m} or later, the month of the grant, got {period}"
    if term.ends is not None and month_after(term.since, month_number(term.since, period)) >= term.ends:
        return f"period: expected a month before {times.to_text(term.ends)}, when the licence ended, got {period}"
    return None


def draft_report(
    *,
    registry: RegistryRef,
    organisation: str,
    genesis: str,
    licence: str,
    period: str,
    revenue: Mapping[str, int],
    pool: Mapping[str, int],
    weights: Mapping[str, int],
    supersedes: str | None = None,
) -> RevenueReport:
    """Return the report of ``period``; amounts are micro-units by currency. Raises ``InputError`` naming the field."""
    amounts = [[Budget(currency, amount) for currency, amount in sorted(each.items())] for each in (revenue, pool)]
    weighed = [Weight(work, weight) for work, weight in sorted(weights.items())]
    wrong = wrong_amounts(amounts[0], "revenue") or wrong_amounts(amounts[1], "pool") or wrong_weights(weighed)
    if wrong is not None:
        raise InputError(wrong, field=wrong.partition(":")[0])
    return RevenueReport(
        registry=registry,
        report=identifiers.new_id("rpt"),
        organisation=organisation,
        genesis=genesis,
        licence=licence,
        period=period,
        revenue=amounts[0],
        pool=amounts[1],
        weights=weighed,
        supersedes=supersedes,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def _currencies(wanted: frozenset[str], others: bool = False) -> str:
    named = " and ".join(f"an amount in {each}" for each in sorted(wanted))
    if others:
        return f"{named}, and any others" if named else "an amount in one currency at least, 0 where nothing was made"
    return f"{named}, 0 where nothing was made" if named else "nothing"


def _got(said: set[str]) -> str:
    return ", ".join(sorted(said)) or "nothing"
