"""Where the log stands: what is integrated, what is published, what waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from licet.log import checkpoint as checkpoints
from registry.database import Connection, Row
from registry.errors import RegistryError, StartError
from registry.translog import queries

#: A service that runs renews its snapshot, an entry of the log, in half that time and sooner.
QUIET: Final = timedelta(days=1)


class Head(msgspec.Struct, frozen=True):
    """The state of the log: what is integrated, and what of it is published (receipts speak only of that)."""

    size: int
    root: bytes
    frontier: bytes
    checkpoint: str
    at: datetime
    published_size: int
    published_checkpoint: str

    @property
    def published(self) -> checkpoints.Checkpoint | None:
        """The published checkpoint, None before the first."""
        if not self.published_checkpoint:
            return None
        return checkpoints.parse(self.published_checkpoint.rpartition("\n\n")[0] + "\n")


async def head(conn: Connection) -> Head:
    """Return the state of the log as of now."""
    return parse_head(await conn.fetchrow(queries.HEAD))


async def refuse_copy(conn: Connection) -> None:
    """Raise ``StartError`` if the database was restored, and nobody has said that it replaces the one it was made from.

    While that one lives, whatever this one signed would be a second history of the same log.
    """
    if await conn.fetchval(queries.IS_COPY):
        raise StartError(
            "this database was restored, and nobody has said yet that it replaces the one that it is a copy of; if "
            "that one is gone for good, say so with `licet-registry restore --replaces` (and the same --data) and "
            "start again; while it lives, this one must not go on with the log: your keys would sign two histories"
        )


class Backlog(msgspec.Struct, frozen=True):
    """How far behind the log is: published entries, statements that wait, and how long the oldest has (seconds)."""

    published_size: int
    waiting: int
    oldest_seconds: float


async def backlog(conn: Connection) -> Backlog:
    """Return how far behind the log is as of now."""
    now = await head(conn)
    row = await conn.fetchrow(queries.WAITING)
    waiting, oldest = (0, None) if row is None else (row["waiting"], row["oldest"])
    return Backlog(now.published_size, waiting + now.size - now.published_size, max(0.0, oldest or 0.0))


def parse_head(row: Row | None) -> Head:
    """Return the state that ``row`` of the one-row table holds."""
    if row is None:
        raise RegistryError("the log has lost the row that is its state")
    return Head(**dict(row.items()))


async def first_entry_at(conn: Connection, moment: datetime, size: int) -> int:
    """Return the index of the first of ``size`` entries that is not before ``moment``; ``size`` if all are.

    Times never decrease, so it is found in a few look-ups.
    """
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if await conn.fetchval(queries.ENTRY_AT, middle) < moment:
            low = middle + 1
        else:
            high = middle
    return low


async def silences(conn: Connection, first: int, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return the whiles of more than a day, from entry ``first`` until ``now``, in which the log took nothing.

    The service was off: whoever has the log can tell. They are found in some look-ups for each day.
    """
    size, found = (await head(conn)).size, []
    index, at = first, await conn.fetchval(queries.ENTRY_AT, first)
    while at + QUIET < now:
        later = await first_entry_at(conn, at + QUIET, size)
        if later > index + 1:  # there are others within a day
            index, at = later - 1, await conn.fetchval(queries.ENTRY_AT, later - 1)
            continue
        began, index = at, later
        at = now if later == size else await conn.fetchval(queries.ENTRY_AT, later)
        if at - began > QUIET:
            found.append((began, at))
    return found
