"""What waits for the office: it is told where readiness is, and keeps nobody from an answer."""

from __future__ import annotations

from datetime import datetime

from licet import times
from licet.counted import many
from licet.statements.disputes import REVIEWED_WITHIN
from registry.agreements import queries as agreements
from registry.database import Connection
from registry.disputes import queries as disputes
from registry.health.checks import Check


async def closes(conn: Connection) -> tuple[Check, int]:
    """Return how many charges of agreements closes left out, and since when."""
    row = await conn.fetchrow(agreements.LEFT_OUT_COUNT)
    assert row is not None  # it counts
    count: int = row["count"]
    if not count:
        return Check(ok=True), 0
    found = f"{many(count, 'charge')} of agreements left out when months closed, from {row['first']} on"
    todo = "see the operator's page or `licet-registry close` for why; each close tries them again"
    return Check(ok=True, found=found, since=times.to_text(row["since"]), todo=todo), count


async def reviews(conn: Connection, now: datetime) -> tuple[Check, int]:
    """Return how many decisions were appealed and not reviewed in time, and since when the first is late.

    No outcome follows from that: what is held waits until somebody has looked.
    """
    row = await conn.fetchrow(disputes.UNREVIEWED, now - REVIEWED_WITHIN)
    assert row is not None  # it counts
    count: int = row["count"]
    if not count:
        return Check(ok=True), 0
    found = f"{many(count, 'appeal')} not reviewed within {REVIEWED_WITHIN.days} days; what is held waits"
    todo = "let an operator who did not decide review: `licet-registry disputes list --state appealed`"
    return Check(ok=True, found=found, since=times.to_text(row["first"] + REVIEWED_WITHIN), todo=todo), count
