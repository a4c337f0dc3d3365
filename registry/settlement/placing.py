"""Where a movement of the bank belongs: told by what it names, or by the office, and in suspense until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, money
from licet.errors import InputError
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.settlement import bank_queries, queries, remittance_queries
from registry.settlement.invoicing import find

CHARGES: Final = "charges:bank"


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


async def place_of(conn: Connection, account: str, entry: Row | dict[str, object]) -> Place:
    """Return where the movement ``entry`` of the bank's ``account`` belongs, in suspense where nobody can tell yet."""
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


async def placed_by_hand(
    conn: Connection,
    row: Row,
    invoices: Sequence[str],
    organisation: str | None,
    returns: str | None,
    *,
    charges: bool,
) -> Place:
    """Return where the office says that an entry belongs; raises ``NotFound``, ``Invalid`` and ``Conflict``."""
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
    named = await invoices_of(conn, invoices, payer, row["currency"])
    return Place(f"receivable:{identifiers.from_uuid('org', payer)}", payer, named)


async def placed_as_remittance(conn: Connection, row: Row, name: str) -> Place:
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


async def invoices_of(conn: Connection, invoices: Sequence[str], payer: UUID, currency: str) -> tuple[Row, ...]:
    """Return ``invoices``, each once; raises ``NotFound``, and ``Invalid`` for what is none of ``payer``'s to pay."""
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
