"""Months of the ledger: ended, sealed, counted, and never posted into again.

A month that nobody has ended is open, also when it is over. Everything here runs in the caller's transaction; ending
and sealing wait for whoever is posting at that moment, and let nobody post until the transaction ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from licet.audit.layout import Period, period_of
from licet.identifiers import earliest_uuid
from licet.statements.periods import ACCRUALS, Moved
from registry.database import Connection, Row
from registry.errors import Conflict, Unavailable
from registry.ledger import queries

_PREFETCH: Final = 4096


class PeriodClosed(Conflict):
    """The transfer is of a month that has ended: what is late goes into the open one."""

    slug = "period-closed"
    title = "Period closed"


class Month(msgspec.Struct, frozen=True):
    """A month that has ended, and how far its closing has come."""

    period: str
    secret: bytes
    ended_at: datetime
    sealed_at: datetime | None
    counted: bool
    stated: bool


async def month(conn: Connection, period: str) -> Month | None:
    """Return how far ``period`` has come; None while it is open."""
    row = await conn.fetchrow(queries.PERIOD, period)
    return None if row is None else _month(row)


async def last_ended(conn: Connection) -> Month | None:
    """Return the last month that has ended, None if none has."""
    row = await conn.fetchrow(queries.LAST_PERIOD)
    return None if row is None else _month(row)


async def first_posted(conn: Connection) -> str | None:
    """Return the month of the first transfer, None if nothing was ever posted."""
    found: str | None = await conn.fetchval(queries.FIRST_POSTED)
    return found


async def end(conn: Connection, period: str, secret: bytes, at: datetime) -> None:
    """``period`` has ended: only its own closing posts into it. Months end in order, once the last is closed.

    Again has no effect.
    """
    await conn.execute(queries.HOLD_PERIODS, queries.PERIODS_LOCK)
    await conn.execute(queries.END_PERIOD, period, secret, at)


async def hold_open(conn: Connection, at: datetime) -> None:
    """Until the caller's transaction ends the month of ``at`` stays open; raises ``PeriodClosed`` if it has ended."""
    await conn.execute(queries.SHARE_PERIODS, queries.PERIODS_LOCK)
    named = month_of(at).name
    last = await last_ended(conn)
    if last is not None and named <= last.period:
        raise PeriodClosed(f"the month {named} is closed; what is late goes into the open month")


async def next_close(conn: Connection, period: str) -> str:
    """Return the first month, ``period`` or later, whose close counts what enters the log now.

    Until the caller's transaction ends no month ends, so what it logs is before the statement of that close, and after
    that of the one before. Raises ``Unavailable`` while a month is being closed.
    """
    await conn.execute(queries.SHARE_PERIODS, queries.PERIODS_LOCK)
    last = await last_ended(conn)
    if last is None:
        return period
    if not last.stated:
        raise Unavailable(f"the month {last.period} is being closed; send it again in a moment")
    return max(period, after(last.period))


async def closing(conn: Connection, period: str) -> None:
    """Until the caller's transaction ends it may post into ``period``, which has ended and is not sealed."""
    await conn.execute(queries.CLOSING, period)


async def seal(conn: Connection, period: str, at: datetime) -> None:
    """Nothing is posted into ``period`` any more, by nobody. Again has no effect."""
    await conn.execute(queries.HOLD_PERIODS, queries.PERIODS_LOCK)
    await conn.execute(queries.SEAL_PERIOD, period, at)


async def count(conn: Connection, period: str) -> None:
    """The balances of ``period``, which is sealed, are kept, and later ones are counted from them on."""
    until = first_moment(period_of(period).end)
    await conn.execute(queries.COUNT_PERIOD, period, sorted(ACCRUALS))
    await conn.execute(queries.COUNTED, period, earliest_uuid(until))


async def kept(conn: Connection, period: str) -> AsyncIterator[Moved]:
    """Yield every account of a month that is counted, as `count` has kept it."""
    async for row in conn.cursor(queries.KEPT, period, prefetch=_PREFETCH):
        yield _moved(row)


async def moved(conn: Connection, period: str) -> AsyncIterator[Moved]:
    """Yield every account through ``period``, counted from the entries alone."""
    async for row in conn.cursor(queries.MOVED, period, sorted(ACCRUALS), prefetch=_PREFETCH):
        yield _moved(row)


def first_moment(text: str) -> datetime:
    """Return the moment at which a month begins or ends (`licet.audit.layout.Period`)."""
    return datetime.fromisoformat(text).astimezone(UTC)


def month_of(moment: datetime) -> Period:
    """Return the month that ``moment`` is in, in UTC."""
    utc = moment.astimezone(UTC)
    return period_of(f"{utc.year:04d}-{utc.month:02d}")


def after(period: str) -> str:
    """Return the month after ``period``."""
    return month_of(first_moment(period_of(period).end)).name


def _moved(row: Row) -> Moved:
    columns = (int(row[name]) for name in ("opening", "accrued", "reversed", "settled"))
    return Moved(row["name"], row["currency"], *columns)


def _month(row: Row) -> Month:
    return Month(**{name: row[name] for name in Month.__struct_fields__})
