"""Waiting for the log: all who wait in one process look together, one query for all of them.

Nothing runs while nobody waits, and an answer always comes from the tables, so a lost wake-up cannot delay it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from typing import Final

from licet.wire.common import Receipt
from registry.database import Database
from registry.errors import Unavailable
from registry.translog import queries
from registry.translog.submission import receipts

TIMEOUT: Final = 10.0
_SOON: Final = 0.004  # seconds between two looks, at first and after news
_LATER: Final = 0.05


class _Waiters:
    """Those who wait on one database; ``look`` runs exactly while there is one."""

    def __init__(self) -> None:
        self.futures: dict[int, list[asyncio.Future[Receipt]]] = {}
        self.fresh: list[int] = []  # pending ids that nobody has looked for yet
        self.seen = 0  # the published size up to which all others were looked for
        self.look: asyncio.Task[None] | None = None

    def sought(self, published: int) -> list[int]:
        """Return the pending ids that may be in the log by now: all if it has grown, else the fresh ones."""
        sought = [pending for pending in self.fresh if pending in self.futures]
        if published > self.seen:
            sought = list(self.futures)
        self.fresh, self.seen = [], max(self.seen, published)
        return sought


_waiters: weakref.WeakKeyDictionary[Database, _Waiters] = weakref.WeakKeyDictionary()


async def wait(database: Database, pending: int, timeout: float = TIMEOUT) -> Receipt:
    """Return the receipt of ``pending`` once its entry is published; call it after COMMIT, outside any transaction.

    Raises ``Unavailable`` after ``timeout`` seconds: the statement stands and will be logged, so a retry of the same
    request must find it and wait again.
    """
    waiters = _waiters.setdefault(database, _Waiters())
    future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
    waiters.futures.setdefault(pending, []).append(future)
    waiters.fresh.append(pending)
    if waiters.look is None or waiters.look.done():
        waiters.look = asyncio.create_task(_look(database, waiters))
    try:
        return await asyncio.wait_for(future, timeout)
    except TimeoutError:
        raise Unavailable(
            "the statement was accepted and is not in the published log yet; send the same request again"
        ) from None
    finally:
        same = waiters.futures.get(pending, [])
        if future in same:
            same.remove(future)
        if not same:
            waiters.futures.pop(pending, None)


async def wait_all(database: Database, pendings: Sequence[int], timeout: float = TIMEOUT) -> list[Receipt]:
    """Return the receipts of ``pendings`` in their order, as `wait` does."""
    return list(await asyncio.gather(*(wait(database, pending, timeout) for pending in pendings)))


async def _look(database: Database, waiters: _Waiters) -> None:
    pause = _SOON
    while waiters.futures:
        found: dict[int, Receipt] = {}
        try:
            async with database.acquire() as conn:
                published: int = await conn.fetchval(queries.PUBLISHED_SIZE)
                if sought := waiters.sought(published):
                    found = await receipts(conn, sought)
        except Unavailable:
            waiters.seen = 0  # what was sought was not answered
        except Exception as error:  # noqa: BLE001  # whoever waits must hear of it, whatever it is
            for futures in waiters.futures.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            return
        for pending, receipt in found.items():
            for future in waiters.futures.pop(pending, []):
                if not future.done():
                    future.set_result(receipt)
        pause = _SOON if found else min(pause * 1.5, _LATER)
        await asyncio.sleep(pause)
