"""On every start: is this database what was let out, or an older copy, or another one?

What was let out is known from outside of the database: the guard, the published checkpoint, the archive. A copy that is
behind catches up from the archive; one that cannot, and one of another history, are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from licet.errors import LicetError
from licet.log import tiles
from licet.log.merkle import HASH_SIZE
from registry import translog
from registry.archive import (
    ArchiveKey,
    Manifest,
    Owner,
    get_from,
    is_aside,
    last_complete,
    load_base,
    manifests,
    open_key,
    put_back,
    replay,
    segment_numbers,
    set_aside,
)
from registry.archive import queries as archived
from registry.archive.bases import Get
from registry.database import Connection, Database, migrate
from registry.errors import ArchiveError, NotFound, StartError
from registry.restoring import queries
from registry.restoring.rebuilding import rebuild
from registry.storage import Store
from registry.translog import RegistryKeys, publication
from registry.translog.tree import root_at
from registry.translog.witnesses import Witnesses

_LOOK_EVERY: Final = 0.2
_MADE_FIRST: Final = "root.pub"
log = structlog.get_logger("registry.restoring")

Progress = Callable[[str], None]


def _tell(what: str) -> None:
    log.info("restoring", at=what)


@dataclass(frozen=True)
class Place:
    """Where a registry's things are: the data folder (keys and guard), the published log, the archive, and the policy
    that names its witnesses."""

    data: Path
    origin: str
    log: Store
    archive: Store
    witnesses: Path | None = None

    @property
    def keys(self) -> Path:
        return self.data / "keys"


async def recover(database: Database, place: Place, progress: Progress = _tell) -> None:
    """The database holds everything that was ever let out or archived; mostly that is known after two looks.

    One that is behind catches up from the archive, an empty one from the archive's newest base on. Raises
    ``StartError`` that says what to do where the archive does not reach, for a database of another history, and for an
    empty one in a copy of the data folder: what it was copied from may live.
    """
    if not (place.keys / _MADE_FIRST).exists():
        return  # a registry that has never been started: there is nothing to be behind of
    # Outside first, the database after it: it is ahead of both at every moment.
    known = await let_out(place)
    newest = max(await segment_numbers(place.archive), default=0)
    async with database.dedicated() as conn:
        await conn.execute(archived.PATIENT)
        async with alone(conn):
            if not await _is_behind(conn, known, newest):
                return
            if await is_empty(conn) and not publication.lies_where_written(place.data):
                raise ArchiveError(
                    f"the database is empty, {known} log entries were let out, and {place.data} is a copy of the "
                    f"folder that the log was signed in; look at DATABASE_URL and --data; if the database is "
                    f"gone for good, `licet-registry restore --replaces` fills this one from the archive"
                )
            log.warning("restoring.begins", let_out=known, archived_segments=newest)
            await catch_up(database, conn, place, progress)
            size: int = await conn.fetchval(queries.SIZE)
            known = max(known, await cosigned(database, conn, place))
            if size < known:
                raise ArchiveError(
                    f"the archive at {place.archive.shown} ends at {size} log entries, and {known} were let out; put "
                    f"its missing segments back and start again, or, if they are lost for good, run "
                    f"`licet-registry restore --accept-loss`, which freezes every work whose last word may be lost"
                )
            log.warning("restoring.done", entries=size)


async def let_out(place: Place) -> int:
    """Return the size of the largest log that is known outside of database and archive."""
    keys = RegistryKeys.load(place.keys, place.origin)
    guard = await asyncio.to_thread(publication.read_guard, place.data)
    filed = await publication.published_checkpoint(place.log, keys.log_keys)
    return max(guard.size, filed.size if filed else 0)


async def cosigned(database: Database, conn: Connection, place: Place) -> int:
    """Return the size of the largest log that a witness says to have cosigned, 0 where none is asked or answers.

    They are asked with what the database holds by now: a witness tells what it has to whoever shows it a checkpoint.
    """
    now = await translog.head(conn)
    if place.witnesses is None or not now.size:
        return 0
    witnesses = Witnesses.load(place.witnesses, database)
    try:
        size, name = await witnesses.largest_seen(now.checkpoint)
    finally:
        await witnesses.close()
    if size > now.size:
        log.warning("restoring.cosigned", witness=name, entries=size)
    return size


async def catch_up(
    database: Database,
    conn: Connection,
    place: Place,
    progress: Progress,
    base: tuple[Manifest, Get, str] | None = None,
    *,
    as_far_as_it_goes: bool = False,
) -> int:
    """Return the size of the log after everything that is archived is in the database, its constraints in force.

    An empty database is filled first: from ``base``, else from the archive's newest. Raises ``ArchiveError``, also
    for a segment that is missing or damaged, unless it is to be brought up to there (``as_far_as_it_goes``).
    """
    keys = RegistryKeys.load(place.keys, place.origin)
    owner = Owner(place.origin, keys.ref.key)
    key = await open_key(place.keys, place.archive)
    if await is_empty(conn):
        await _fill(database, conn, place, owner, key, progress, base)
    else:
        await same_history(conn, place)
    try:
        await replay(database, conn, place.archive, key, place.origin, progress)
    except ArchiveError as error:
        if not as_far_as_it_goes:
            raise
        log.warning("restoring.ends", error=error.detail)
    if await is_aside(conn):
        progress("constraints")
        await put_back(conn)
    return await rebuild(conn, keys, place.log, progress)


async def is_empty(conn: Connection) -> bool:
    """Return whether nobody has used the database yet."""
    return not await conn.fetchval(queries.HAS_SCHEMA) or bool(await conn.fetchval(queries.IS_NEW))


async def _fill(
    database: Database,
    conn: Connection,
    place: Place,
    owner: Owner,
    key: ArchiveKey,
    progress: Progress,
    base: tuple[Manifest, Get, str] | None,
) -> None:
    if base is None:
        found = await manifests(place.archive, key, place.origin)
        if not found:
            raise ArchiveError(
                f"the database is empty, and {place.archive.shown} holds no base to fill it from; look at DATABASE_URL "
                f"and --data, or restore a backup with `licet-registry restore FILE`"
            )
        newest = found[-1]
        base = (newest, get_from(place.archive, newest.base), f"{place.archive.shown}/bases/{newest.base}")
    manifest, get, shown = base
    if manifest.root_key != owner.root_key:
        raise ArchiveError(
            f"{shown}: expected the base of the registry with root key {owner.root_key}, got one of "
            f"{manifest.root_key:.80}"
        )
    await migrate(database, upto=manifest.schema)
    await set_aside(conn)
    await load_base(conn, manifest, key, get, shown, progress)


async def reaches(place: Place, base: Manifest | None) -> int:
    """Return how long the log is in ``base`` (default: the archive's newest) and the archive after it, 0 for neither.

    That is what their last files say; whether each before them is whole is found out on the way.
    """
    key = await open_key(place.keys, place.archive)
    if base is None:
        found = await manifests(place.archive, key, place.origin)
        base = found[-1] if found else None
    last = await last_complete(place.archive, key, place.origin, base.mark if base else 0)
    return max(base.entries if base else 0, last.entries if base and last else 0)


async def _is_behind(conn: Connection, known: int, newest: int) -> bool:
    if not await conn.fetchval(queries.HAS_SCHEMA):
        return bool(known or newest)
    if await conn.fetchval(queries.SIZE) < known:
        return True
    if not await conn.fetchval(queries.KNOWS_ARCHIVE):
        return False  # of a release before the archive
    mark = await conn.fetchrow(archived.MARK)
    return mark is None or mark["segment"] < newest or await is_aside(conn)


async def same_history(conn: Connection, place: Place) -> None:
    """Raise ``StartError`` unless the log in the database is how the published one began."""
    size: int = await conn.fetchval(queries.SIZE)
    keys = RegistryKeys.load(place.keys, place.origin)
    filed = await publication.published_checkpoint(place.log, keys.log_keys)
    if filed is None or not 0 < size <= filed.size:
        return
    kept: dict[tuple[int, int, int], bytes] = {}

    def read(level: int, tile: int, width: int) -> bytes:
        return kept.setdefault((level, tile, width), bytes(width * HASH_SIZE))

    _ = tiles.TileTree(size, read).root  # which tiles it takes
    try:
        for level, tile, width in kept:
            path = tiles.tile_path(level, tile, width)
            kept[level, tile, width] = await publication.read_tile(place.log, path)
        published = tiles.TileTree(size, read).root
    except (NotFound, LicetError):
        return  # not all of it is there to compare with; the roots at the end are
    if published != await root_at(conn, size):
        raise StartError(
            f"the database holds another log than {place.log.shown}: the roots at size {size} differ; it is of another "
            f"registry or was forked, and nothing was changed"
        )


@asynccontextmanager
async def alone(conn: Connection) -> AsyncIterator[None]:
    """Hold the lock with which one process at a time brings a database up to date."""
    while not await conn.fetchval(queries.TRY_LOCK, queries.RECOVERY_LOCK):  # noqa: ASYNC110  # of another process
        await asyncio.sleep(_LOOK_EVERY)
    try:
        yield
    finally:
        await conn.execute(queries.UNLOCK, queries.RECOVERY_LOCK)
