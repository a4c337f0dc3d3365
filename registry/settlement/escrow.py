"""Escrow ends once: it is released to whom it is held for, or returns to whoever paid (semantics 5 and 6).

A transfer put its amounts into escrow as a whole, and they leave it as a whole: to payable once the account has claim
level 2 and none of the works behind it is contested, back to the licensee by a reversal when the account did not reach
that level in 180 days. Co-owners get the parts that the transfer credited them with, by the split that all had signed.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from registry import ledger
from registry.database import Connection, Row
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settlement import queries
from registry.settlement.invoicing import issue_to

RETURNS_AFTER: Final = timedelta(days=180)
_ENOUGH: Final = 2  # claim level
_AT_ONCE: Final = 500
_EVERY: Final = 600.0  # seconds
_FIRST: Final = UUID(int=0)


async def run(services: Services, stop: asyncio.Event) -> None:
    """The loop: what is in escrow is looked at every ten minutes."""
    while not stop.is_set():
        await settle(services, times.now())
        try:
            await asyncio.wait_for(stop.wait(), _EVERY)
        except TimeoutError:
            continue


async def settle(services: Services, now: datetime) -> tuple[int, int]:
    """Everything whose time in escrow is over has left it; how many transfers were released, and returned."""
    released = returned = 0
    after = _FIRST
    while True:
        async with services.database.transaction() as conn:
            await conn.execute(queries.LOCK)
            rows = await conn.fetch(queries.IN_ESCROW, after, _AT_ONCE)
            for row in rows:
                outcome = await _outcome(conn, row, now)
                if outcome == "released":
                    await _release(conn, row, now)
                    released += 1
                elif outcome == "returned":
                    await _return(services, conn, row, now)
                    returned += 1
        if len(rows) < _AT_ONCE:
            return released, returned
        after = rows[-1]["id"]


async def _outcome(conn: Connection, row: Row, now: datetime) -> str | None:
    source, _, rest = row["key"].partition("/")
    side, _, payee = rest.partition("/")[0].partition(":")
    try:
        number = identifiers.to_uuid(source, "lic", "bat")
        whose = identifiers.to_uuid(payee, "art", "org", "spl")
    except InputError:
        return None  # of another kind: whoever posted it ends it
    if side != "escrow":
        return None
    behind = await conn.fetchrow(
        queries.BEHIND, source.startswith("bat"), number, rest.rpartition("/")[2], whose, payee.startswith("spl")
    )
    if behind is None or not behind["events"]:
        return None
    if behind["level"] >= _ENOUGH:
        return None if behind["contested"] else "released"
    return "returned" if now - row["at"] >= RETURNS_AFTER else None


async def _release(conn: Connection, row: Row, now: datetime) -> None:
    name = identifiers.from_uuid("tra", row["id"])
    entries = []
    for each in await conn.fetch(queries.ENTRIES_OF, row["id"]):
        side, _, owner = each["name"].partition(":")
        if side == "escrow":
            entries.append(Entry(each["name"], each["currency"], -each["amount"]))
            entries.append(Entry(f"payable:{owner}", each["currency"], each["amount"]))
    key = f"{name}/released"
    await ledger.post(conn, [Transfer(key, "escrow-release", now, row["source"], tuple(entries), name)])
    posted = await conn.fetchval(queries.TRANSFER, key)
    await conn.execute(queries.END_ESCROW, row["id"], "released", posted, now)


async def _return(services: Services, conn: Connection, row: Row, now: datetime) -> None:
    name = identifiers.from_uuid("tra", row["id"])
    memo = f"no claim level {_ENOUGH} in {RETURNS_AFTER.days} days"
    posted = await ledger.reverse(conn, row["id"], key=f"{name}/returned", at=now, source=row["source"], memo=memo)
    await conn.execute(queries.END_ESCROW, row["id"], "returned", posted, now)
    for each in await conn.fetch(queries.ENTRIES_OF, row["id"]):
        if each["name"].startswith("receivable:"):
            await issue_to(services, conn, each["name"], None, now)
