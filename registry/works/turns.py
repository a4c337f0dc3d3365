"""Turns: a few at a time, and accounts that wait take turns, so that nobody waits behind all that another has sent.

What waits lies in the memory of all: of each only so many wait at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Final

from registry.errors import Unavailable

MOST_WAITING: Final = 64  # of one account; a client sends eight at a time


class Turns:
    """``places`` at a time; who waits is served in its own order, and one of each who waits after the other."""

    def __init__(self, places: int, most_waiting: int = MOST_WAITING) -> None:
        self._free = places
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, who: Hashable) -> None:
        """Return when it is the turn of ``who``, which keeps a place until `give`. Cancelled, it has none.

        Raises ``Unavailable`` where as many of ``who`` wait as may.
        """
        if self._free:
            self._free -= 1
            return
        line = self._waiting.get(who, ())
        if len(line) >= self._most_waiting and sum(not each.done() for each in line) >= self._most_waiting:
            raise Unavailable(f"{self._most_waiting} pictures of yours wait already; send fewer side by side")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn came in the same moment: the next has it
                self.give()
            raise

    def give(self) -> None:
        """Let the next have the place that was taken."""
        while self._waiting:
            who, line = self._waiting.popitem(last=False)
            while line and line[0].done():  # went away
                line.popleft()
            if not line:
                continue
            line.popleft().set_result(None)
            if line:
                self._waiting[who] = line  # behind all others
            return
        self._free += 1
