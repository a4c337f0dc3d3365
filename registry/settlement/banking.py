"""Payments in: every movement that the bank booked is in the ledger once, and none is lost.

A credit that names invoices of one organisation in their currency pays them, in part, wholly, or beyond: what is left
stands to the organisation's credit. A debit that takes an earlier credit back does so once. What nobody can tell stands
in suspense, is listed, and is looked at again whenever something new comes, in whatever order: or the office says what
it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, times
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotFound
from registry.services import Services
from registry.settlement import bank_queries, camt, queries
from registry.settlement.booking import book, clear
from registry.settlement.placing import Place, invoices_of, place_of, placed_as_remittance, placed_by_hand
from registry.settlement.types import BankEntry, BankStatement

BY_HAND: Final = "MANUAL"  # the account of what the office recorded without a bank's file


class Recorded(NamedTuple):
    """What came of a page of a statement: ``known`` movements were recorded before."""

    statement: BankStatement
    new: int
    known: int
    suspense: int


async def record(services: Services, data: bytes, file: str) -> list[Recorded]:
    """Every movement in the bank's file ``data`` (camt.053) is recorded once; what came of each page is returned.

    The same file, or another that tells of the same movements, has no further effect. Raises ``InputError`` naming line
    and field of a file that cannot be read, ``Invalid`` for another's account, and ``Conflict`` for a statement or a
    movement that was recorded with other content: then nothing of the file is recorded.
    """
    statements = await asyncio.to_thread(camt.read, data, file)
    ours = services.settings.bank_accounts
    for statement in statements:
        if statement.account not in ours:
            known = " or ".join(ours) if ours else "one that LICET_REGISTRY_BANK_ACCOUNTS names"
            raise Invalid(
                f"{file}: line {statement.line}: statement {statement.name}: expected a statement of {known}, got "
                f"one of {statement.account}"
            )
    now = times.now()
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        recorded = [await _statement(conn, each, now) for each in statements]
        await look_again(conn, now)
        waiting = {(row["account"], row["key"]) for row in await conn.fetch(bank_queries.IN_SUSPENSE)}
    return [
        each._replace(suspense=sum((each.statement.account, entry.key) in waiting for entry in each.statement.entries))
        for each in recorded
    ]


async def record_by_hand(
    services: Services,
    organisation: str,
    amount: int,
    currency: str,
    *,
    reference: str,
    reason: str,
    invoices: Sequence[str] = (),
    account: str = BY_HAND,
    booked_on: date | None = None,
) -> UUID:
    """A payment of ``organisation`` is recorded without a bank's file; its id is returned.

    Under ``reference`` it is recorded once. Raises ``Invalid``, ``NotFound`` and ``Conflict``.
    """
    now = times.now()
    payer = identifiers.to_uuid(organisation, "org", field="organisation")
    name = camt.account_name(account)
    if name is None:
        raise Invalid.field("account", "1 to 34 letters and digits", account)
    if not 0 < len(reference) <= 100 or not reference.isprintable():
        raise Invalid.field("reference", "1 to 100 printable characters", reference)
    if not 0 < len(reason) <= 500:
        raise Invalid.field("reason", "1 to 500 characters", reason)
    if amount <= 0:
        raise Invalid.field("amount", "more than nothing", str(amount))
    entry = BankEntry(reference, True, amount, currency, booked_on or now.date(), False, tokens=(reference,))
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        if await conn.fetchval(queries.ORGANISATION, payer) is None:
            raise NotFound("there is no such organisation")
        digest = sha256(msgspec.json.encode([entry, organisation, sorted(invoices)])).digest()
        known = await _known(conn, name, entry.key, digest)
        if known is not None:
            return known
        place = Place(f"receivable:{organisation}", payer, await invoices_of(conn, invoices, payer, currency))
        return await book(conn, name, None, entry, digest, place, now, reason)


async def match(
    services: Services,
    payment: str,
    *,
    invoices: Sequence[str] = (),
    organisation: str | None = None,
    returns: str | None = None,
    remittance: str | None = None,
    charges: bool = False,
) -> int:
    """What stands in suspense is matched by hand: to invoices, an organisation, the payment it takes back, a remittance
    that it pays or brings back, or charges. Return what the bank kept of a remittance, micro-units.

    Raises ``Conflict`` for a movement that is not in suspense, and ``Invalid`` for one that does not fit.
    """
    said = (bool(invoices), organisation is not None and not invoices, returns is not None, remittance is not None)
    if sum((*said, charges)) != 1:
        raise Invalid("expected one of --invoice, --organisation, --returns, --remittance or --charges")
    now = times.now()
    number = identifiers.to_uuid(payment, "pay", field="entry")
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        row = await conn.fetchrow(bank_queries.ENTRY, number)
        if row is None:
            raise NotFound(f"there is no entry {payment}")
        if row["why"] is None:
            raise Conflict(f"{payment} is not in suspense")
        if remittance is None:
            place = await placed_by_hand(conn, row, invoices, organisation, returns, charges=charges)
        else:
            place = await placed_as_remittance(conn, row, remittance)
        await clear(conn, row, place, now)
        await look_again(conn, now)
    return place.kept


async def look_again(conn: Connection, now: datetime) -> None:
    """Whatever in suspense can be told by now is where it belongs; the lock is the caller's."""
    moved = True
    while moved:
        moved = False
        for row in await conn.fetch(bank_queries.IN_SUSPENSE):
            place = await place_of(conn, row["account"], row)
            if place.why is None:
                await clear(conn, row, place, now)
                moved = True  # what takes it back may follow
                break
            await conn.execute(bank_queries.SET_WHY, row["id"], place.why)


async def _statement(conn: Connection, statement: BankStatement, now: datetime) -> Recorded:
    about = msgspec.structs.replace(statement, created_at="", line=0)
    digest = sha256(msgspec.json.encode(about)).digest()
    row = await conn.fetchrow(bank_queries.STATEMENT, statement.account, statement.name, statement.page)
    if row is not None:
        if row["digest"] != digest:
            page = f", page {statement.page}" if statement.page != 1 else ""
            raise Conflict(f"statement {statement.name}{page} of {statement.account} was recorded with other content")
        return Recorded(statement, 0, len(statement.entries), 0)
    number = identifiers.new_uuid()
    await conn.execute(
        bank_queries.ADD_STATEMENT, number, statement.account, statement.name, statement.page, digest,
        len(statement.entries), now,
    )  # fmt: skip
    known = 0
    for entry in statement.entries:
        kept = sha256(msgspec.json.encode(entry)).digest()
        if await _known(conn, statement.account, entry.key, kept) is not None:
            known += 1
            continue
        place = await place_of(conn, statement.account, _fields(entry))
        await book(conn, statement.account, number, entry, kept, place, now)
    return Recorded(statement, len(statement.entries) - known, known, 0)


async def _known(conn: Connection, account: str, key: str, digest: bytes) -> UUID | None:
    row = await conn.fetchrow(bank_queries.KNOWN_ENTRY, account, key)
    if row is None:
        return None
    if row["digest"] != digest:
        raise Conflict(f"entry {key} of {account} was recorded with other content")
    found: UUID = row["id"]
    return found


def _fields(entry: BankEntry) -> dict[str, object]:
    return {**msgspec.structs.asdict(entry), "names": list(entry.references), "tokens": list(entry.tokens)}
