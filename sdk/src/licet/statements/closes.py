"""What an agreement owes at the close of a month: one arithmetic for whoever posts it and whoever recomputes it.

A subscription is owed in the month in which one of its periods begins, counted from the moment of the grant (the time
of its log entry) until the licence ends. What has a least, a most or a period is owed for a window of whole months,
counted from the first of the month of the grant, in the month with which the window ends. What was reported since the
licence ended is owed for without a least. For a work that was revoked the licence ends when the notice does: what
begins from then on is not owed for it, and what is divided is divided among the others.

Outputs count in the month in which they were posted. Corrections may take back more than a window has: the rest is
taken from the windows that follow.

Pools and shares of revenue follow from reports. A report counts at the first close that comes after it in the log, and
not before that of its own month; of several of one month the last counts. What comes after the close of its window is
trued up: the close at which it counts owes what the window comes to now, less what it came to before, which may be less
than nothing. So all closes together owe what one would that had known everything (semantics 19).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from licet.pricing import Item, Owed, Quantities, Step, Window, due, together
from licet.statements.agreed import REPORTED, line_price, months_of
from licet.statements.kinds import LicenceLine, Weigh
from licet.statements.owed import allocated
from licet.terms import Price

Outputs = Mapping[str, Mapping[int, int]]
"""Work → month, counted from the first of the agreement → outputs (or uses) posted in it, less those taken back."""
_NONE: Final[Outputs] = {}
_NONE_REVOKED: Final[Mapping[str, datetime]] = {}


class Term(NamedTuple):
    """How long an agreement runs: months are counted from ``since``, subscriptions from ``granted``, until ``ends``.

    ``revoked``: work → when the notice is over with which it was taken back.
    """

    since: datetime
    granted: datetime
    ends: datetime | None
    revoked: Mapping[str, datetime] = _NONE_REVOKED

    def of(self, work: str) -> Term:
        """Return how long the agreement runs for ``work``."""
        over = self.revoked.get(work)
        if over is None:
            return self
        return self._replace(ends=over if self.ends is None else min(over, self.ends))

    def of_last(self, works: Iterable[str]) -> Term:
        """Return how long it runs for whichever of ``works`` it runs longest for."""
        ends = [self.of(work).ends for work in works] if self.revoked else []
        known = [end for end in ends if end is not None]
        return self._replace(ends=max(known)) if known and len(known) == len(ends) else self


class Report(NamedTuple):
    """What was reported of ``month`` (micro-units by currency, weights by work), and the ``close`` at which it counts
    first; both are months counted from the first of the agreement."""

    month: int
    close: int
    revenue: Mapping[str, int]
    pool: Mapping[str, int]
    weights: Mapping[str, int]


class Divided(NamedTuple):
    """What pools and shares follow from: ``reports`` in the order of the log, ``uses`` of works, what gives weight."""

    reports: Sequence[Report] = ()
    uses: Outputs = _NONE
    weigh: Weigh = "work"


NOTHING: Final = Divided()


def owed_at_close(
    lines: Iterable[LicenceLine], term: Term, month: int, outputs: Outputs, divided: Divided = NOTHING
) -> list[Owed]:
    """Return what ``lines`` are owed at the close of month ``month`` of their agreement (0: that of the grant).

    The order of ``lines`` does not matter; those that are priced use by use are left out. What is trued up of an
    earlier window has a line of its own. Raises ``InputError`` naming the field where a price cannot be computed, or
    comes to more than 2^53 micro-units.
    """
    found: list[Owed] = []
    windows: dict[Window, list[Item]] = defaultdict(list)
    reported: dict[int, list[Item]] = defaultdict(list)
    for line in lines:
        if not allocated(line):
            continue
        price = line_price(line)
        if line.model in REPORTED:
            reported[_months(price)].append(Item(line.work, line.account, price))
            continue
        own = term.of(line.work)
        window = _window(price, own, month)
        if window is None:
            continue
        over = _over(own, window.start)
        if price.model == "per-output":
            used = _used(outputs.get(line.work, {}), month, _months(price))
            if over:
                price = price.model_copy(update={"minimum": None})
            found += due([Item(line.work, line.account, price)], Quantities(outputs=used), window).lines
        elif not over:
            windows[window].append(Item(line.work, line.account, price))
    for window, items in windows.items():
        found += due(items, Quantities(), window).lines
    for months, items in reported.items():
        if (month + 1) % months == 0:
            found += _shares(items, term, month, months, month, divided)
        ended = {last for each in divided.reports if each.close == month and (last := _last(each, months)) < month}
        for last in sorted(ended, reverse=True):
            found += _trued_up(items, term, last, months, month, divided)
    return sorted(found, key=lambda each: (each.work, each.currency or ""))


class Span(NamedTuple):
    """A window of months that something is owed for by reports: its first and last, from the first of the agreement."""

    first: int
    last: int


def spans_of(lines: Iterable[LicenceLine], month: int) -> set[Span]:
    """Return the windows that what is reported of ``month`` counts in, one for each length that prices have."""
    lengths = {_months(line_price(line)) for line in lines if line.model in REPORTED}
    return {Span(month - month % months, month - month % months + months - 1) for months in lengths}


def closes_of(span: Span, reports: Iterable[Report]) -> set[int]:
    """Return the closes that charge something for ``span``: that with which it ends, and those that true it up."""
    late = {each.close for each in reports if span.first <= each.month <= span.last < each.close}
    return {span.last, *late}


def missing_months(term: Term, last: int, months: int, reports: Iterable[Report]) -> list[int]:
    """Return the months of the window that ends with ``last``, of those in which the licence ran, without a report."""
    told = {each.month for each in reports}
    window = range(last + 1 - months, last + 1)
    ran = [month for month in window if term.ends is None or month_after(term.since, month) < term.ends]
    return [month for month in ran if month not in told]


def month_after(since: datetime, months: int) -> datetime:
    """Return the first of the month ``months`` after that of ``since``, which is a first."""
    years, month = divmod(since.month - 1 + months, 12)
    return since.replace(year=since.year + years, month=month + 1)


def month_number(since: datetime, period: str) -> int:
    """Return which month ``period`` (``2026-11``) is, counted from that of ``since``."""
    year, month = map(int, period.split("-"))
    return (year - since.year) * 12 + month - since.month


def _shares(items: Sequence[Item], term: Term, last: int, months: int, close: int, divided: Divided) -> Sequence[Owed]:
    """Return what the window that ends with ``last`` comes to by all that counts at ``close``."""
    first = last + 1 - months
    window = Window(month_after(term.since, first), month_after(term.since, last + 1), term.since)
    items = [each for each in items if not _over(term.of(each.work), window.start)]
    if not items:
        return ()
    known = {each.month: each for each in divided.reports if each.close <= close and first <= each.month <= last}
    quantities = Quantities(
        revenue=_sums(each.revenue for each in known.values()), pool=_sums(each.pool for each in known.values())
    )
    weighed = _weighed(items, list(known.values()), range(first, last + 1), divided)
    ran = term.of_last(each.work for each in items)
    incomplete = bool(missing_months(ran, last, months, known.values()))
    return [msgspec.structs.replace(each, open=incomplete) for each in due(weighed, quantities, window).lines]


def _trued_up(
    items: Sequence[Item], term: Term, last: int, months: int, close: int, divided: Divided
) -> Iterable[Owed]:
    """Yield what the window that ended with ``last`` comes to at ``close`` beyond what it came to at the one before."""
    before = {(each.work, each.currency): each for each in _shares(items, term, last, months, close - 1, divided)}
    after = {(each.work, each.currency): each for each in _shares(items, term, last, months, close, divided)}
    ended = month_after(term.since, last)
    late = Step("late", 0, by=ended.year, of=ended.month)
    for key in sorted(before.keys() | after.keys(), key=lambda key: (key[0], key[1] or "")):
        was, now = before.get(key), after.get(key)
        charged = 0 if was is None else was.amount
        difference = (0 if now is None else now.amount) - charged
        if difference:
            one = now or was
            assert one is not None
            steps = (late, *(() if now is None else now.steps), Step("charged", difference, charged))
            yield msgspec.structs.replace(one, amount=difference, steps=steps)


def _weighed(items: Sequence[Item], known: Sequence[Report], months: Iterable[int], divided: Divided) -> Iterable[Item]:
    """Return ``items`` with their weights; where all that share something weigh nothing, they share alike."""
    if divided.weigh == "work":
        return items
    window = set(months)
    weights: dict[str, int] = {}
    for item in items:
        if divided.weigh == "use":
            posted = divided.uses.get(item.work, {})
            weights[item.work] = max(0, sum(count for month, count in posted.items() if month in window))
        else:
            weights[item.work] = sum(each.weights.get(item.work, 0) for each in known)
    heavy = {together(item) for item in items if weights[item.work]}
    return [
        msgspec.structs.replace(item, weight=weights[item.work] if together(item) in heavy else 1) for item in items
    ]


def _sums(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for each in amounts:
        for currency, amount in each.items():
            sums[currency] += amount
    return dict(sums)


def _over(term: Term, moment: datetime) -> bool:
    return term.ends is not None and moment >= term.ends


def _last(report: Report, months: int) -> int:
    """Return the month with which the window of ``report`` ends."""
    return (report.month // months + 1) * months - 1


def _window(price: Price, term: Term, month: int) -> Window | None:
    """Return the while that is priced at the close of ``month``, None if none ends with it."""
    end = month_after(term.since, month + 1)
    if price.model == "subscription":
        start, until = month_after(term.since, month), end if term.ends is None else min(end, term.ends)
        return Window(start, until, term.granted) if start < until else None
    months = _months(price)
    if (month + 1) % months:
        return None
    return Window(month_after(term.since, month + 1 - months), end, term.since)


def _months(price: Price) -> int:
    return 1 if price.period is None else months_of(price.period)


def _used(posted: Mapping[int, int], month: int, months: int) -> int:
    """Return the outputs of the window that ends with ``month``: what earlier ones could not take back is taken."""
    windows: dict[int, int] = defaultdict(int)
    for at, count in posted.items():
        windows[at // months] += count
    used, last = 0, month // months
    for window in sorted({*windows, last}):
        if window <= last:
            used = min(used, 0) + windows[window]
    return max(used, 0)
