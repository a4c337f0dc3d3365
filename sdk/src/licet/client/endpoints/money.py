"""What is owed, invoiced and paid, and the months that close."""

from __future__ import annotations

from urllib.parse import quote as escape

import msgspec

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Body, Call, Filters, get, reader
from licet.identifiers import new_uuid
from licet.wire import periods as months
from licet.wire import settlement, usage


def balance() -> Call[usage.Balance]:
    """What is owed."""
    return get("getBalance", "/v1/ledger/balance", usage.Balance, scope="usage")


def ledger(limit: int | None, filters: Filters) -> Listing[usage.LedgerLine]:
    """Ledger entries."""
    return listed("listEntries", "/v1/ledger/entries", usage.LedgerLine, filters, limit, scope="usage")


def invoices(limit: int | None, filters: Filters) -> Listing[settlement.InvoiceInfo]:
    """Invoices to the organisation."""
    return listed("listInvoices", "/v1/invoices", settlement.InvoiceInfo, filters, limit, scope="usage")


def charges(limit: int | None, filters: Filters) -> Listing[settlement.ChargeInfo]:
    """What the account was charged or credited."""
    return listed("listCharges", "/v1/charges", settlement.ChargeInfo, filters, limit, scope="usage")


def invoice(invoice: str) -> Call[settlement.InvoiceShown]:
    """One invoice with what was paid of it."""
    path = f"/v1/invoices/{escape(invoice, safe='')}"
    return get("getInvoice", path, settlement.InvoiceShown, scope="usage")


def invoice_lines(invoice: str, limit: int | None, filters: Filters) -> Listing[settlement.InvoiceLine]:
    """The lines of an invoice."""
    path = f"/v1/invoices/{escape(invoice, safe='')}/lines"
    return listed("listInvoiceLines", path, settlement.InvoiceLine, filters, limit, scope="usage")


def set_payout(wanted: settlement.PayoutSet) -> Call[settlement.Payout]:
    """Where the account is to be paid; said again later it may mean something new, so the key is."""
    content = msgspec.json.encode(wanted)
    key = new_uuid().hex
    path = "/v1/me/payout"
    return Call("setPayout", "PUT", path, reader(settlement.Payout), body=Body(content), key=key, scope="payout")


def payout() -> Call[settlement.PayoutNow]:
    """Where the account is paid."""
    return get("getPayout", "/v1/me/payout", settlement.PayoutNow, scope="account")


def remittances(limit: int | None, filters: Filters) -> Listing[settlement.RemittanceInfo]:
    """What the account was paid."""
    return listed("listRemittances", "/v1/remittances", settlement.RemittanceInfo, filters, limit, scope="usage")


def remittance_lines(remittance: str, limit: int | None, filters: Filters) -> Listing[settlement.RemittanceLine]:
    """The lines that a remittance paid."""
    path = f"/v1/remittances/{escape(remittance, safe='')}/lines"
    return listed("listRemittanceLines", path, settlement.RemittanceLine, filters, limit, scope="usage")


def periods(limit: int | None, filters: Filters) -> Listing[months.PeriodInfo]:
    """The months of the ledger."""
    return listed("listPeriods", "/v1/periods", months.PeriodInfo, filters, limit, scope=None)


def period_line(period: str) -> Call[months.PeriodLines]:
    """The caller's own lines of a closed month."""
    return get("getPeriodLine", f"/v1/periods/{escape(period, safe='')}/line", months.PeriodLines, scope="usage")


def period_batches(period: str, limit: int | None, filters: Filters) -> Listing[months.BatchProof]:
    """The usage batches of a closed month."""
    path = f"/v1/periods/{escape(period, safe='')}/batches"
    return listed("listPeriodBatches", path, months.BatchProof, filters, limit, scope="usage")
