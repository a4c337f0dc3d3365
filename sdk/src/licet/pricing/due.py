"""What a licence owes for a while, work by work; the parts of whatever is divided add up to it exactly.

============================  ==============================================================================
price model                   owed in a while
============================  ==============================================================================
``free``, ``attribution``     nothing: a line of zero
``per-work``                  the amount, in the while in which the licence began
``per-training-run``          the amount for each run
``per-output``                the amount for each output
``subscription``              the amount for each of the licence's periods that begins in the while
``pool``                      one pool a currency, of what was agreed or of a share of the revenue, divided among
                              all of its works by weight
``revenue-share``             a share of the revenue in its currency (without one: in each), for all works of a
                              payee under one price, divided among them by weight
``negotiate``                 nothing until the artist has answered: a line of zero that is open
============================  ==============================================================================

Least and most hold for what is divided, or for one work where nothing is; where the price names a period, the while
has to be one of the licence's periods. Where no revenue was reported, the least is owed and the line is open: what is
reported later is trued up in the period that is open then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Final

import msgspec

from licet import money
from licet.errors import InputError
from licet.pricing.asked import MOST, Item, Quantities, Window
from licet.pricing.derivation import Step
from licet.terms import Price
from licet.terms.prices import dearer

BPS: Final = 10_000


class Owed(msgspec.Struct, frozen=True):
    """What is owed for one work in one currency (None where nothing can be), and the steps that lead there.

    ``open``: something is missing that would make it more, a report or an answer.
    """

    work: str
    payee: str
    currency: str | None
    amount: int
    steps: tuple[Step, ...]
    open: bool = False


class Due(msgspec.Struct, frozen=True):
    """What a licence owes for a while: a line for every work, in the order of works, and their sums by currency."""

    lines: tuple[Owed, ...]
    totals: dict[str, int]


def due(items: Iterable[Item], quantities: Quantities, window: Window) -> Due:
    """Return what ``items`` are owed for what was done in ``window``; the order of ``items`` does not matter.

    Raises ``InputError`` naming the field: a work that comes twice, weights that are negative or all zero, a while
    that is not one period of a price with a least or a most, an amount beyond 2^53 micro-units.
    """
    groups: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    known = set()
    for item in sorted(items, key=lambda each: each.work):
        if item.work in known:
            raise InputError.field("work", "each work once", item.work)
        known.add(item.work)
        if not 0 <= item.weight <= MOST:
            raise InputError.field("weight", f"0 to {MOST}", item.weight)
        groups[together(item)].append(item)
    lines = [line for group in groups.values() for line in _MODELS[group[0].price.model](group, quantities, window)]
    lines.sort(key=lambda line: (line.work, line.currency or ""))
    totals: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.currency is not None:
            totals[line.currency] += line.amount
    for currency, total in totals.items():
        if total > money.LARGEST:
            raise InputError.field(
                "totals", f"at most {money.to_decimal(money.LARGEST)} {currency}", money.to_decimal(total)
            )
    return Due(tuple(lines), dict(sorted(totals.items())))


def together(item: Item) -> tuple[str, ...]:
    """Return what works are priced together by: a pool is one for all, a share of revenue one for each payee."""
    price = item.price
    if price.model == "pool":
        return ("pool", price.currency or "", price.period or "")
    if price.model == "revenue-share":
        return (item.payee, price.model_dump_json(exclude_none=True))
    return (item.work,)


def _zero(group: Sequence[Item], quantities: Quantities, window: Window) -> list[Owed]:
    (item,) = group
    model = item.price.model
    return [Owed(item.work, item.payee, None, 0, (Step(model, 0),), open=model == "negotiate")]


def _counted(group: Sequence[Item], quantities: Quantities, window: Window) -> list[Owed]:
    (item,) = group
    price = item.price
    count = {
        "per-work": lambda: int(window.begins),
        "per-training-run": lambda: quantities.runs,
        "per-output": lambda: quantities.outputs,
        "subscription": lambda: window.periods_begun(price.period or ""),
    }[price.model]()
    steps = [Step(price.model, price.micro * count, price.micro, count)]
    if price.model == "per-output":
        steps += _bounded(price, steps[-1].result, window)
    return [Owed(item.work, item.payee, price.currency, steps[-1].result, tuple(steps))]


def _pool(group: Sequence[Item], quantities: Quantities, window: Window) -> list[Owed]:
    price = reduce(dearer, (item.price for item in group))  # a pool has to keep every work's terms
    currency = price.currency or ""
    if price.share_bps is not None:
        return _divided(group, price, currency, _share(price, currency, quantities), window)
    agreed = quantities.pool.get(currency)
    return _divided(group, price, currency, None if agreed is None else Step("agreed", agreed), window)


def _revenue_share(group: Sequence[Item], quantities: Quantities, window: Window) -> list[Owed]:
    price = group[0].price
    if price.currency is not None:
        return _divided(group, price, price.currency, _share(price, price.currency, quantities), window)
    if not quantities.revenue:
        steps = (Step("unreported", 0),)
        return [Owed(item.work, item.payee, None, 0, steps, open=True) for item in group]
    return [
        line
        for currency in sorted(quantities.revenue)
        for line in _divided(group, price, currency, _share(price, currency, quantities), window)
    ]


def _share(price: Price, currency: str, quantities: Quantities) -> Step | None:
    revenue = quantities.revenue.get(currency)
    if revenue is None:
        return None
    return Step("share", revenue * (price.share_bps or 0) // BPS, revenue, price.share_bps or 0)


def _divided(group: Sequence[Item], price: Price, currency: str, first: Step | None, window: Window) -> list[Owed]:
    steps = [first or Step("unreported", 0)]
    steps += _bounded(price, steps[-1].result, window)
    total, weights = steps[-1].result, [item.weight for item in group]
    if not any(weights):
        raise InputError.field("weight", "one work at least with a weight above 0", "0 for each")
    parts = money.share(total, weights)
    whole = sum(weights)
    return [
        Owed(
            item.work,
            item.payee,
            currency,
            part,
            (*steps, Step("part", part, total, item.weight, whole)),
            open=first is None,
        )
        for item, part in zip(group, parts, strict=True)
    ]


def _bounded(price: Price, amount: int, window: Window) -> list[Step]:
    """Return the steps that bring ``amount`` within the price's least and most."""
    if price.period is not None and not window.is_one(price.period):
        raise InputError.field(
            "window",
            f"one period of {price.period} since {window.since.isoformat()}",
            f"{window.start.isoformat()} to {window.end.isoformat()}",
        )
    steps = []
    if price.minimum is not None and amount < (least := money.to_micro(price.minimum)):
        steps.append(Step("minimum", least, least))
    elif price.cap is not None and amount > (most := money.to_micro(price.cap)):
        steps.append(Step("cap", most, most))
    return steps


_MODELS: Final[dict[str, Callable[[Sequence[Item], Quantities, Window], list[Owed]]]] = {
    "free": _zero,
    "attribution": _zero,
    "negotiate": _zero,
    "per-work": _counted,
    "per-training-run": _counted,
    "per-output": _counted,
    "subscription": _counted,
    "pool": _pool,
    "revenue-share": _revenue_share,
}
