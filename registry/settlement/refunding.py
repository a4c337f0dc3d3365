"""Refunds, and charges that their licensee contests: what was charged is negated once, and a credit note says so.

While a charge is contested, what it credited is held in escrow. Nothing is deleted: a refund is the reversal of the
charge, and of the release from escrow that followed it. What was remitted already is owed back, out of what comes next.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from licet import identifiers, times
from registry import ledger
from registry.agreements.given_back import trued_up
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settlement import escrow_queries, queries
from registry.settlement.invoicing import Issued, issue_to
from registry.settlement.parting import charge_of

CHARGES: Final = frozenset({"licence", "usage", "allocation"})
Outcome = Literal["stands", "refunded", "withdrawn"]
"""What became of a contest. One that was withdrawn decided nothing: its charge can be contested again."""


async def refund(services: Services, transfer: str, reason: str) -> list[Issued]:
    """The charge ``transfer`` is negated; the credit notes issued for it are returned. Again, it has no effect.

    Raises ``NotFound``, ``Invalid`` for a transfer that charges nothing, ``Conflict`` for one that is contested or was
    reversed for another reason.
    """
    now = times.now()
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        charge = await _charge(conn, transfer, reason)
        contested = await conn.fetchrow(escrow_queries.CONTESTED, charge["id"])
        if contested is not None and contested["outcome"] is None:
            raise Conflict(f"{transfer} is contested: decide on that")
        return await _refund(services, conn, charge, reason, now)


async def contest(services: Services, transfer: str, reason: str) -> None:
    """What the charge ``transfer`` credited is held in escrow until `decide`; again, it has no effect.

    Raises as `refund` does, and ``Conflict`` for one that is in dispute: it is held until that ends, not longer.
    """
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        await _hold_undisputed(conn, transfer)
        await contest_in(conn, transfer, reason, times.now())


async def contest_in(conn: Connection, transfer: str, reason: str, now: datetime) -> None:
    """The same in the transaction of ``conn``, whose lock is the caller's."""
    charge = await _charge(conn, transfer, reason)
    known = await conn.fetchrow(escrow_queries.CONTESTED, charge["id"])
    if known is not None and known["outcome"] is None:
        return
    if known is not None and known["outcome"] != "withdrawn":
        raise Conflict(f"{transfer} was contested and decided on: {known['outcome']}")
    turn = 1 if known is None else known["turn"] + 1
    if charge["reversed"] is not None:
        raise Conflict(f"{transfer} was reversed already")
    followed = [row["id"] for row in await conn.fetch(escrow_queries.FOLLOWED, charge["id"])]
    entries = []
    for each in await conn.fetch(escrow_queries.PAYABLE_OF, [charge["id"], *followed]):
        owner = each["name"].removeprefix("payable:")
        amount = int(each["amount"])
        entries.append(Entry(each["name"], each["currency"], -amount))
        entries.append(Entry(f"escrow:{owner}", each["currency"], amount))
    held = None  # where all of it is in escrow already: there it stays
    if entries:
        key = _key(transfer, "contested", turn)
        await ledger.post(conn, [Transfer(key, "contested", now, charge["source"], tuple(entries), reason)])
        held = await conn.fetchval(queries.TRANSFER, key)
    await conn.execute(escrow_queries.ADD_CONTESTED, identifiers.new_uuid(), charge["id"], turn, reason, held, now)


async def decide(services: Services, transfer: str, *, refunded: bool) -> list[Issued]:
    """The contested charge ``transfer`` stands, or is refunded; the credit notes issued are returned.

    Raises ``NotFound`` for one that is not contested and ``Conflict`` for one that was decided otherwise.
    """
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        await _hold_undisputed(conn, transfer)
        return await decide_in(services, conn, transfer, times.now(), "refunded" if refunded else "stands")


async def decide_in(
    services: Services, conn: Connection, transfer: str, now: datetime, outcome: Outcome
) -> list[Issued]:
    """The same in the transaction of ``conn``, whose lock is the caller's, for whoever ends its dispute."""
    number = identifiers.to_uuid(transfer, "tra", field="transfer")
    known = await conn.fetchrow(escrow_queries.CONTESTED, number)
    charge = await conn.fetchrow(escrow_queries.CHARGE, number)
    if known is None or charge is None or known["outcome"] == "withdrawn":
        raise NotFound(f"{transfer} is not contested")
    if known["outcome"] is not None:
        if known["outcome"] != outcome:
            raise Conflict(f"{transfer} was decided on: it {known['outcome']}")
        return []
    if known["held"] is not None:
        key = _key(transfer, "decided", known["turn"])
        await ledger.reverse(conn, known["held"], key=key, at=now, source=charge["source"], memo=outcome)
    await conn.execute(escrow_queries.DECIDE, known["id"], outcome, now)
    return await _refund(services, conn, charge, "contested", now) if outcome == "refunded" else []


def _key(transfer: str, what: str, turn: int) -> str:
    return f"{transfer}/{what}" if turn == 1 else f"{transfer}/{what}/{turn}"


async def _hold_undisputed(conn: Connection, transfer: str) -> None:
    number = identifiers.to_uuid(transfer, "tra", field="transfer")
    dispute = await conn.fetchval(escrow_queries.DISPUTED, number)
    if dispute is not None:
        raise Conflict(f"{transfer} is in dispute: decide on {identifiers.from_uuid('dsp', dispute)}")


async def _charge(conn: Connection, transfer: str, reason: str) -> Row:
    if not 0 < len(reason) <= 500:
        raise Invalid.field("reason", "1 to 500 characters", reason)
    number = identifiers.to_uuid(transfer, "tra", field="transfer")
    await conn.fetchval(escrow_queries.LOCK_CHARGE, number)
    row = await conn.fetchrow(escrow_queries.CHARGE, number)
    if row is None:
        raise NotFound(f"there is no transfer {transfer}")
    if row["reverses"] is not None or row["kind"] not in CHARGES:
        raise Invalid.field("transfer", "a charge", f"a transfer of kind {row['kind']}")
    charge = charge_of(row, anywhere=True)
    if row["reversed"] is None and charge is not None and charge.batch:
        given = await conn.fetchval(escrow_queries.CORRECTED, charge.number, charge.currency, *charge.whose)
        if given < 0:
            raise Conflict(
                f"{transfer} was corrected to fewer uses since, which gave back of it: correct these further"
            )
    if row["reversed"] is None and charge is not None and charge.agreed:
        month = row["key"].split("/")[1]
        since = await trued_up(conn, charge.number, month)
        if since is not None:
            raise Conflict(f"{transfer}: {since}: correct that report further")
    return row


async def _refund(services: Services, conn: Connection, charge: Row, reason: str, now: datetime) -> list[Issued]:
    name = identifiers.from_uuid("tra", charge["id"])
    for each in await conn.fetch(escrow_queries.FOLLOWED, charge["id"]):  # the newest first
        key = f"{identifiers.from_uuid('tra', each['id'])}/undone"
        await ledger.reverse(conn, each["id"], key=key, at=now, source=charge["source"], memo=reason)
    await ledger.reverse(conn, charge["id"], key=f"{name}/refund", at=now, source=charge["source"], memo=reason)
    issued: list[Issued] = []
    for each in await conn.fetch(escrow_queries.ENTRIES_OF, charge["id"]):
        if each["name"].startswith("receivable:"):
            issued += await issue_to(services, conn, each["name"], None, now)
    return issued
