"""HTTP of settlement: an organisation's own invoices, and what an account was paid, and where."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.common import Page
from licet.wire.settlement import (
    ChargeInfo,
    InvoiceInfo,
    InvoiceLine,
    InvoiceShown,
    InvoiceState,
    Payout,
    PayoutNow,
    PayoutSet,
    RemittanceInfo,
    RemittanceLine,
    RemittanceState,
)
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import hold_for_good
from registry.http.months import MONTH
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services
from registry.settlement import charging, remitting, service

Currency = Annotated[str | None, QueryParameter(pattern=r"^[A-Z]{3}$", description="An ISO 4217 code.")]
Month = Annotated[str | None, QueryParameter(pattern=rf"^{MONTH}$", description="A month such as 2026-11.")]
InState = Annotated[InvoiceState | None, QueryParameter(name="state")]
AtState = Annotated[RemittanceState | None, QueryParameter(name="state")]
_PAYS: Final = require("usage", kinds=("org",))


@get("/v1/invoices", operation_id="listInvoices", tags=["settlement"], guards=[_PAYS])
async def list_invoices(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    currency: Currency = None,
    period: Month = None,
    in_state: InState = None,
    sort: FromQuery[Literal["-issued", "issued"]] = "-issued",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[InvoiceInfo]]:
    """The organisation's invoices and credit notes, each with what of it was paid."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        page = await service.listed(conn, caller.account, asked, currency=currency, period=period, state=in_state)
    return linked(request, page)


@get("/v1/invoices/{invoice:str}", operation_id="getInvoice", tags=["settlement"], guards=[_PAYS])
async def get_invoice(
    services: NamedDependency[Services], caller: NamedDependency[Caller], invoice: FromPath[str]
) -> InvoiceShown:
    """One invoice with the payments and credit notes that count towards it."""
    number = identifiers.to_uuid(invoice, "inv", field="path:invoice")
    async with services.database.acquire() as conn:
        return await service.shown(conn, caller.account, number)


@get("/v1/invoices/{invoice:str}/lines", operation_id="listInvoiceLines", tags=["settlement"], guards=[_PAYS])
async def list_invoice_lines(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    invoice: FromPath[str],
    sort: FromQuery[Literal["at", "-at"]] = "at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[InvoiceLine]]:
    """The lines of an invoice: transfers of the ledger, each with the licence or batch that it comes from."""
    number = identifiers.to_uuid(invoice, "inv", field="path:invoice")
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await service.lines(conn, caller.account, number, asked))


_PAID: Final = require("usage", kinds=("art", "org"))


@put(
    "/v1/me/payout",
    operation_id="setPayout",
    tags=["settlement"],
    guards=[require("account", "payout", kinds=("art", "org"))],
)
async def set_payout(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[PayoutSet]
) -> Payout:
    """Say where the account is paid; nothing is paid there before some days have passed.

    It takes a session whose passkey was just used, or a token with scope `payout`, for which a root key has signed.
    """
    await hold_for_good(services, caller, "payout")
    return await remitting.set_payout(services, caller, data)


@get(
    "/v1/me/payout",
    operation_id="getPayout",
    tags=["settlement"],
    guards=[require("account", "payout", kinds=("art", "org"))],
)
async def get_payout(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> PayoutNow:
    """Where the account is paid; of the account number only how it ends."""
    return await remitting.payout_of(services, caller)


@get("/v1/remittances", operation_id="listRemittances", tags=["settlement"], guards=[_PAID])
async def list_remittances(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    currency: Currency = None,
    at_state: AtState = None,
    sort: FromQuery[Literal["-prepared", "prepared"]] = "-prepared",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RemittanceInfo]]:
    """What the account was paid, or is on its way to it."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        page = await remitting.listed(conn, caller.account, asked, currency=currency, state=at_state)
    return linked(request, page)


@get("/v1/remittances/{remittance:str}/lines", operation_id="listRemittanceLines", tags=["settlement"], guards=[_PAID])
async def list_remittance_lines(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    remittance: FromPath[str],
    sort: FromQuery[Literal["at", "-at"]] = "at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[RemittanceLine]]:
    """The lines that a remittance paid: transfers of the ledger, each with the licence or batch that it comes from."""
    number = identifiers.to_uuid(remittance, "rem", field="path:remittance")
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await remitting.lines(conn, caller.account, number, asked))


OfLicence = Annotated[
    str | None,
    QueryParameter(name="licence", pattern=r"^lic_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A licence charged by."),
]
OfWork = Annotated[
    str | None,
    QueryParameter(name="work", pattern=r"^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="A work charged for."),
]


@get("/v1/charges", operation_id="listCharges", tags=["settlement"], guards=[_PAID])
async def list_charges(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    currency: Currency = None,
    period: Month = None,
    of_licence: OfLicence = None,
    of_work: OfWork = None,
    sort: FromQuery[Literal["-at", "at"]] = "-at",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[ChargeInfo]]:
    """What the account was charged or credited, charge by charge: what can be disputed."""
    asked = Asked.of(request, sort, limit, cursor)
    licence = None if of_licence is None else identifiers.to_uuid(of_licence, "lic", field="?licence")
    work = None if of_work is None else identifiers.to_uuid(of_work, "wrk", field="?work")
    async with services.database.acquire() as conn:
        page = await charging.listed(
            conn, caller.id, asked, currency=currency, period=period, licence=licence, work=work
        )
    return linked(request, page)


ROUTES: Final = [
    list_charges,
    list_invoices,
    get_invoice,
    list_invoice_lines,
    set_payout,
    get_payout,
    list_remittances,
    list_remittance_lines,
]
