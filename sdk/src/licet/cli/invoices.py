"""``licet invoices``: what an organisation is asked to pay, and what of it was paid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import App, Parameter

from licet import identifiers, money
from licet.cli.output import COMMON, Common, show
from licet.counted import many
from licet.errors import InputError
from licet.wire.settlement import InvoiceInfo

app = App(name="invoices", help="List and show what you are asked to pay.")


@app.command(name="list")
def list_invoices(
    *,
    state: Annotated[
        str | None, Parameter(help="Only those that are open, partly-paid, overdue, paid, credit or used.")
    ] = None,
    period: Annotated[str | None, Parameter(help="Only those of this month, such as 2026-11.")] = None,
    common: Common = COMMON,
) -> None:
    """List the invoices and credit notes to your organisation, newest first."""
    filters: dict[str, Any] = {
        name: value for name, value in (("state", state), ("period", period)) if value is not None
    }
    with common.client() as client:
        found = list(client.invoices(**filters))
    lines = [f"{each.invoice}  {_line(each)}" for each in found]
    show(common, {"invoices": found}, lines or ["No invoices."])


@app.command(name="show")
def show_invoice(invoice: str, /, *, common: Common = COMMON) -> None:
    """Show one invoice with its lines, each with what it comes from, and with what was paid of it.

    Parameters
    ----------
    invoice
        The invoice: inv_…, its number, or the reference to pay under.
    """
    with common.client() as client:
        named = invoice.startswith("inv_")
        name = _checked(invoice) if named else _called(invoice, client.invoices())
        found, lines = client.invoice(name), list(client.invoice_lines(name))
    about = found.invoice
    said = [f"{about.invoice}  {_line(about)}"]
    if about.kind == "invoice":
        said.append(f"to pay under {about.reference} until {about.due_at[:10]}")
    said += [
        f"  {line.at[:10]}  {line.source}  {money.written(line.amount, about.currency)}  {line.transfer}"
        for line in lines
    ]
    if about.carried_in != "0":
        said.append(f"  {money.written(about.carried_in, about.currency)} carried over from the invoice before")
    if about.carried_out != "0":
        said.append(f"  {money.written(about.carried_out, about.currency)} carried on to the next one")
    said += [
        f"  {each.at[:10]}  paid {money.written(each.amount, about.currency)} by {each.payment or each.credit_note}"
        if each.invoice == about.invoice
        else f"  {each.at[:10]}  used {money.written(each.amount, about.currency)} for {each.invoice}"
        for each in found.payments
    ]
    show(common, {"invoice": about, "lines": lines, "payments": found.payments}, said)


def _checked(text: str) -> str:
    identifiers.to_uuid(text, "inv", field="invoice")
    return text


def _called(text: str, invoices: Iterable[InvoiceInfo]) -> str:
    plain = "".join(text.split()).upper()
    for each in invoices:
        if plain in {str(each.number), each.reference}:
            return each.invoice
    raise InputError.field("invoice", "inv_…, or the number or reference of an invoice to you", text)


def _line(each: InvoiceInfo) -> str:
    return (
        f"{each.kind} {each.number}, {each.period}: {money.written(each.due, each.currency)}, {each.state}, "
        f"{money.figure(each.paid, each.currency)} paid, {many(each.lines, 'line')}"
    )
