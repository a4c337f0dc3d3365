"""Movements of the bank into the ledger, each once, with what follows from where they belong."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from licet import identifiers
from registry import ledger
from registry.database import Connection, Row
from registry.ledger import Entry, Transfer
from registry.settlement import bank_queries, queries, remittance_queries
from registry.settlement.invoicing import pay, take_back, use_credits
from registry.settlement.placing import CHARGES, Place
from registry.settlement.types import BankEntry


async def book(
    conn: Connection,
    account: str,
    statement: UUID | None,
    entry: BankEntry,
    digest: bytes,
    place: Place,
    now: datetime,
    reason: str | None = None,
) -> UUID:
    """Return the id of a new entry: it is in the ledger where it belongs, and what follows from that has happened."""
    number = identifiers.new_uuid()
    source = identifiers.from_uuid("pay", number)
    amount = entry.amount if entry.credit else -entry.amount
    bank = f"bank:{account.lower()}"
    posted = await _transfer(
        conn, source, source, bank, place.contra, entry.currency, amount, now, reason or entry.key, _kind(place, amount)
    )
    await conn.execute(
        bank_queries.ADD_ENTRY, number, account, entry.key, statement, digest, entry.credit, entry.amount,
        entry.currency, entry.booked_on, entry.reversal, list(entry.references), list(entry.tokens),
        entry.end_to_end, entry.party, entry.about, reason, now, posted, place.contra, place.organisation,
        place.returns, place.why,
    )  # fmt: skip
    await _follow(conn, number, entry.amount, entry.currency, place, now, credit=entry.credit)
    return number


async def clear(conn: Connection, row: Row, place: Place, now: datetime) -> None:
    """What stood in suspense stands where it belongs."""
    cleared = None
    if place.contra != row["contra"]:
        source = identifiers.from_uuid("pay", row["id"])
        amount = row["amount"] if row["credit"] else -row["amount"]
        key = f"{source}/cleared"
        cleared = await _transfer(
            conn,
            key,
            source,
            row["contra"],
            place.contra,
            row["currency"],
            amount,
            now,
            row["key"],
            _kind(place, amount),
        )
    if place.kept:
        source = identifiers.from_uuid("pay", row["id"])
        key, kind = kept_key(row["id"]), _kind(place, row["amount"] if row["credit"] else -row["amount"])
        await _transfer(conn, key, source, CHARGES, place.contra, row["currency"], place.kept, now, row["key"], kind)
    await conn.execute(bank_queries.CLEAR_ENTRY, row["id"], place.contra, cleared, place.organisation, place.returns)
    await _follow(conn, row["id"], row["amount"], row["currency"], place, now, credit=row["credit"])


async def _follow(
    conn: Connection, number: UUID, amount: int, currency: str, place: Place, now: datetime, *, credit: bool
) -> None:
    if place.remittance is not None:
        await conn.execute(
            remittance_queries.BROUGHT_BACK if credit else remittance_queries.BOOKED, place.remittance, number
        )
    elif place.returns is not None:
        await conn.execute(bank_queries.RETURNED, place.returns)
        await take_back(conn, place.returns, now)
    elif place.invoices:
        await pay(conn, number, amount, place.invoices, now)
    if place.organisation is not None:
        await use_credits(conn, place.organisation, currency, now)


def kept_key(entry: UUID) -> str:
    """Return the key of the transfer that bears what the bank kept of a remittance."""
    return f"{identifiers.from_uuid('pay', entry)}/kept"


def _kind(place: Place, amount: int) -> str:
    if place.remittance is not None:
        return "remittance-return" if amount > 0 else "remittance-paid"
    return "payment" if amount > 0 else "payment-return"


async def _transfer(
    conn: Connection,
    key: str,
    source: str,
    debited: str,
    credited: str,
    currency: str,
    amount: int,
    now: datetime,
    memo: str,
    kind: str,
) -> UUID:
    """Return the transfer of ``amount``, which may be less than nothing, to ``debited``."""
    entries = (Entry(debited, currency, amount), Entry(credited, currency, -amount))
    await ledger.post(conn, [Transfer(key, kind, now, source, entries, memo)])
    posted: UUID | None = await conn.fetchval(queries.TRANSFER, key)
    assert posted is not None  # a line ago
    return posted
