"""Usage batches read again: the events that are kept are those that were signed, and owe what was signed."""

from __future__ import annotations

from typing import Final

import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Event, UsageBatch
from licet.statements.licences import events_root
from registry.database import Connection, Row
from registry.usage import queries

_PREFETCH: Final = 100


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: a batch whose events are not under its root, or not as many as it says."""
    wrong = []
    async for row in conn.cursor(queries.ALL_BATCHES, prefetch=_PREFETCH):
        stored = await conn.fetch(queries.EVENTS_OF_BATCH, row["id"])
        batch = identifiers.from_uuid("bat", row["id"])
        known = sum(each["repeated"] for each in stored)
        memoranda = sum(each["memorandum"] is not None and not each["repeated"] for each in stored)
        counted = (len(stored), len(stored) - known - memoranda, known, memoranda)
        if counted != (row["count"], row["new"], row["known"], row["memorandum"]):
            wrong.append(f"usage batch {batch}: expected as many events as it says, got {counted}")
        elif row["envelope"] is not None:
            payload = envelopes.read_as(UsageBatch, envelopes.parse(row["envelope"]))
            if events_root(row["secret"], [event_of(each) for each in stored]) != payload.event_root:
                wrong.append(f"usage batch {batch}: expected the events that were signed, got others")
    wrong += [
        f"correction {row['id'].hex()}: expected the event that it corrects, as it was said last, got another"
        for row in await conn.fetch(queries.WRONG_CORRECTIONS)
    ]
    return wrong


def event_of(row: Row) -> Event:
    """Return an event as it was signed."""
    return Event(
        id=row["id"].hex(),
        licence=None if row["licence"] is None else identifiers.from_uuid("lic", row["licence"]),
        statement=None if row["statement"] is None else identifiers.from_uuid("stm", row["statement"]),
        work=identifiers.from_uuid("wrk", row["work"]),
        atom=row["atom"],
        run=row["run"],
        unit=row["unit"],
        seq=row["seq"],
        quantity=row["quantity"],
        at=times.to_text(row["at"]),
        match=row["match"],
        corrects=msgspec.UNSET if row["corrects"] is None else row["corrects"].hex(),
        was=msgspec.UNSET if row["was"] is None else row["was"],
    )
