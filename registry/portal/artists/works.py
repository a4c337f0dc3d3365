"""An artist's works: hung on a wall with their labels, found by words and state; and one of them with everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from licet import identifiers
from licet.terms import ATOMS, Terms, conditions_text
from licet.wire.works import State, Work
from registry.accounts.identity import Caller
from registry.consent import portfolio
from registry.consent.keeping import known_terms
from registry.consent.shown import said_of, tally
from registry.consent.types import Wanted
from registry.database import Connection, Row
from registry.http.paging import LONGEST_SEARCH, Asked, Cursor
from registry.portal.artists import queries
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.doors import CONTESTED, DISPUTED, LOST, WITHDRAWN, Door, door, use_door
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.pages import HTML, language_of
from registry.services import Services
from registry.works import thumbnails

A_PAGE: Final = 48
_STATES: Final[tuple[str, ...]] = get_args(State)
Sought = Annotated[str | None, QueryParameter(max_length=LONGEST_SEARCH)]
InState = Annotated[State | None, QueryParameter(name="state")]


class Hung(NamedTuple):
    """A work on the wall: its door as it stands, its thumbnail's size (None: there is none)."""

    work: Work
    door: Door
    size: tuple[int, int] | None


class Dispute(NamedTuple):
    """The dispute about a work: since when it is lost (None: it is open), and whether it holds anything meanwhile."""

    dispute: str
    lost_at: datetime | None
    holds: bool


@get(everywhere("/works"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def works(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Sought = None,
    in_state: InState = None,
    sort: FromQuery[Literal["-registered", "registered", "title", "-title"]] = "-registered",
    cursor: Cursor = None,
) -> Response[bytes]:
    """The wall."""
    asked = Asked.of(request, sort, A_PAGE, cursor)
    withdrawn = None if in_state == "withdrawn" or q else False
    page = await portfolio.own_works(
        services, caller.account, asked, Wanted(q or None, None, None, withdrawn, None, in_state)
    )
    async with services.database.acquire() as conn:
        counted = await tally(conn, caller.account)
        hung = await hang(conn, caller.account, page.items)
    return ROOM.page(
        request, "works", here="works", hung=hung, tally=counted, q=q or "", state=in_state, sort=sort,
        states=_STATES, more=_more(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/works/{work:str}"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def own_work(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    work: FromPath[str],
) -> Response[bytes]:
    """One of one's own works, with everything that is known of it."""
    number = identifiers.to_uuid(work, "wrk", field="path:work")
    found = await portfolio.own_work(services, caller.account, number)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        (hung,) = await hang(conn, caller.account, [found])
        dispute = await conn.fetchrow(queries.DISPUTE_OF, number, caller.account)
        said = await said_of(conn, caller.account, number)
        terms = await terms_of(conn, [found])
    own = terms.get(found.terms_hash or "")
    doors = [] if own is None else [(atom, use_door(own.rules[atom])) for atom in ATOMS]
    tongue = TAGS[language_of(request)]
    asks = {} if own is None else {atom: conditions_text(own.rules[atom], tongue) for atom in ATOMS}
    waiting = None if found.waiting is None else terms.get(found.waiting.terms_hash)
    return ROOM.page(
        request, "work", here="works", work=found, hung=hung, doors=doors, asks=asks,
        dispute=None if dispute is None else _dispute(dispute),
        said=[(each, None if each.terms is None else door(each.terms)) for each in said],
        waiting=None if waiting is None else door(waiting),
        undoable=found.waiting is not None and found.stated not in (None, found.waiting.terms_hash),
    )  # fmt: skip


async def hang(conn: Connection, account: UUID, found: Sequence[Work]) -> list[Hung]:
    """Return ``found`` with their doors and the sizes of their thumbnails."""
    terms = await terms_of(conn, found)
    ids = {each.work: identifiers.to_uuid(each.work, "wrk") for each in found}
    sizes = await thumbnails.sizes(conn, account, list(ids.values()))
    lost = {row["work"] for row in await conn.fetch(queries.LOST, list(ids.values()), account)}
    return [Hung(each, _door(each, terms, lost=ids[each.work] in lost), sizes.get(ids[each.work])) for each in found]


async def terms_of(conn: Connection, found: Sequence[Work]) -> dict[str, Terms]:
    """Return the terms that are in force on ``found`` or wait there, by their hash in hex."""
    hashes = {each.terms_hash for each in found} | {each.waiting.terms_hash for each in found if each.waiting}
    known = await known_terms(conn, [], *(bytes.fromhex(each) for each in hashes if each))
    return {name.hex(): terms for name, terms in known.items()}


def _dispute(row: Row) -> Dispute:
    since = row["ended_at"] if row["lost"] else None
    return Dispute(identifiers.from_uuid("dsp", row["id"]), since, row["holds"])


def _door(work: Work, terms: dict[str, Terms], *, lost: bool) -> Door:
    if work.withdrawn:
        return WITHDRAWN
    if work.state == "disputed":
        return LOST if lost else DISPUTED
    if work.contested or work.state == "frozen":
        return CONTESTED
    return door(terms.get(work.terms_hash or ""))


def _more(request: Request[Any, Any, Any], cursor: str | None) -> str | None:
    if cursor is None:
        return None
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"


ROUTES: Final = [works, own_work]
