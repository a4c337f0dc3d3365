"""What an account is told of: keys that came and went, uses and money, claims, disputes; what of it was read.

Each kind belongs to a topic (`topics.py`). What is told is kept, also of topics that are switched off: these are not
counted as unread, and lists leave them out unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.wire.accounts import Alerts, EventInfo
from licet.wire.common import Page
from registry.accounts import queries, topics
from registry.database import Connection, Row
from registry.errors import Invalid
from registry.http.paging import Asked, page_of

MOST_COUNTED: Final = 100  # of what is unread: more are "99+"
_TOPICAL: Final = {kind: topic for topic in topics.OPTIONAL for kind in topics.kinds_of([topic])}


async def tell(conn: Connection, account: UUID, kind: str, subject: str | None, detail: str) -> None:
    """Let ``account`` read of this, once the caller's transaction commits."""
    await conn.execute(queries.TELL, identifiers.new_uuid(), account, kind, subject, detail)


async def tell_many(
    conn: Connection,
    accounts: Collection[UUID],
    kind: str,
    subject: str,
    detail: str,
    *,
    at: datetime | None = None,
    daily: bool = False,
) -> None:
    """Let every one of ``accounts`` read of this, which happened now or ``at``.

    ``daily``: but for whoever has not read yet that something of this kind happened on that day (UTC).
    """
    if accounts:
        owners = sorted(accounts)
        numbers = [identifiers.new_uuid() for _ in owners]
        await conn.execute(queries.TELL_MANY, numbers, owners, kind, subject, detail, daily, at)


async def listed(
    conn: Connection,
    account: UUID,
    asked: Asked,
    kind: str | None = None,
    *,
    topic: str | None = None,
    without: Sequence[str] = (),
) -> Page[EventInfo]:
    """Return one page of what ``account`` was told: of one ``kind`` or ``topic``, or of all but topics ``without``.

    Raises ``Invalid`` naming the parameter.
    """
    if topic is not None and topic not in topics.TOPICS:
        raise Invalid.field("?topic", f"one of {', '.join(topics.TOPICS)}", topic)
    # What is about security is all that no other topic names.
    wanted = None if topic in (None, topics.SECURITY) else topics.kinds_of([topic])
    unwanted = topics.kinds_of(topics.OPTIONAL if topic == topics.SECURITY else () if topic else without)
    rows, more = await page_of(conn, queries.EVENTS, asked, account, kind, wanted, unwanted or None)
    return Page([_info(row) for row in rows], more)


async def unread(conn: Connection, account: UUID) -> int:
    """Return how much of what ``account`` wants to hear of it has not read, `MOST_COUNTED` at most."""
    kinds, of = list(_TOPICAL), list(_TOPICAL.values())
    found: int = await conn.fetchval(queries.UNREAD, account, kinds, of, MOST_COUNTED)
    return found


async def read(conn: Connection, account: UUID, event: UUID, *, older: bool) -> None:
    """``account`` has read ``event``, with all that is ``older``."""
    await conn.execute(queries.READ, account, event, older)


async def off(conn: Connection, account: UUID) -> list[str]:
    """Return the topics that ``account`` switched off."""
    return [row["topic"] for row in await conn.fetch(queries.OFF, account)]


async def switch(conn: Connection, account: UUID, topic: str, *, on: bool) -> None:
    """``account`` is alerted of ``topic``, or is no more; raises ``Invalid``, also for security, which stays on."""
    if topic not in topics.OPTIONAL:
        raise Invalid.field("topic", f"one of {', '.join(topics.OPTIONAL)}", topic)
    await conn.execute(queries.SWITCH_ON if on else queries.SWITCH_OFF, account, topic)


async def alerts(conn: Connection, account: UUID) -> Alerts:
    """Return which topics ``account`` is alerted of, in the order in which pages name them."""
    switched = await off(conn, account)
    return Alerts(
        on=[each for each in topics.OPTIONAL if each not in switched],
        off=[each for each in topics.OPTIONAL if each in switched],
        always=[topics.SECURITY],
    )


async def set_alerts(conn: Connection, account: UUID, unwanted: Collection[str]) -> Alerts:
    """Return the alerts of ``account`` once topics ``unwanted`` are off and no others are.

    Raises ``Invalid`` for what is no topic, and for security, which stays on; then nothing has changed.
    """
    for place, topic in enumerate(unwanted):
        if topic not in topics.OPTIONAL:
            raise Invalid.field(f"off[{place}]", f"one of {', '.join(topics.OPTIONAL)}", topic)
    await conn.fetchrow(queries.LOCK_ACCOUNT, account)  # of two at once the later one counts, whole
    for topic in topics.OPTIONAL:
        await switch(conn, account, topic, on=topic not in unwanted)
    return await alerts(conn, account)


def _info(row: Row) -> EventInfo:
    return EventInfo(
        id=identifiers.from_uuid("evt", row["id"]),
        kind=row["kind"],
        topic=topics.topic_of(row["kind"]),
        subject=row["subject"],
        detail=row["detail"],
        at=times.to_text(row["at"]),
        read_at=None if row["read_at"] is None else times.to_text(row["read_at"]),
    )
