"""Segments of features: what is new goes on top, layers that are not much larger become one, what is gone goes.

A picture's features are in the table; segments are made from it, and made anew whenever something is wrong with them.
A file is written first and named by a row after that, so a process that ends between the two leaves a file that nobody
reads, and the next one begins where it was. Nothing is larger than ``LARGEST`` pictures, which is what has to fit into
memory while segments become one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from licet import times
from licet.derivative import segment as segments
from licet.derivative.features import Features, decode
from licet.derivative.segment import DerivativeSegment
from licet.errors import InputError, MalformedError
from registry.database import Connection, Row
from registry.derivatives import queries
from registry.errors import StoreUnavailable
from registry.services import Services
from registry.snapshots.files import put_aside, sound
from registry.works.queries import FEATURES_FORM

AT_ONCE: Final = 2000  # pictures, some 11 MB, that go into a new segment
LARGEST: Final = 50_000  # pictures of one segment: 295 MB at most
FACTOR: Final = 3  # a layer so many times larger than what lies on it stays as it is
COMPACT_AFTER: Final = timedelta(days=1)
COMPACT_SHARE: Final = 8  # or once one in so many pictures is gone
_KEPT_FOR: Final = 600.0  # seconds that a file stays which no row names: it may be on its way to one

log = structlog.get_logger("registry.derivatives")


class Part(NamedTuple):
    """One segment, as a row has it."""

    id: int
    digest: bytes
    form: str
    pictures: int


def folder_of(services: Services) -> Path:
    """Return where the segments are, each named by its digest."""
    return services.settings.data / "derivatives"


async def hold_together(services: Services, *, counted: bool = True) -> bool:
    """Return whether every file is whole, and segments and table say the same; if not, all is made anew from here on.

    Files are read once a process, and again where they look changed. Without ``counted`` nothing else is looked at.
    """
    async with services.database.acquire() as conn:
        parts = _parts(await conn.fetch(queries.SEGMENTS))
        totals = await conn.fetchrow(queries.TOTALS) if counted else None
    lost = await asyncio.to_thread(_lost, folder_of(services), parts)
    old = any(part.form != FEATURES_FORM for part in parts)
    if not lost and not old and (totals is None or totals["indexed"] == totals["pictures"]):
        return True
    log.warning("derivatives.anew", lost=lost, of_another_form=old, totals=totals and dict(totals))
    async with services.database.transaction() as conn:
        await conn.execute(queries.DROP_ALL)
        await conn.execute(queries.ANEW)
        await conn.execute(queries.FORGET_ALL)
    return False


async def build(services: Services) -> int:
    """Return how many pictures were given a place in the segments; then none waits, and layers are few.

    Raises ``StoreUnavailable`` where the folder takes no file: what is there stays in force.
    """
    added = 0
    while more := await _added(services):
        added += more
        await _gathered(services)
    while await _compacted(services):
        pass
    await asyncio.to_thread(_forget, folder_of(services), await _named(services))
    return added


async def _added(services: Services) -> int:
    async with services.database.acquire() as conn:
        rows = await conn.fetch(queries.WAITING, FEATURES_FORM, AT_ONCE)
    if not rows:
        return 0
    good, bad = await asyncio.to_thread(_decoded, rows)
    for name, why in bad:
        log.error("derivatives.unreadable", features=str(name), error=why)
        async with services.database.acquire() as conn:
            await conn.execute(queries.UNREADABLE, name)
    if not good:
        return len(rows)
    digest, size = await _written(services, lambda: segments.built((name.bytes, each) for name, each in good))
    async with services.database.transaction() as conn:
        await conn.execute(queries.KEEP_SEGMENT, digest, FEATURES_FORM, len(good), size)
        there = {row["id"] for row in await conn.fetch(queries.INDEXED, [name for name, _ in good])}
        # What went away while the file was written is in it all the same.
        await conn.execute(queries.REMOVE, [name for name, _ in good if name not in there])
    return len(rows)


def _decoded(rows: Sequence[Row]) -> tuple[list[tuple[UUID, Features]], list[tuple[UUID, str]]]:
    good, bad = [], []
    for row in rows:
        try:
            good.append((row["id"], decode(row["content"], kept=True)))
        except MalformedError as error:
            bad.append((row["id"], error.message))
    return good, bad


async def _gathered(services: Services) -> None:
    """The top layers that are not much larger than what lies on them are one."""
    async with services.database.acquire() as conn:
        parts = _parts(await conn.fetch(queries.SEGMENTS))
    count = layers([part.pictures for part in parts])
    if count > 1:
        await _rewritten(services, parts[-count:])


def layers(pictures: Sequence[int]) -> int:
    """Return how many segments at the top of ``pictures`` (of each, oldest first) are to become one; below 2, none."""
    count, top = 0, 0
    for each in reversed(pictures):
        if count and (each > FACTOR * top or top + each > LARGEST):
            break
        count, top = count + 1, top + each
    return count


async def _compacted(services: Services) -> bool:
    """Return whether a segment was written without what was removed from it, as it was time."""
    async with services.database.acquire() as conn:
        parts = _parts(await conn.fetch(queries.SEGMENTS))
        removal = await conn.fetchrow(queries.REMOVAL)
        assert removal is not None
        if not removal["count"]:
            return False
        many = removal["count"] * COMPACT_SHARE > sum(part.pictures for part in parts)
        if not many and removal["oldest"] > times.now() - COMPACT_AFTER:
            return False
        gone = {row["id"].bytes for row in await conn.fetch(queries.REMOVED)}
    for part in parts:
        held = await asyncio.to_thread(_held, folder_of(services), part, gone)
        if held:
            await _rewritten(services, [part])
            return True
    async with services.database.acquire() as conn:  # of segments that are no more
        await conn.execute(queries.FORGET_REMOVED, [UUID(bytes=each) for each in gone])
    return False


def _held(folder: Path, part: Part, gone: set[bytes]) -> bool:
    return not gone.isdisjoint(segments.opened(folder / part.digest.hex()).works)


async def _rewritten(services: Services, parts: Sequence[Part]) -> None:
    """In the place of ``parts`` (oldest first) there is one segment of all in them that was not removed."""
    async with services.database.acquire() as conn:
        gone = {row["id"].bytes for row in await conn.fetch(queries.REMOVED)}
    folder = folder_of(services)
    opened = [await asyncio.to_thread(segments.opened, folder / part.digest.hex()) for part in parts]
    left_out = gone.intersection(work for each in opened for work in each.works)
    made = await asyncio.to_thread(segments.merged, opened, left_out)
    digest, size = await _written(services, lambda: made) if len(made) else (b"", 0)
    async with services.database.transaction() as conn:
        await conn.execute(queries.DROP_SEGMENTS, [part.id for part in parts])
        if len(made):
            await conn.execute(queries.REPLACE_SEGMENT, parts[0].id, digest, FEATURES_FORM, len(made), size)
        await conn.execute(queries.FORGET_REMOVED, [UUID(bytes=each) for each in left_out])


async def _written(services: Services, make: Callable[[], DerivativeSegment]) -> tuple[bytes, int]:
    def write() -> tuple[bytes, int]:
        digest, size = segments.write(folder_of(services), make())
        return bytes.fromhex(digest), size

    try:
        return await asyncio.to_thread(write)
    except MalformedError:
        raise
    except InputError as error:
        raise StoreUnavailable(error.message) from None


def _lost(folder: Path, parts: Sequence[Part]) -> list[str]:
    """Return the segments that are not in ``folder``, or are something else there; that is put aside."""
    lost = [part.digest.hex() for part in parts if not sound(folder / part.digest.hex())]
    for digest in lost:
        put_aside(folder / digest)
    return lost


async def _named(services: Services) -> set[str]:
    async with services.database.acquire() as conn:
        return {part.digest.hex() for part in _parts(await conn.fetch(queries.SEGMENTS))}


def _forget(folder: Path, named: set[str]) -> None:
    if not folder.is_dir():
        return
    before = time.time() - _KEPT_FOR
    for path in folder.iterdir():
        if path.name not in named and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _parts(rows: Sequence[Row]) -> list[Part]:
    return [Part(row["id"], row["digest"], row["form"], row["pictures"]) for row in rows]


async def segments_of(conn: Connection) -> list[str]:
    """Return the digests of the segments that are looked in now, in hex, oldest first."""
    return [row["digest"].hex() for row in await conn.fetch(queries.READ, FEATURES_FORM)]
