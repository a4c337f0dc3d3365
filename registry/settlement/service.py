"""What organisations and the office read of invoices and payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from licet import identifiers, money, times
from licet.wire.common import Page
from licet.wire.settlement import InvoiceInfo, InvoiceLine, InvoicePayment, InvoiceShown
from registry.database import Connection, Row
from registry.errors import NotFound
from registry.http.paging import Asked, page_of
from registry.settlement import bank_queries, queries


async def listed(
    conn: Connection,
    organisation: UUID | None,
    asked: Asked,
    *,
    currency: str | None = None,
    period: str | None = None,
    state: str | None = None,
) -> Page[InvoiceInfo]:
    """Return one page of the invoices to ``organisation`` (None, the office's: to all)."""
    rows, more = await page_of(conn, queries.INVOICES, asked, organisation, currency, period, state)
    return Page([info(row) for row in rows], more)


async def shown(conn: Connection, organisation: UUID | None, invoice: UUID) -> InvoiceShown:
    """Return one invoice with what was paid of it; raises ``NotFound``, also for another's."""
    row = await conn.fetchrow(queries.INVOICE, organisation, invoice)
    if row is None:
        raise NotFound("there is no such invoice")
    paid = await conn.fetch(queries.PAYMENTS, organisation, invoice)
    return InvoiceShown(info(row), [_payment(each) for each in paid])


async def lines(conn: Connection, organisation: UUID | None, invoice: UUID, asked: Asked) -> Page[InvoiceLine]:
    """Return one page of an invoice's lines; raises ``NotFound``, also for another's invoice."""
    if await conn.fetchrow(queries.INVOICE, organisation, invoice) is None:
        raise NotFound("there is no such invoice")
    rows, more = await page_of(conn, queries.LINES, asked, organisation, invoice)
    return Page([_line(row) for row in rows], more)


def info(row: Row) -> InvoiceInfo:
    """Return an invoice as it is told."""
    return InvoiceInfo(
        invoice=identifiers.from_uuid("inv", row["id"]),
        number=row["number"],
        kind=row["kind"],
        organisation=identifiers.from_uuid("org", row["organisation"]),
        currency=row["currency"],
        period=row["period"],
        reference=row["reference"],
        **{name: money.to_decimal(int(row[name])) for name in ("total", "carried_in", "due", "carried_out", "paid")},
        state=row["state"],
        lines=row["lines"],
        issued_at=times.to_text(row["issued_at"]),
        due_at=times.to_text(row["due_at"]),
    )


async def entries(
    conn: Connection, *, suspense: bool = False, account: str | None = None, organisation: UUID | None = None,
    limit: int = 1000,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return movements that the bank booked, the newest first, or all that stand in suspense: for the office alone."""
    if suspense:
        rows = await conn.fetch(bank_queries.IN_SUSPENSE)
    else:
        rows = await conn.fetch(bank_queries.ENTRIES, account, organisation, limit)
    return [_entry(row) for row in rows]


def _entry(row: Row) -> dict[str, Any]:
    named = {"organisation": "org", "returns": "pay", "returned_by": "pay"}
    return {
        "entry": identifiers.from_uuid("pay", row["id"]),
        "account": row["account"],
        "key": row["key"],
        "statement": row["statement"],
        "booked_on": row["booked_on"].isoformat(),
        "amount": money.to_decimal(row["amount"] if row["credit"] else -row["amount"]),
        "currency": row["currency"],
        "references": row["names"],
        "party": row["party"],
        "about": row["about"],
        "reason": row["reason"],
        "against": row["contra"],
        "suspense": row["why"],
        **{name: row[name] and identifiers.from_uuid(kind, row[name]) for name, kind in named.items()},
    }


def _line(row: Row) -> InvoiceLine:
    return InvoiceLine(
        transfer=identifiers.from_uuid("tra", row["transfer"]),
        at=times.to_text(row["at"]),
        kind=row["kind"],
        source=row["source"],
        memo=row["memo"],
        amount=money.to_decimal(row["amount"]),
    )


def _payment(row: Row) -> InvoicePayment:
    return InvoicePayment(
        invoice=identifiers.from_uuid("inv", row["invoice"]),
        payment=row["payment"] and identifiers.from_uuid("pay", row["payment"]),
        credit_note=row["credit"] and identifiers.from_uuid("inv", row["credit"]),
        amount=money.to_decimal(row["amount"]),
        at=times.to_text(row["at"]),
    )
