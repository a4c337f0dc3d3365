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

from licet import identifiers, money, times
from licet.errors import InputError
from registry import ledger
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settlement import bank_queries, camt, queries, remittance_queries
from registry.settlement.invoicing import find, pay, take_back, use_credits
from registry.settlement.types import BankEntry, BankStatement

BY_HAND: Final = "MANUAL"  # the account of what the office recorded without a bank's file
CHARGES: Final = "charges:bank"


class Recorded(NamedTuple):
    """What came of a page of a statement: ``known`` movements were recorded before."""

    statement: BankStatement
    new: int
    known: int
    suspense: int


class Place(NamedTuple):
    """Where a movement belongs: the ledger account that stands against the bank's, and what follows from it.

    ``why`` says why nobody can tell: then it is in suspense. ``kept`` is what the bank kept of a remittance, or took
    beside it, for its services: that is the registry's to bear, never the artist's.
    """

    contra: str
    organisation: UUID | None = None
    invoices: tuple[Row, ...] = ()
    returns: UUID | None = None
    remittance: UUID | None = None
    why: str | None = None
    kept: int = 0


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
        place = Place(f"receivable:{organisation}", payer, await _named(conn, invoices, payer, currency))
        return await _record(conn, name, None, entry, digest, place, now, reason)


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
            place = await _by_hand(conn, row, invoices, organisation, returns, charges=charges)
        else:
            place = await _of_remittance(conn, row, remittance)
        await _clear(conn, row, place, now)
        await look_again(conn, now)
    return place.kept


async def look_again(conn: Connection, now: datetime) -> None:
    """Whatever in suspense can be told by now is where it belongs; the lock is the caller's."""
    moved = True
    while moved:
        moved = False
        for row in await conn.fetch(bank_queries.IN_SUSPENSE):
            place = await _decide(conn, row["account"], row)
            if place.why is None:
                await _clear(conn, row, place, now)
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
        place = await _decide(conn, statement.account, _fields(entry))
        await _record(conn, statement.account, number, entry, kept, place, now)
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


# -- where a movement belongs --------------------------------------------------------------------------------------


async def _decide(conn: Connection, account: str, entry: Row | dict[str, object]) -> Place:
    suspense = Place(f"suspense:{account.lower()}")
    remitted = await _remittance(conn, entry)
    if remitted is not None:
        return remitted
    if entry["credit"]:
        if entry["reversal"]:
            return suspense._replace(why="unknown-return")
        return await _payment(conn, entry, suspense)
    if not entry["reversal"]:
        return suspense._replace(why="unknown-debit")
    return await _return(conn, account, entry) or suspense._replace(why="unknown-return")


async def _payment(conn: Connection, entry: Row | dict[str, object], suspense: Place) -> Place:
    if not entry["names"]:
        return suspense._replace(why="no-reference")
    found = await conn.fetch(queries.REFERENCED, entry["names"])
    if not found:
        return suspense._replace(why="unknown-reference")
    payers = {row["organisation"] for row in found}
    if len(payers) > 1:
        return suspense._replace(why="several-payers")
    if any(row["currency"] != entry["currency"] for row in found):
        return suspense._replace(why="currency")
    payer: UUID = payers.pop()
    return Place(f"receivable:{identifiers.from_uuid('org', payer)}", payer, tuple(found))


async def _remittance(conn: Connection, entry: Row | dict[str, object]) -> Place | None:
    """What the bank took for a remittance leaves transit; what it brought back is payable again. Each once."""
    name = entry["end_to_end"]
    if not isinstance(name, str) or not name.startswith("rem_"):
        return None
    try:
        row = await conn.fetchrow(remittance_queries.NAMED_REMITTANCE, identifiers.to_uuid(name, "rem"))
    except InputError:
        return None
    if row is None or row["cancelled"] is not None:
        return None
    if (row["amount"], row["currency"]) != (entry["amount"], entry["currency"]):
        return None
    if row["returned_by" if entry["credit"] else "paid_by"] is not None:
        return None
    owner = identifiers.from_uuid(row["kind"], row["account"])
    return Place(f"{'payable' if entry['credit'] else 'transit'}:{owner}", remittance=row["id"])


