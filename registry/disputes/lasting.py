"""How long a party has to answer, or to appeal: 14 days, without those in which the service was off.

Which these are, the log says: a service that runs puts an entry into it every half day and sooner. So nobody loses an
appeal to a machine that stood still, and whoever reads the log sees whether a dispute ended too early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from licet import identifiers, times
from licet.statements.disputes import ANSWERED_WITHIN, APPEALED_WITHIN
from registry import translog
from registry.database import Connection, Row
from registry.disputes import queries, words
from registry.disputes.telling import tell_both


async def answer_times(conn: Connection, rows: Sequence[Row], now: datetime) -> dict[UUID, datetime]:
    """Return until when the other party can answer before each of these disputes is decided, as of ``now``.

    Of one that was answered, was decided or ended: until when it could, had the service not been off.
    """
    until = {row["id"]: row["opened_at"] + ANSWERED_WITHIN for row in rows}
    over = [row for row in rows if row["state"] == "open" and row["index"] is not None and until[row["id"]] <= now]
    if over:
        silences = await translog.silences(conn, min(row["index"] for row in over), now)
        for row in over:
            until[row["id"]] += _length((began, end) for began, end in silences if began >= row["logged_at"])
    return until


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
        dispute = identifiers.from_uuid("dsp", row["id"])
        await tell_both(conn, row, "dispute-decided", dispute, words.lengthened(dispute, row["decided"], until))
    return until


async def _off(conn: Connection, index: int | None, now: datetime) -> timedelta:
    if index is None:  # it is on its way into the log
        return timedelta(0)
    return _length(await translog.silences(conn, index, now))


def _length(silences: Iterable[tuple[datetime, datetime]]) -> timedelta:
    return sum((end - began for began, end in silences), timedelta(0))
