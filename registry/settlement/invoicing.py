"""Invoices and credit notes: every transfer that an organisation owes by is on one of them, once.

Numbers follow each other without a gap. A transfer that comes late, or negates one that was invoiced, is on the next
document; where what is left is less than nothing, that is a credit note. Nobody can pay parts of a cent: they are
carried on to the next document of the same organisation and currency, so nothing is rounded away.

What an organisation has paid goes to the invoices that it names, and then to its oldest: it never has money standing to
its credit and an invoice open in the same currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, money, times
from registry.accounts import events
from registry.database import Connection, Row
from registry.errors import NotFound
from registry.services import Services
from registry.settlement import queries
from registry.settlement.references import is_reference, reference

PREFIX: Final = "receivable:"


class Issued(NamedTuple):
    """What was issued: an invoice, or a credit note (``due`` below zero, micro-units)."""

    id: UUID
    number: int
    kind: str
    organisation: UUID
    currency: str
    due: int
    reference: str


class Due(NamedTuple):
    """What a document asks for, in micro-units: ``due`` in whole cents, the rest is carried on."""

    total: int
    carried_in: int
    due: int
    carried_out: int


def due_of(total: int, carried_in: int, currency: str) -> Due:
    """Return what a document over ``total`` asks for: whole cents towards zero, nothing lost."""
    whole, cent = total + carried_in, money.smallest(currency)
    due = abs(whole) // cent * cent * (1 if whole > 0 else -1)
    return Due(total, carried_in, due, whole - due)


async def issue_to(
    services: Services, conn: Connection, name: str, period: str | None, now: datetime, *, small: bool = False
) -> list[Issued]:
    """Return the documents issued to the organisation whose receivable is ``name``; the lock is the caller's.

    Without a ``period`` it is credit notes alone, for what was invoiced and has been reversed.
    """
    organisation = identifiers.to_uuid(name.removeprefix(PREFIX), "org", field="organisation")
    least = {each.currency: each.micro for each in services.settings.invoice_minimum}
    rows = await conn.fetch(queries.UNINVOICED, name, organisation, period, list(queries.SETTLING))
    if period is None:
        rows = [row for row in rows if row["reverses"] is not None]
    issued = []
    for currency, lines in groupby(rows, key=itemgetter("currency")):
        own = list(lines)
        carried = await conn.fetchval(queries.CARRIED, organisation, currency) or 0
        due = due_of(sum(row["amount"] for row in own), carried, currency)
        if due.due < 0 or due.due >= (1 if small else max(1, least.get(currency, 1))):
            month = period or max(row["period"] for row in own)
            made = await _write(services, conn, organisation, currency, month, own, due, now)
            issued.append(made)
            reversed_here = [row["reverses"] for row in own if row["reverses"] is not None]
            await use_credits(conn, organisation, currency, now, first=reversed_here)
    return issued


async def _write(
    services: Services,
    conn: Connection,
    organisation: UUID,
    currency: str,
    period: str,
    lines: Sequence[Row],
    due: Due,
    now: datetime,
) -> Issued:
    number = await conn.fetchval(queries.NEXT_NUMBER)
    kind = "invoice" if due.due > 0 else "credit-note"
    made = Issued(identifiers.new_uuid(), number, kind, organisation, currency, due.due, reference(number))
    until = now + services.settings.invoice_due if kind == "invoice" else now
    await conn.execute(
        queries.ADD_INVOICE, made.id, number, kind, organisation, currency, period, made.reference, *due, len(lines),
        now, until,
    )  # fmt: skip
    await conn.execute(
        queries.ADD_LINES,
        made.id,
        organisation,
        currency,
        [row["id"] for row in lines],
        [row["amount"] for row in lines],
    )
    amount = money.Money(currency, abs(due.due))
    said = f"invoice {number} over {amount}, due {times.to_text(until)[:10]}, to pay under {made.reference}"
    if kind != "invoice":
        said = f"credit note {number} over {amount}"
    await events.tell(conn, organisation, kind, identifiers.from_uuid("inv", made.id), said)
    return made


# -- what is paid with what --------------------------------------------------------------------------------------------


async def pay(conn: Connection, payment: UUID, amount: int, invoices: Iterable[Row], now: datetime) -> int:
    """``invoices`` are paid with a payment of ``amount``, in their order; what of it is left is returned."""
    paid = []
    for row in invoices:
        part = min(amount, row["due"] - int(row["paid"]))
        if part > 0:
            paid.append((row["id"], payment, None, part))
            amount -= part
    await _pay(conn, paid, now)
    return amount


async def use_credits(
    conn: Connection, organisation: UUID, currency: str, now: datetime, *, first: Sequence[UUID] = ()
) -> None:
    """What stands to the credit of ``organisation`` pays its open invoices: ``first`` those, then the oldest."""
    credits_ = await conn.fetch(queries.CREDITS, organisation, currency)
    unpaid = await conn.fetch(queries.UNPAID, organisation, currency) if credits_ else []
    waiting = [
        [row["id"], row["due"] - int(row["paid"])] for row in sorted(unpaid, key=lambda row: row["id"] not in first)
    ]
    paid = []
    for row in credits_:
        rest = int(row["rest"])
        for invoice in waiting:
            part = min(rest, invoice[1])
            if part > 0:
                paid.append((invoice[0], row["payment"], row["credit"], part))
                invoice[1] -= part
                rest -= part
    await _pay(conn, paid, now)


async def take_back(conn: Connection, payment: UUID, now: datetime) -> None:
    """Nothing is paid with ``payment`` any more."""
    rows = await conn.fetch(queries.PAID_WITH, payment)
    await _pay(conn, [(row["invoice"], payment, None, -int(row["amount"])) for row in rows], now)


async def _pay(conn: Connection, paid: Sequence[tuple[UUID, UUID | None, UUID | None, int]], now: datetime) -> None:
    if paid:
        invoices, payments, credited, amounts = zip(*paid, strict=True)
        made = [identifiers.new_uuid() for _ in paid]
        await conn.execute(queries.PAY, now, made, list(invoices), list(payments), list(credited), list(amounts))


async def find(conn: Connection, text: str) -> Row:
    """Return the invoice that an operator names: ``inv_…``, its number, or its reference; raises ``NotFound``."""
    plain = "".join(text.split()).upper()
    if text.isascii() and text.isdigit() and len(text) < 16:
        row = await conn.fetchrow(queries.INVOICE_NUMBERED, int(text))
    elif is_reference(plain):
        row = await conn.fetchrow(queries.REFERENCED, [plain])
    else:
        row = await conn.fetchrow(queries.INVOICE, None, identifiers.to_uuid(text, "inv", field="invoice"))
    if row is None:
        raise NotFound(f"there is no invoice {text}")
    return row
