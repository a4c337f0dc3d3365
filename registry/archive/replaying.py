"""A copy of the database brought up to the end of the archive: segment by segment, and again after any crash.

Replaying is idempotent: each change names its row by the primary key and brings all of its values, so what is there
already is written again and ends the same. What was archived of a transaction that is not complete is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from licet.errors import LicetError
from registry.archive import pgoutput, queries
from registry.archive.applying import Applier
from registry.archive.aside import set_aside
from registry.archive.bases import Progress, silent
from registry.archive.keys import ArchiveKey
from registry.archive.places import read_segment, segment_digest, segment_name, segment_numbers
from registry.archive.sealing import Segment
from registry.database import Connection, Database, migrate
from registry.errors import ArchiveError
from registry.storage import Store


class Replayed(NamedTuple):
    """How many segments were read, and the last of them."""

    segments: int
    last: int


async def replay(
    database: Database, conn: Connection, store: Store, key: ArchiveKey, origin: str, progress: Progress = silent
) -> Replayed:
    """The database of ``conn`` holds every complete transaction of the archive; its constraints are set aside.

    Raises ``ArchiveError`` that names the segment which is missing, damaged, swapped or of another registry.
    """
    row = await conn.fetchrow(queries.MARK)
    if row is None:
        raise ArchiveError("expected the row that says how far the archive reaches, found none")
    mark: int = row["segment"]
    numbers = await segment_numbers(store)
    todo = await _complete(store, [number for number in numbers if number > mark], key, origin)
    if not todo:
        return Replayed(0, mark)
    last = await _read(store, todo[-1], key, origin)
    await migrate(database, upto=last.header.schema)  # rows of an earlier schema have a place in a later one
    await set_aside(conn)
    earlier = [number for number in numbers if number <= mark]
    before = _Before(earlier[-1], await segment_digest(store, earlier[-1])) if earlier else None
    applier = Applier(conn)
    for done, number in enumerate(todo, 1):
        now = await _read(store, number, key, origin)
        _follows(store, now, before, mark)
        progress(f"segment {done} of {len(todo)}, {now.header.entries} entries")
        await _apply(conn, applier, now, store)
        before = _Before(number, now.digest)
    return Replayed(len(todo), todo[-1])


async def last_complete(store: Store, key: ArchiveKey, origin: str, mark: int) -> Segment | None:
    """Return what the last segment after ``mark`` with which a transaction is complete says of itself, if one is."""
    numbers = [number for number in await segment_numbers(store) if number > mark]
    todo = await _complete(store, numbers, key, origin)
    return (await _read(store, todo[-1], key, origin)).header if todo else None


class _Before(NamedTuple):
    number: int
    digest: str


class _Found(NamedTuple):
    header: Segment
    body: bytes
    digest: str


async def _read(store: Store, number: int, key: ArchiveKey, origin: str) -> _Found:
    return _Found(*await read_segment(store, number, key, origin))


async def _complete(store: Store, numbers: Sequence[int], key: ArchiveKey, origin: str) -> list[int]:
    """Return ``numbers`` up to the last segment with which a transaction is complete."""
    left = list(numbers)
    while left and not (await _read(store, left[-1], key, origin)).header.end:
        left.pop()
    return left


def _follows(store: Store, now: _Found, before: _Before | None, mark: int) -> None:
    shown = f"{store.shown}/{segment_name(now.header.number)}"
    if now.header.since > mark:
        raise ArchiveError(
            f"{shown}: the changes before it were not followed without a gap since segment {mark}, which this copy "
            f"holds; restore into an empty database from a newer backup or from the archive's own base"
        )
    if before is None:
        if now.header.previous > mark:
            raise ArchiveError(f"{shown}: expected segment {now.header.previous} before it, found none; put it back")
    elif (now.header.previous, now.header.digest) != (before.number, before.digest):
        raise ArchiveError(
            f"{shown}: expected to come after segment {now.header.previous}, got segment {before.number} "
            f"there: one is missing, or was swapped; put it back"
        )


async def _apply(conn: Connection, applier: Applier, now: _Found, store: Store) -> None:
    shown = f"{store.shown}/{segment_name(now.header.number)}"
    messages = pgoutput.frames(now.body)
    try:
        left = True
        while left:
            async with conn.transaction():
                left = False
                for frame in messages:
                    message = pgoutput.parse(frame)
                    if message is not None:
                        await applier.take(message)
                    if applier.is_full:
                        left = True
                        break
                await applier.flush()
                if not left and now.header.end:
                    await conn.execute(queries.SET_MARK, now.header.number)
    except (LicetError, struct.error) as error:
        raise ArchiveError(f"{shown}: {error}") from None
    except ArchiveError as error:
        raise ArchiveError(f"{shown}: {error.detail}") from error
