"""What a team was charged and invoiced, and every entry of the ledger that its balances are made of."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from licet import identifiers, times
from registry.accounts.identity import Caller
from registry.closing import reading
from registry.disputes.subjects import may_dispute
from registry.http.paging import Asked, Cursor
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.services import Services
from registry.settlement import charging
from registry.settlement import service as settlement
from registry.settlement.routes import Currency, InState, Month, OfLicence
from registry.usage import money
from registry.usage.routes import Source


@get(everywhere("/organisation/invoices"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def invoices(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Invoices and credit notes, the newest first."""
    asked = Asked.of(request, "-issued", A_PAGE, cursor)
    async with services.database.acquire() as conn:
        page = await settlement.listed(conn, caller.account, asked, state=in_state)
    return ROOM.page(
        request, "invoices", here="invoices", tab="invoices", invoices=page.items, state=in_state,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/invoices/{invoice:str}"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def invoice(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    invoice: FromPath[str],
    cursor: Cursor = None,
) -> Response[bytes]:
    """One invoice with its lines and what was paid of it, for the screen and for paper."""
    number = identifiers.to_uuid(invoice, "inv", field="path:invoice")
    asked = Asked.of(request, "at", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await settlement.shown(conn, caller.account, number)
        lines = await settlement.lines(conn, caller.account, number, asked)
        closed = await reading.closed(conn, found.invoice.period)
    return ROOM.page(
        request, "invoice", here="invoices", invoice=found.invoice, payments=found.payments, lines=lines.items,
        closed=closed is not None, issuer=services.keys.origin, name=caller.name,
        more=following(request, lines.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/charges"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def charges(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    currency: Currency = None,
    period: Month = None,
    of_licence: OfLicence = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What the team was charged, charge by charge."""
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    licence = None if of_licence is None else identifiers.to_uuid(of_licence, "lic", field="?licence")
    async with services.database.acquire() as conn:
        page = await charging.listed(conn, caller.id, asked, currency=currency, period=period, licence=licence)
    now = times.now()
    return ROOM.page(
        request, "charges", here="invoices", tab="charges", charges=page.items,
        disputable={each.charge for each in page.items if may_dispute(each, now)},
        filters=[each for each in (currency, period, of_licence) if each],
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/organisation/entries"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def entries(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    account: FromQuery[money.Side | None] = None,
    currency: Currency = None,
    source: Source = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """The entries of the ledger on the team's own accounts: what its balances add up from."""
    asked = Asked.of(request, "-at", A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await money.entries(conn, caller, asked, side=account, currency=currency, source=source)
        balance = await money.balance(conn, caller)
    total = next((each for each in balance.lines if (each.account, each.currency) == (account, currency)), None)
    return ROOM.page(
        request, "entries", here="invoices", tab="entries", entries=page.items, total=None if source else total,
        filters=[each for each in (currency, source) if each], side=account,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


ROUTES: Final = [invoices, invoice, charges, entries]