async def _return(conn: Connection, account: str, entry: Row | dict[str, object]) -> Place | None:
    row = await conn.fetchrow(bank_queries.TAKEN_BACK, account, entry["currency"], entry["amount"], entry["tokens"])
    return None if row is None else Place(row["contra"], row["organisation"], returns=row["id"])


async def _by_hand(
    conn: Connection,
    row: Row,
    invoices: Sequence[str],
    organisation: str | None,
    returns: str | None,
    *,
    charges: bool,
) -> Place:
    if charges:
        return Place(CHARGES)
    if returns is not None:
        taken = await conn.fetchrow(bank_queries.ENTRY, identifiers.to_uuid(returns, "pay", field="returns"))
        if taken is None:
            raise NotFound(f"there is no entry {returns}")
        same = all(taken[name] == row[name] for name in ("currency", "amount"))
        if row["credit"] or not taken["credit"] or not same:
            raise Invalid("returns: expected a debit, and the credit of the same amount that it takes back")
        if taken["returned_by"] is not None:
            raise Conflict(f"{returns} was taken back already")
        return Place(taken["contra"], taken["organisation"], returns=taken["id"])
    if not row["credit"]:
        raise Invalid("invoice: expected a credit, got a debit, which pays nothing")
    if invoices:
        first = await find(conn, invoices[0])
        payer: UUID = first["organisation"]
        if organisation not in (None, identifiers.from_uuid("org", payer)):
            raise Invalid.field("organisation", identifiers.from_uuid("org", payer), organisation)
    else:
        payer = identifiers.to_uuid(organisation or "", "org", field="organisation")
        if await conn.fetchval(queries.ORGANISATION, payer) is None:
            raise NotFound("there is no such organisation")
    named = await _named(conn, invoices, payer, row["currency"])
    return Place(f"receivable:{identifiers.from_uuid('org', payer)}", payer, named)


async def _of_remittance(conn: Connection, row: Row, name: str) -> Place:
    """The bank sent less back than was paid, took more than was to be paid, or named the remittance otherwise."""
    found = await conn.fetchrow(
        remittance_queries.NAMED_REMITTANCE, identifiers.to_uuid(name, "rem", field="remittance")
    )
    if found is None:
        raise NotFound(f"there is no remittance {name}")
    if found["cancelled"] is not None:
        raise Conflict(f"{name} is cancelled")
    if found["returned_by" if row["credit"] else "paid_by"] is not None:
        raise Conflict(f"{name} {'came back' if row['credit'] else 'was booked by the bank'} already")
    if found["currency"] != row["currency"]:
        raise Invalid.field("remittance", f"one in {row['currency']}, the entry's currency", found["currency"])
    kept: int = (found["amount"] - row["amount"]) * (1 if row["credit"] else -1)
    if kept < 0:
        amount, than = money.to_decimal(row["amount"]), "less" if row["credit"] else "more"
        raise Invalid.field("remittance", f"one of not {than} than {amount}", money.to_decimal(found["amount"]))
    owner = identifiers.from_uuid(found["kind"], found["account"])
    return Place(f"{'payable' if row['credit'] else 'transit'}:{owner}", remittance=found["id"], kept=kept)


async def _named(conn: Connection, invoices: Sequence[str], payer: UUID, currency: str) -> tuple[Row, ...]:
    found = {}
    for text in invoices:
        row = await find(conn, text)
        if row["organisation"] != payer:
            raise Invalid.field("invoice", f"an invoice to {identifiers.from_uuid('org', payer)}", text)
        if row["currency"] != currency:
            raise Invalid.field("invoice", f"an invoice in {currency}, the payment's currency", f"{row['currency']}")
        if row["kind"] != "invoice":
            raise Invalid.field("invoice", "an invoice", f"credit note {row['number']}")
        found[row["id"]] = row
    return tuple(found.values())


# -- into the ledger -----------------------------------------------------------------------------------------------


async def _record(
    conn: Connection,
    account: str,
    statement: UUID | None,
    entry: BankEntry,
    digest: bytes,
    place: Place,
    now: datetime,
    reason: str | None = None,
) -> UUID:
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


async def _clear(conn: Connection, row: Row, place: Place, now: datetime) -> None:
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
