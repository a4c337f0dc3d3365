"""What is priced: works under their terms' prices, what was done with them, and in which while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from licet import money
from licet.errors import InputError
from licet.terms import Price, durations

MOST: Final = 10**12
"""Of runs, outputs or weight: more is a mistake."""


class Item(msgspec.Struct, frozen=True):
    """A work under a licence: whom it pays, at which price, and with which weight it shares what is divided.

    ``weight`` is whatever the agreement counts: 1 for equal parts, files, uses, or likeness in millionths.
    """

    work: str
    payee: str
    price: Price
    weight: int = 1


class Quantities(msgspec.Struct, frozen=True):
    """What the licensee reported of the while: ``revenue`` is net, attributed to this licence, and ``pool`` what was
    agreed to be divided; both in micro-units by currency. A currency that is not there was not reported."""

    runs: int = 0
    outputs: int = 0
    revenue: Mapping[str, int] = msgspec.field(default_factory=dict)
    pool: Mapping[str, int] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("runs", "outputs"):
            value = getattr(self, name)
            if not 0 <= value <= MOST:
                raise InputError.field(name, f"0 to {MOST}", value)
        for name in ("revenue", "pool"):
            for currency, micro in getattr(self, name).items():
                money.currency(currency, name)
                if not 0 <= micro <= money.LARGEST:
                    raise InputError.field(f"{name}.{currency}", f"0 to {money.LARGEST} micro-units", micro)


class Window(msgspec.Struct, frozen=True):
    """The while that is priced, ``start`` inclusive and ``end`` exclusive, of a licence that began at ``since``."""

    start: datetime
    end: datetime
    since: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end", "since"):
            if getattr(self, name).tzinfo is None:
                raise InputError.field(name, "an aware datetime", getattr(self, name))
        if not self.start < self.end:
            raise InputError.field("end", f"a time after the start {self.start.isoformat()}", self.end)

    @property
    def begins(self) -> bool:
        """Whether the licence began in this while: then what is owed once is owed."""
        return self.start <= self.since < self.end

    def periods_begun(self, period: str) -> int:
        """Return how many periods of the licence begin in this while: whiles side by side count each one once."""
        length = durations.parse(period, "period")
        return length.count(self.since, self.end) - length.count(self.since, self.start)

    def is_one(self, period: str) -> bool:
        """Whether this while is exactly one period of the licence."""
        length = durations.parse(period, "period")
        place = length.count(self.since, self.start)
        return (length.after(self.since, place), length.after(self.since, place + 1)) == (self.start, self.end)
