"""Escrow ends once: it is released to whom it is held for, or returns to whoever paid (semantics 5, 6 and 21).

A charge put its amounts into escrow as a whole, and what did not leave it by parts (`parting`) leaves as a whole: to
payable once the account has claim level 2 and none of the works behind it is contested or waits for co-owners to sign
their first split, back to the licensee when the
account did not reach that level in 180 days. While a charge is contested nothing of it moves.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.statements.periods import ACCRUALS
from licet.statements.splits import LASTS
from registry import ledger
from registry.database import Connection, Row
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settlement import escrow_queries, queries
from registry.settlement.invoicing import issue_to
from registry.settlement.parting import ENOUGH, ESCROW, FEE, Charge, award, charge_of, held, share

RETURNS_AFTER: Final = timedelta(days=180)
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
            rows = await conn.fetch(escrow_queries.IN_ESCROW, after, _AT_ONCE, sorted(ACCRUALS))
            for row in rows:
                outcome = await _end(services, conn, row, now)
                released += outcome == "released"
                returned += outcome == "returned"
        if len(rows) < _AT_ONCE:
            return released, returned
        after = rows[-1]["id"]


async def _end(services: Services, conn: Connection, row: Row, now: datetime) -> str | None:
    """Return how escrow ended for one charge: released, returned, or parted; None while it goes on."""
    charge = charge_of(row)
    if charge is None:
        return None
    late = now - charge.at >= RETURNS_AFTER
    behind = await _behind(conn, charge, now)
    if behind["shareable"]:
        await share(conn, charge, now)
    if behind["lost"]:
        done = await award(conn, charge, await _debtor(conn, charge), now, late=late)
        await _credit(services, conn, charge, now)
        if not done:
            return None
        behind = await _behind(conn, charge, now)
        if not await held(conn, charge):
            last = (await conn.fetch(escrow_queries.FOLLOWED, charge.id))[0]["id"]
            await conn.execute(escrow_queries.END_ESCROW, charge.id, "parted", last, now)
            return "parted"
    if not behind["events"] or (behind["level"] >= ENOUGH and (behind["contested"] or behind["unsigned"])):
        return None
    if behind["level"] >= ENOUGH:
        await _release(conn, charge, now)
        return "released"
    if not late:
        return None
    await _return(services, conn, charge, behind, now)
    return "returned"


async def _behind(conn: Connection, charge: Charge, now: datetime) -> Row:
    if charge.agreed and not await conn.fetchval(escrow_queries.WORKS_KEPT, charge.id):
        row = await conn.fetchrow(escrow_queries.BEHIND_WHOLE, charge.number, *charge.whose)
    else:
        row = await conn.fetchrow(escrow_queries.BEHIND, *charge.uses, now - LASTS)
    assert row is not None  # it counts
    return row


async def _release(conn: Connection, charge: Charge, now: datetime) -> None:
    entries = []
    for name, amount in (await held(conn, charge)).items():
        entries.append(Entry(name, charge.currency, amount))
        entries.append(Entry(f"payable:{name.removeprefix(ESCROW)}", charge.currency, -amount))
    key = f"{charge.name}/released"
    await ledger.post(conn, [Transfer(key, "escrow-release", now, charge.source, tuple(entries), charge.name)])
    posted = await conn.fetchval(queries.TRANSFER, key)
    await conn.execute(escrow_queries.END_ESCROW, charge.id, "released", posted, now)


async def _return(services: Services, conn: Connection, charge: Charge, behind: Row, now: datetime) -> None:
    memo = f"no claim level {ENOUGH} in {RETURNS_AFTER.days} days"
    key = f"{charge.name}/returned"
    if await conn.fetchval(escrow_queries.PARTED, charge.id):  # the rest of it, as its uses come to
        amounts = {**await held(conn, charge), FEE: int(behind["fee"])}
        amounts[await _debtor(conn, charge)] = -int(behind["gross"])
        entries = tuple(Entry(name, charge.currency, amount) for name, amount in amounts.items() if amount)
        await ledger.post(conn, [Transfer(key, "escrow-return", now, charge.source, entries, memo)])
        posted = await conn.fetchval(queries.TRANSFER, key)
    else:
        for each in await conn.fetch(escrow_queries.FOLLOWED, charge.id):
            undone = f"{identifiers.from_uuid('tra', each['id'])}/undone"
            await ledger.reverse(conn, each["id"], key=undone, at=now, source=charge.source, memo=memo)
        posted = await ledger.reverse(conn, charge.id, key=key, at=now, source=charge.source, memo=memo)
    await conn.execute(escrow_queries.END_ESCROW, charge.id, "returned", posted, now)
    await _credit(services, conn, charge, now)


async def _debtor(conn: Connection, charge: Charge) -> str:
    """Return the account of the ledger in which the licensee owes what the charge came to."""
    rows = await conn.fetch(escrow_queries.ENTRIES_OF, charge.id)
    return next(str(row["name"]) for row in rows if row["name"].startswith("receivable:"))


async def _credit(services: Services, conn: Connection, charge: Charge, now: datetime) -> None:
    """What was invoiced and given back is credited to whoever paid."""
    await issue_to(services, conn, await _debtor(conn, charge), None, now)
