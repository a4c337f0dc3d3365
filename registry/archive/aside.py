"""Constraints set aside while a copy of the database catches up, and put back when it has.

On the way a row may meet one that came later: a work that was registered again before the copy was made, and is not
withdrawn yet in the changes that are read. At the end everything holds again, and putting them back is the check.
What was set aside is in the database itself, so a replay that was cut off is finished by the next.
"""

from __future__ import annotations

import asyncpg

from registry.archive import queries
from registry.database import Connection
from registry.errors import ArchiveError


async def set_aside(conn: Connection) -> None:
    """Triggers are silent, and references and unique keys (but primary ones) are not checked; nothing if they are."""
    if await conn.fetchval(queries.IS_ASIDE):
        return
    async with conn.transaction():
        rows = await conn.fetch(queries.ASIDE)
        for row in sorted(rows, key=lambda each: (each["back_step"], each["back"])):
            await conn.execute(queries.KEEP_ASIDE, row["back"])
        for row in rows:
            await conn.execute(row["away"])


async def put_back(conn: Connection) -> None:
    """Everything that was set aside holds again. Raises ``ArchiveError`` where rows contradict a constraint."""
    async with conn.transaction():
        for row in await conn.fetch(queries.KEPT_ASIDE):
            try:
                await conn.execute(row["statement"])
            except asyncpg.IntegrityConstraintViolationError as error:
                raise ArchiveError(
                    f"the rows that were restored contradict each other ({row['statement']}): {error}"
                ) from error
        await conn.execute(queries.FORGET_ASIDE)


async def is_aside(conn: Connection) -> bool:
    """Return whether a replay was cut off and is to be finished."""
    found: bool = await conn.fetchval(queries.IS_ASIDE)
    return found
