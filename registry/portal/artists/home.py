"""Home: what waits on the artist, who used what, and the two taps that make everything strict."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from licet import identifiers
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.agreements import requests
from registry.consent.shown import tally
from registry.http.paging import Asked
from registry.licensing import licences
from registry.portal.artists import alerts, queries
from registry.portal.artists.room import EVERYBODY, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.people import home_of
from registry.services import Services
from registry.usage import money

_EVENTS: Final = 8
_USES: Final = 10


@get(everywhere("/home"), include_in_schema=False, media_type=HTML, guards=[EVERYBODY])
async def home(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[Any]:
    """The artist's first page; whoever is none is led to their own."""
    if caller.kind != "art":
        return Redirect(home_of(caller, language_of(request)), status_code=303)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        counted = await tally(conn, caller.account)
        off = await events.off(conn, caller.account)
        told = await events.listed(conn, caller.account, Asked("", "-told", _EVENTS), without=off)
        alerted = await alerts.listed(conn, caller, told.items)
        used = await licences.listed(conn, caller, Asked("", "-granted", _USES), licences.Wanted())
        names = {row["id"]: row["name"] for row in await conn.fetch(queries.ORGANISATIONS, _organisations(used.items))}
        balance = await money.balance(conn, caller)
        asked = await requests.waiting(conn, caller)
        codes: int = await conn.fetchval(queries.CODES_LEFT, caller.account)
    return ROOM.page(
        request, "home", here="home", name=caller.name, tally=counted, used=used.items,
        events=alerted,
        names={identify(each): name for each, name in names.items()}, codes=codes, asked=asked,
        held=[each for each in balance.lines if each.account == "escrow"], trusted=caller.level >= 2,
    )  # fmt: skip


def identify(number: Any) -> str:
    """Return an organisation's identifier as lists have it."""
    return identifiers.from_uuid("org", number)


def _organisations(used: list[Any]) -> list[Any]:
    return sorted({identifiers.to_uuid(each.organisation) for each in used})


ROUTES: Final = [home]
