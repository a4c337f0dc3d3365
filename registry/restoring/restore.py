"""Restoring by hand: an empty database filled, an older one brought up to date, a loss accepted by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from registry.archive import ArchiveKey, is_aside, segment_numbers
from registry.archive import queries as archived
from registry.archive.keys import NAME
from registry.database import Database
from registry.errors import ArchiveError
from registry.restoring import queries
from registry.restoring.backups import read_backup
from registry.restoring.loss import Loss, accept
from registry.restoring.recovery import Place, alone, catch_up, cosigned, is_empty, let_out, reaches, same_history
from registry.translog import publication
from registry.translog import queries as translog


class Restored(NamedTuple):
    """How long the log is now, what of it is lost, and whether it may be gone on with."""

    entries: int
    loss: Loss
    replaces: bool


async def restore_from(
    database: Database,
    place: Place,
    file: Path | None,
    *,
    accept_loss: bool = False,
    replaces: bool = False,
    progress: Callable[[str], None] = lambda what: None,
) -> Restored:
    """Return what came of it: the database holds the backup ``file`` (or the archive's base) and all that came after.

    In a copy of the data folder, a database that was filled does not go on with the log before its operator has said
    that it ``replaces`` the one it is a copy of, now or by another call. Raises ``ArchiveError``
    that says what to do: a database that is not empty, an archive that does not reach what was let out (unless
    ``accept_loss``), a file that is no backup of this registry.
    """
    key = ArchiveKey.load(place.keys)
    if key is None:
        raise ArchiveError(f"{place.keys / NAME}: expected the archive's key, found none; put its copy there first")
    known = await let_out(place)
    manifest, base = None, None
    if file is not None:
        manifest, get = read_backup(file, key, place.origin)
        base = (manifest, get, str(file))
    async with database.dedicated() as conn:
        await conn.execute(archived.PATIENT)
        async with alone(conn):
            empty = await is_empty(conn)
            if not empty and file is not None and not await is_aside(conn):
                raise ArchiveError(
                    "expected an empty database to restore a backup into, got one that is in use, or restored already "
                    "(then leave the file out); name another with DATABASE_URL, or move DATA/postgres away"
                )
            if empty and not accept_loss and (reach := await reaches(place, manifest)) < known:
                raise ArchiveError(
                    f"{_sources(place, file)} end at {reach} log entries, and {known} were let out, so nothing was "
                    f"changed; put the missing segments into {place.archive.shown}, or, if they are lost for good, say "
                    f"`licet-registry restore --accept-loss`"
                )
            moved = not await asyncio.to_thread(publication.lies_where_written, place.data)
            if moved and (empty or accept_loss or await is_aside(conn)):
                await conn.execute(queries.MAKE_COPY)
            size = await catch_up(database, conn, place, progress, base, as_far_as_it_goes=accept_loss)
            loss = Loss(0, 0, 0)
            known = max(known, await cosigned(database, conn, place))
            if size < known:
                if not accept_loss:
                    raise ArchiveError(
                        f"what is archived at {place.archive.shown} ends at {size} log entries, and {known} were let "
                        f"out; put the missing segments back, or go on without them: `restore --accept-loss`, without "
                        f"a file, because the database is filled now"
                    )
                await same_history(conn, place)
                loss = await accept(conn, place, known, progress)
                size = await conn.fetchval(queries.SIZE)
            if accept_loss:  # what could not be replayed is not looked for again
                newest = max(await segment_numbers(place.archive), default=0)
                await conn.execute(archived.RAISE_MARK, newest)
            if replaces and await conn.fetchval(queries.KNOWS_COPIES):
                await conn.execute(queries.REPLACES)
            may_go_on = not (await conn.fetchval(queries.KNOWS_COPIES) and await conn.fetchval(translog.IS_COPY))
    return Restored(size, loss, may_go_on)


def _sources(place: Place, file: Path | None) -> str:
    return f"{file} and {place.archive.shown}" if file else f"the copies and changes in {place.archive.shown}"
