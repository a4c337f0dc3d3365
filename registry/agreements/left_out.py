"""What closes could not charge agreements for, and why: for the office; an organisation hears of its own alone."""

from __future__ import annotations

from typing import Final

import msgspec

from licet import identifiers, times
from registry.agreements import queries
from registry.database import Database

_MOST: Final = 500


class LeftOut(msgspec.Struct, frozen=True):
    """An agreement that was not charged for ``period``: why the last close that tried could not, and since when."""

    licence: str
    period: str
    why: str
    since: str


async def left_out(database: Database) -> list[LeftOut]:
    """Return what is left out now, the oldest month first; at most some hundreds."""
    async with database.acquire() as conn:
        rows = await conn.fetch(queries.LEFT_OUT, _MOST)
    return [
        LeftOut(
            licence=identifiers.from_uuid("lic", row["licence"]),
            period=row["period"],
            why=row["why"],
            since=times.to_text(row["since"]),
        )
        for row in rows
    ]
