"""The log's newest checkpoint, its entries, the months that it closed, and one entry with what it is about."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from licet import identifiers
from licet.canonical import to_base64
from licet.errors import InputError
from licet.log import entry as entries
from licet.log import merkle, tiles
from licet.statements import envelope as envelopes
from licet.statements.kinds import PeriodClose, RegistryKey, RegistryKeyRevoke, Snapshot
from licet.terms import sentences
from registry import translog
from registry.consent.shown import Shown, shown
from registry.database import Connection
from registry.errors import NotFound
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.matching import door_of
from registry.portal.frame.pages import HTML, language_of, signed_in
from registry.portal.log import queries, signatures
from registry.portal.log.room import ROOM, checked
from registry.services import Services
from registry.translog.keyfiles import id_of

_A_PAGE: Final = 20
_MONTHS: Final = 24
_LARGEST: Final = 2**63 - 1
_OWN: Final = {"registry-key": RegistryKey, "registry-key-revoke": RegistryKeyRevoke, "snapshot": Snapshot}
_SCHEMAS: Final[dict[str, Any]] = {**_OWN, "period-close": PeriodClose}


class Listed(NamedTuple):
    """An entry as it is published."""

    number: int
    kind: str
    time: str


class About(NamedTuple):
    """What may be said of the statement that an entry commits to, each None where nothing may."""

    own: Any  # the registry's own statement
    dataset: str | None
    name: str | None
    model: str | None
    registered: str | None  # the number under which the register has it: a dataset, a run or a model's card
    yours: str | None  # the number of the statement, to whoever signed it
    work: Shown | None


@get(everywhere("/log"), include_in_schema=False, media_type=HTML)
async def log_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    entry: FromQuery[str] = "",
    before: FromQuery[int | None] = None,
) -> Response[Any]:
    """The newest checkpoint, and entries from the newest on; a number that was asked for leads to its entry."""
    sought = entry.strip().replace(",", "").replace("\N{FULLWIDTH COMMA}", "")
    if sought.isascii() and sought.isdecimal() and len(sought) <= 18:
        return Redirect(f"/{language_of(request)}/log/{int(sought)}", status_code=303)
    found = await signatures.published(services.log_files)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        backlog = await translog.backlog(conn)
        end = min(max(before or 0, 0), _LARGEST) or backlog.published_size
        listed = await _listed(conn, max(0, end - _A_PAGE), end)
        newest = await _listed(conn, backlog.published_size - 1, backlog.published_size)
        months = await conn.fetch(queries.MONTHS, _MONTHS)
    first = listed[-1].number if listed else 0
    here = request.url.path
    return ROOM.page(
        request,
        "log",
        here="log",
        checkpoint=found,
        newest_at=newest[0].time if newest else None,
        waiting=backlog.waiting,
        entries=listed,
        more=f"{here}?before={first}" if first else None,
        start=here if before else None,
        months=months,
        sought=entry,
        tile=None if found is None or not found.size else _paths(found.size - 1, found.size),
        **checked(services),
    )


@get(everywhere("/log/{index:int}"), include_in_schema=False, media_type=HTML)
async def entry_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    index: FromPath[int],
    work: FromQuery[str] = "",
) -> Response[bytes]:
    """One entry; ``work`` names what its reader came from, and counts where this entry is the one that speaks of it."""
    if not 0 <= index <= _LARGEST:
        raise NotFound("the log has no such entry")
    caller = signed_in(request)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows = await conn.fetch(queries.ENTRIES, index, min(index + 1, _LARGEST))
        if not rows:
            raise NotFound("the log has no such entry yet")
        about = await _about(conn, index, None if caller is None else caller.account, work)
        size = (await translog.head(conn)).published_size
    content: bytes = rows[0]["entry"]
    stated = entries.parse(content)
    door = None if about.work is None else door_of(about.work)
    return ROOM.page(
        request,
        "entry",
        here="log",
        index=index,
        entry=stated,
        plain=stated.kind in entries.PUBLIC_KINDS,
        text=content.decode(),
        content=to_base64(content),
        leaf=merkle.leaf_hash(content).hex(),
        about=about,
        door=door,
        words=[] if about.work is None else sentences(about.work.terms, TAGS[language_of(request)]),
        earlier=index - 1 if index else None,
        later=index + 1 if index + 1 < size else None,
        tile=_paths(index, size),
        sought="",
        **checked(services),
    )


async def _listed(conn: Connection, first: int, end: int) -> list[Listed]:
    found = []
    for row in await conn.fetch(queries.ENTRIES, first, end):
        stated = entries.parse(row["entry"])
        found.append(Listed(row["index"], stated.kind, stated.time))
    return found


async def _about(conn: Connection, index: int, caller: UUID | None, work: str) -> About:
    row = await conn.fetchrow(queries.ABOUT, index, caller)
    if row is None:
        raise NotFound("the log has no such entry yet")
    own = None
    if row["own"] is not None:
        envelope = envelopes.parse(row["own"])
        own = envelopes.read_as(_SCHEMAS[envelope.kind], envelope)
        if isinstance(own, RegistryKey):
            own = {"purpose": own.purpose, "keyid": id_of(own.key)}
    numbers = (
        (kind, row[name]) for kind, name in (("dst", "dataset"), ("run", "run"), ("crd", "card"), ("mdl", "model"))
    )
    dataset, run, card, model = (None if each is None else identifiers.from_uuid(kind, each) for kind, each in numbers)
    return About(own, dataset, row["name"], model, dataset or run or card, row["yours"], await _work(conn, index, work))


async def _work(conn: Connection, index: int, work: str) -> Shown | None:
    """Return the work that ``work`` names if it is public and what counts of it was stated by this entry."""
    try:
        number = identifiers.to_uuid(work, "wrk")
    except InputError:
        return None
    found = (await shown(conn, [number])).get(number)
    return found if found is not None and found.log_index == index else None


def _paths(index: int, size: int) -> tuple[str, str]:
    """Return where the tile with the leaf ``index`` is, and the bundle with its entry."""
    tile = index // tiles.WIDTH
    width = min(tiles.WIDTH, size - tile * tiles.WIDTH)
    return quote(f"/log/{tiles.tile_path(0, tile, width)}"), quote(f"/log/{tiles.entries_path(tile, width)}")


ROUTES: Final = [log_page, entry_page]
