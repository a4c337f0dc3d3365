"""What an agreement owes at the close of a month: one arithmetic for whoever posts it and whoever recomputes it.

A subscription is owed in the month in which one of its periods begins, counted from the moment of the grant (the time
of its log entry) until the licence ends. What has a least, a most or a period is owed for a window of whole months,
counted from the first of the month of the grant, in the month with which the window ends. What was reported since the
licence ended is owed for without a least.

Outputs count in the month in which they were posted. Corrections may take back more than a window has: the rest is
taken from the windows that follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from licet.pricing import Item, Owed, Quantities, Window, due
from licet.statements.agreed import line_price, months_of
from licet.statements.kinds import LicenceLine
from licet.statements.owed import allocated
from licet.terms import Price

Outputs = Mapping[str, Mapping[int, int]]
"""Work → month, counted from the first of the agreement → outputs posted in it, less those taken back."""


class Term(NamedTuple):
    """How long an agreement runs: months are counted from ``since``, subscriptions from ``granted``, until ``ends``."""

    since: datetime
    granted: datetime
    ends: datetime | None


def owed_at_close(lines: Iterable[LicenceLine], term: Term, month: int, outputs: Outputs) -> list[Owed]:
    """Return what ``lines`` are owed at the close of month ``month`` of their agreement (0: that of the grant).

    The order of ``lines`` does not matter; those that are priced use by use are left out. Raises ``InputError`` naming
    the field where a price cannot be computed, or comes to more than 2^53 micro-units.
    """
    found: list[Owed] = []
    together: dict[Window, list[Item]] = defaultdict(list)
    for line in lines:
        if not allocated(line):
            continue
        price = line_price(line)
        window = _window(price, term, month)
        if window is None:
            continue
        over = term.ends is not None and window.start >= term.ends
        if price.model == "per-output":
            used = _used(outputs.get(line.work, {}), month, _months(price))
            if over:
                price = price.model_copy(update={"minimum": None})
            found += due([Item(line.work, line.account, price)], Quantities(outputs=used), window).lines
        elif not over:
            together[window].append(Item(line.work, line.account, price))
    for window, items in together.items():
        found += due(items, Quantities(), window).lines
    return sorted(found, key=lambda each: (each.work, each.currency or ""))


def month_number(since: datetime, period: str) -> int:
    """Return which month ``period`` (2026-11) is, counted from that of ``since``."""
    year, month = map(int, period.split("-"))
    return (year - since.year) * 12 + month - since.month


def month_after(since: datetime, months: int) -> datetime:
    """Return the first of the month ``months`` after that of ``since``, which is a first."""
    years, month = divmod(since.month - 1 + months, 12)
    return since.replace(year=since.year + years, month=month + 1)


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
