"""Money: what is owed, held and on its way, and each charge and entry that it is made of."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from registry.accounts.identity import Caller
from registry.http.paging import Asked, Cursor
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.services import Services
from registry.settlement import charging
from registry.settlement.routes import Currency, Month
from registry.usage import money

_A_PAGE: Final = 50


@get(everywhere("/earnings"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def earnings(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: Month = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Balances in each currency, and the charges behind them, of all months or of one."""
    asked = Asked.of(request, "-at", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        balance = await money.balance(conn, caller)
        page = await charging.listed(conn, caller.id, asked, period=period)
    return ROOM.page(
        request, "earnings", here="earnings", lines=balance.lines, charges=page.items, period=period,
        trusted=caller.level >= 2, more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/earnings/entries"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def entries(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    account: FromQuery[money.Side | None] = None,
    currency: Currency = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """The entries of the ledger on the artist's own accounts: what her balances add up from."""
    asked = Asked.of(request, "-at", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await money.entries(conn, caller, asked, side=account, currency=currency)
        balance = await money.balance(conn, caller)
    total = next((each for each in balance.lines if (each.account, each.currency) == (account, currency)), None)
    return ROOM.page(
        request, "entries", here="earnings", entries=page.items, total=total,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


ROUTES: Final = [earnings, entries]
