"""``licet-registry invoices``: what organisations are asked to pay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from cyclopts import App

from licet import identifiers, money
from registry.running.office import DataFolder, Json, attached, show
from registry.running.settling.asked import PAGE, last_month

if TYPE_CHECKING:
    from licet.wire.settlement import InvoiceInfo

invoices = App(name="invoices", help="Issue invoices to organisations, and list them.")


@invoices.command
def issue(
    *,
    period: str | None = None,
    organisation: str | None = None,
    small: bool = False,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Invoice everything that organisations owe up to the end of a month and that is on no invoice yet.

    Doing it again issues nothing.

    Parameters
    ----------
    period
        The month, such as 2026-11; default: the last one that has ended.
    organisation
        The one organisation to invoice, org_…; default: all.
    small
        Also amounts below LICET_REGISTRY_INVOICE_MINIMUM.
    """
    from registry.settlement import billing

    chosen = period or last_month()
    only = None if organisation is None else identifiers.to_uuid(organisation, "org", field="organisation")

    async def run() -> None:
        async with attached(data) as services:
            issued = await billing.issue(services, chosen, organisation=only, small=small)
        documents = [
            {
                "invoice": identifiers.from_uuid("inv", each.id),
                "number": each.number,
                "kind": each.kind,
                "organisation": identifiers.from_uuid("org", each.organisation),
                "due": money.to_decimal(each.due),
                "currency": each.currency,
                "reference": each.reference,
            }
            for each in issued
        ]
        lines = [
            f"{each['number']}  {each['kind']}  {each['organisation']}  {each['due']} {each['currency']}  "
            f"{each['reference']}"
            for each in documents
        ]
        lines.append(f"{len(issued)} issued for the time up to the end of {chosen}")
        show(as_json, "\n".join(lines), period=chosen, issued=documents)

    asyncio.run(run())


@invoices.command(name="list")
def list_invoices(
    *,
    organisation: str | None = None,
    currency: str | None = None,
    period: str | None = None,
    state: str | None = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """List invoices and credit notes, the newest first.

    Parameters
    ----------
    organisation
        Only those to this one, org_…
    currency
        Only those in this currency.
    period
        Only those of this month.
    state
        Only those that are open, partly-paid, overdue, paid, credit or used.
    """
    from registry.http.paging import Asked
    from registry.settlement import service

    only = None if organisation is None else identifiers.to_uuid(organisation, "org", field="organisation")

    async def run() -> None:
        found: list[InvoiceInfo] = []
        async with attached(data) as services, services.database.acquire() as conn:
            asked = Asked("invoices", "-issued", PAGE)
            while True:
                page = await service.listed(conn, only, asked, currency=currency, period=period, state=state)
                found += page.items
                if page.next is None:
                    break
                asked = asked._replace(cursor=page.next)
        lines = [_shown(each) for each in found] or ["no invoices"]
        show(as_json, "\n".join(lines), invoices=[msgspec.to_builtins(each) for each in found])

    asyncio.run(run())


def _shown(each: InvoiceInfo) -> str:
    return (
        f"{each.number}  {each.invoice}  {each.organisation}  {each.kind} {each.period}  "
        f"{money.written(each.due, each.currency)}  {each.state}, "
        f"{money.figure(each.paid, each.currency)} paid  {each.reference}"
    )
