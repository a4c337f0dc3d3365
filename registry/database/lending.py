"""Connections that are handed on while they are sound, without going through the driver's pool.

Each time a connection comes and goes, asyncpg's pool makes a task and sets three timers: twice the work of a statement
that finds one row. So what is given back sound stays here for whoever comes next. The pool still makes connections,
has people wait for them, ends what was broken or cut off in the middle, and closes what nobody uses.

Nobody waits in the pool while a connection lies here: whoever finds none goes there, and then it gets all that is given
back.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg

LOOK_EVERY: Final = 60.0  # seconds; what was not used in between goes back to the pool, which closes it in its time
_MOST_LOANS: Final = (
    1_000  # then it goes back to the pool once, which ends connections that answered very many statements
)


class Lending:
    """What lies here of the connections of ``pool``, and how many are out."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._idle: list[tuple[Any, int]] = []  # with the number of its loans; what was used last is lent first
        self._fewest = 0  # so many have lain here all the time since the last look
        self._loans: dict[int, int] = {}  # of those that are out, by id
        self._closed = False
        self._look: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()
        self.waiting = 0

    @property
    def lent(self) -> int:
        """How many connections are in use."""
        return len(self._loans)

    def at_once(self) -> Any:
        """Return a connection that lies here, None without one."""
        while self._idle:
            connection, loans = self._idle.pop()
            self._fewest = min(self._fewest, len(self._idle))
            if not is_lost(connection):
                self._loans[id(connection)] = loans + 1
                return connection
            self._send_back([connection])
        return None

    async def wait(self, seconds: float) -> Any:
        """Return a connection of the pool; raises what the driver raises, ``TimeoutError`` after ``seconds``."""
        self.waiting += 1
        try:
            connection = await self._pool.acquire(timeout=seconds)
        finally:
            self.waiting -= 1
        self._loans[id(connection)] = 1
        return connection

    async def give_back(self, connection: Any, *, sound: bool, seconds: float) -> None:
        """``connection`` is free again. ``sound``: whoever had it was not disturbed, and left nothing open."""
        loans = self._loans.pop(id(connection))
        if (
            sound
            and loans < _MOST_LOANS
            and not (self.waiting or self._closed or is_lost(connection) or connection.is_in_transaction())
        ):
            self._idle.append((connection, loans))
            if self._look is None:
                self._look = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_through)
            return
        await self._pool.release(connection, timeout=seconds)

    async def close(self, seconds: float) -> None:
        """Every connection is closed; those in use are given some ``seconds``, then cut."""
        self._closed = True
        if self._look is not None:
            self._look.cancel()
        idle, self._idle = self._idle, []
        self._send_back([connection for connection, _ in idle])
        try:
            await asyncio.wait_for(self._pool.close(), seconds)
        except TimeoutError:
            self._pool.terminate()
        await asyncio.gather(*self._returning, return_exceptions=True)

    def _look_through(self) -> None:
        self._look = None
        unused, self._idle = self._idle[: self._fewest], self._idle[self._fewest :]
        self._fewest = len(self._idle)
        self._send_back([connection for connection, _ in unused])
        if self._idle:
            self._look = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_through)

    def _send_back(self, connections: list[Any]) -> None:
        for connection in connections:
            task = asyncio.create_task(self._pool.release(connection))
            self._returning.add(task)
            task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._returning.discard(task)
        if not task.cancelled():
            task.exception()  # it broke on the way: the pool has thrown it away


def is_lost(connection: Any) -> bool:
    """Return whether ``connection``, of a pool or not, is closed."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has noticed first and taken the connection back
        return True
