"""How long a party has to answer, or to appeal: 14 days, without those in which the service was off.

Which these are, the log says: a service that runs puts an entry into it every half day and sooner. So nobody loses an
appeal to a machine that stood still, and whoever reads the log sees whether a dispute ended too early.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from licet import times
from licet.statements.disputes import ANSWERED_WITHIN, APPEALED_WITHIN
from registry import translog
from registry.database import Connection, Row
from registry.disputes import queries, words
from registry.disputes.service import info_of, tell_both


async def answer_until(conn: Connection, row: Row, now: datetime) -> datetime:
    """Return until when the other party of a dispute can answer before it is decided, as of ``now``."""
    until: datetime = row["opened_at"] + ANSWERED_WITHIN
    return until if now < until else until + await _off(conn, row["index"], now)


async def appeal_until(conn: Connection, row: Row, now: datetime) -> datetime:
    """Return until when a decision can be appealed, as of ``now``; a later moment than before is kept, and told.

    The lock of settlement is the caller's.
    """
    known: datetime = row["appeal_until"]
    if now < known:
        return known
    signed = times.from_text(times.to_text(row["decided_at"] + APPEALED_WITHIN))
    until = max(known, signed + await _off(conn, await conn.fetchval(queries.DECIDED, row["id"]), now))
    if until > known:
        await conn.execute(queries.LENGTHEN, row["id"], until)
    if until > known + translog.QUIET:
        dispute = info_of(row).dispute
        await tell_both(conn, row, "dispute-decided", dispute, words.lengthened(dispute, row["decided"], until))
    return until


async def _off(conn: Connection, index: int | None, now: datetime) -> timedelta:
    if index is None:  # it is on its way into the log
        return timedelta(0)
    return sum((end - began for began, end in await translog.silences(conn, index, now)), timedelta(0))
