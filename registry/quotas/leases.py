"""Quotas that all processes share, without a round trip for each request.

The table holds, for each caller and quota, how much of the present window has been lent out. A process borrows some
ahead and spends it from memory, so:

- together the processes never spend more than the quota in a window: what is borrowed counts as spent. The overshoot is
  0; two windows meet, so in any span as long as a window it is at most twice the quota.
- what a process has borrowed and not spent is not to be had by others: at most a sixteenth of the quota for each
  process, and a quarter of what is left towards the end. Nothing of it has to be given back: a process that dies
  takes it away only until the window ends.
- a loan ends when the window does, measured from before it was asked for: never later than the table's own clock.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final, NamedTuple

from registry.database import Database
from registry.errors import QuotaExceeded
from registry.quotas import queries
from registry.settings import Rate

SHARE: Final = 16  # at most this part of a quota is borrowed at a time
_SAME_WINDOW: Final = 1.0  # seconds by which two looks at the end of one window may differ
_KEPT: Final = 50_000  # loans that a process remembers


class Quota(NamedTuple):
    """At most ``rate.most`` of something for each caller in ``rate.seconds``."""

    name: str
    rate: Rate


class Standing(NamedTuple):
    """What is left of a quota, as far as this process knows: other processes may have borrowed since."""

    quota: Quota
    left: int
    seconds: int  # until the window ends

    @property
    def policy(self) -> str:
        """The item of ``RateLimit-Policy``."""
        return f'"{self.quota.name}";q={self.quota.rate.most};w={self.quota.rate.seconds}'

    @property
    def limit(self) -> str:
        """The item of ``RateLimit``."""
        return f'"{self.quota.name}";r={self.left};t={self.seconds}'


@dataclass
class _Loan:
    """What one caller may still spend here of one quota. ``lock`` is held while more is borrowed."""

    left: int = 0  # borrowed, not spent
    beyond: int = 0  # not lent to anybody when we last asked
    ends: float = 0.0
    lent: int = 0  # what was borrowed last
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Exceeded(QuotaExceeded):
    """A quota is used up; ``standing`` says which and until when."""

    def __init__(self, standing: Standing, amount: int) -> None:
        rate = standing.quota.rate
        super().__init__(
            f"expected at most {rate.most} {standing.quota.name} in {rate.seconds} s, got {amount} more with "
            f"{standing.left} left; ask again in {standing.seconds} s",
            retry_after=standing.seconds,
        )
        self.standing = standing


class Quotas:
    """What callers have left, in this process."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._loans: OrderedDict[tuple[str, str], _Loan] = OrderedDict()

    def at_once(self, who: str, quota: Quota, amount: int = 1) -> Standing | None:
        """Return what `spend` returns where that needs no question to the table, else None; raises `Exceeded`, too."""
        loan = self._loan(who, quota.name)
        if amount <= quota.rate.most and not self._covers(loan, amount):
            return None
        return self._taken(loan, quota, amount)

    async def spend(self, who: str, quota: Quota, amount: int = 1) -> Standing:
        """Return what ``who`` has left of ``quota`` after ``amount`` was taken from it.

        Raises `Exceeded` and takes nothing where it is not there, ``DatabaseUnavailable`` where that cannot be known.
        """
        loan = self._loan(who, quota.name)
        if amount <= quota.rate.most and not self._covers(loan, amount):
            async with loan.lock:
                if not self._covers(loan, amount):
                    await self._borrow(loan, who, quota, amount)
        return self._taken(loan, quota, amount)

    def _taken(self, loan: _Loan, quota: Quota, amount: int) -> Standing:
        if loan.left < amount or amount > quota.rate.most:
            raise Exceeded(self._standing(loan, quota), amount)
        loan.left -= amount
        return self._standing(loan, quota)

    def _covers(self, loan: _Loan, amount: int) -> bool:
        """Whether this needs no question to the table: it is there, or it is known that nobody has it."""
        return self._clock() < loan.ends and (loan.left >= amount or loan.left + loan.beyond < amount)

    async def _borrow(self, loan: _Loan, who: str, quota: Quota, amount: int) -> None:
        now = self._clock()  # before the question: the loan ends here no later than there
        if now >= loan.ends:
            loan.left = loan.lent = 0
        least = amount - loan.left
        best = max(least, min(quota.rate.most // SHARE, max(1, 2 * loan.lent)))
        async with self._database.acquire() as conn:
            row = await conn.fetchrow(
                queries.LEND, who, quota.name, least, best, quota.rate.most, float(quota.rate.seconds)
            )
        assert row is not None
        ends = now + row["seconds"]
        if abs(ends - loan.ends) > _SAME_WINDOW:  # the table forgot: what is left of the old window ended with it
            loan.left = 0
        loan.left += row["lent"]
        loan.lent = row["lent"]
        loan.beyond = max(0, quota.rate.most - row["taken"])
        loan.ends = ends

    def _standing(self, loan: _Loan, quota: Quota) -> Standing:
        return Standing(quota, loan.left + loan.beyond, max(1, ceil(loan.ends - self._clock())))

    def _loan(self, who: str, name: str) -> _Loan:
        key = (who, name)
        loan = self._loans.get(key)
        if loan is None:
            loan = self._loans[key] = _Loan()
            if (
                len(self._loans) > _KEPT
            ):  # the one that asked longest ago; what it had left is gone until its window ends
                self._loans.popitem(last=False)
        else:
            self._loans.move_to_end(key)
        return loan
