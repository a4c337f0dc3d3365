"""Home: what a team owes in each currency, what is to be paid, done and answered by when, who answered its requests.

A team that has taken, asked for and logged nothing yet is told what to do first instead.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from licet import times
from licet.wire.duties import DutyState
from licet.wire.usage import Balance
from registry.accounts.identity import Caller
from registry.agreements import requests as asking
from registry.disputes import service as disputes
from registry.duties import shown as duties
from registry.http.paging import Asked, Cursor
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.portal.organisations import queries
from registry.portal.organisations.asking import artists
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.services import Services
from registry.settlement import service as settlement
from registry.usage import money

#: What a new team does first, in this order; each has words and a page.
_FIRST: Final = ("started", "named", "invited", "found")
_SOME: Final = 10
_UNPAID: Final = ("overdue", "partly-paid", "open")
_UNDONE: Final = ("overdue", "open")
_ANSWERED: Final = ("offered", "refused", "retracted")
InDutyState = Annotated[DutyState | None, QueryParameter(name="state")]


@get(everywhere("/organisation"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def home(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Where a team's people begin."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        balance = await money.balance(conn, caller)
        done = await conn.fetchrow(queries.FIRST, caller.account)
        disputed = await disputes.waiting(conn, caller.account, times.now())
        unpaid = [await settlement.listed(conn, caller.account, _asked("issued"), state=each) for each in _UNPAID]
    assert done is not None  # one row, whoever asks
    undone = [await duties.listed(services, caller, _asked("revoked"), each, None) for each in _UNDONE]
    waiting = await asking.listed(services, caller, _asked("-asked"), "open", None)
    answered = [await asking.listed(services, caller, _asked("-asked"), each, None) for each in _ANSWERED]
    requests = [each for page in answered for each in page.items if each.organisation == caller.id]
    return ROOM.page(
        request,
        "home",
        here="home",
        own=caller.id,
        asking=done["asking"],
        first=None if done["found"] or done["filtered"] else [(each, done[each]) for each in _FIRST],
        purse=purse(balance),
        not_yet=balance.not_yet_computed,
        invoices=[each for page in unpaid for each in page.items],
        disputes=disputed,
        duties=[each for page in undone for each in page.items if each.organisation == caller.id],
        waiting=[each for each in waiting.items if each.account == caller.id],
        requests=requests,
        artists=await artists(services, caller, requests),
    )


@get(everywhere("/organisation/duties"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def duties_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InDutyState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """What is due since licences were revoked, and what was done."""
    page = await duties.listed(services, caller, Asked.of(request, "-revoked", A_PAGE, cursor), in_state, None)
    return ROOM.page(
        request, "duties", here="licences", duties=page.items, state=in_state,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


def purse(balance: Balance) -> dict[str, dict[str, str]]:
    """Return, for each currency, how much stands on which side."""
    found: dict[str, dict[str, str]] = {}
    for line in balance.lines:
        found.setdefault(line.currency, {})[line.account] = line.amount
    return found


def _asked(sort: str) -> Asked:
    return Asked("", sort, _SOME)


ROUTES: Final = [home, duties_page]
