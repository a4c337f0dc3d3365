"""Segments from states: the whole of them, or what changed since the snapshot before, over its segments.

Mostly a snapshot is the one before and a small segment on top, so readers fetch little. Layers on top that are not
much larger than the newest become one with it, so their sizes grow geometrically and there are few. Once what lies on
top is a quarter of everything, or an erasure is a day old, all of it is written anew: what was erased is in no file of
a snapshot then, and the files before it go with their manifests (semantics 28).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Generator, Iterable, Iterator
from concurrent.futures import wait
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from licet import times
from licet.errors import InputError, MalformedError
from licet.index import Snapshot, StateRoots, WorkRecord, manifest, write_segments
from licet.index.container import map_file
from licet.index.merging import merge_segments, merged_layers
from licet.index.segments import open_segment
from licet.statements import kinds
from licet.statements.kinds import RegistryRef, SegmentRef
from registry.consent import all_records, changed_count, stand_still, unlogged, version
from registry.database import Connection, Database
from registry.errors import StoreUnavailable, Unavailable
from registry.snapshots import queries
from registry.snapshots.files import all_sound
from registry.translog import head
from registry.translog.tree import root_at

PIECES: Final = 16  # exact segments of one snapshot at most
SMALL: Final = 1000  # works that always fit on top
COMPACT_AFTER: Final = timedelta(days=1)  # erasures of a day share the work
_LOGGED_SECONDS: Final = 2.0
_LOOK_AGAIN: Final = 0.01
_ROOTS: Final = StateRoots()


class Built(NamedTuple):
    """Segments on disk, and everything a manifest says of them; the log root is raw bytes."""

    consent_version: int
    log_size: int
    log_root: bytes
    segments: list[SegmentRef]
    works: int
    state_root: str
    anew: bool  # no file of an earlier snapshot is in it


@asynccontextmanager
async def settled(database: Database) -> AsyncIterator[Connection]:
    """Yield a transaction that sees one moment at which every accepted statement was in the published log.

    Acceptance stands still until that moment, a fraction of a second; while statements keep coming there would be no
    such moment otherwise. Raises ``Unavailable`` if the log does not follow.
    """
    async with AsyncExitStack() as stack:
        async with database.transaction() as barrier:
            await stand_still(barrier)
            try:
                async with asyncio.timeout(_LOGGED_SECONDS):
                    await _until_published(barrier)
            except TimeoutError:
                raise Unavailable("accepted statements are not in the published log yet") from None
            conn = await stack.enter_async_context(database.transaction(isolation="repeatable_read", readonly=True))
            await conn.execute(queries.PATIENT)
            await version(conn)  # its first question: what it sees is fixed here
        yield conn


async def _until_published(conn: Connection) -> None:
    size: int | None = None  # of a log that has them all
    while size is None or (await head(conn)).published_size < size:
        if size is None and not await unlogged(conn):
            size = (await head(conn)).size
        else:
            await asyncio.sleep(_LOOK_AGAIN)


async def build(conn: Connection, last: kinds.Snapshot | None, folder: Path, ref: RegistryRef) -> Built:
    """Return the segments of all states that ``conn`` (of `settled`) sees, durably in ``folder``; ``last`` is the
    snapshot before. Raises ``Unavailable`` for a state that the published log does not cover."""
    now = await head(conn)
    log_root = now.root if now.size == now.published_size else await root_at(conn, now.published_size)
    consent_version = await version(conn)
    if last is not None and await _fits_on_top(conn, last, folder):
        gone = [row["work"].bytes for row in await conn.fetch(queries.REMOVED, last.consent_version)]
        top = []
        if gone or await changed_count(conn, last.consent_version, 1):
            changed = _pulled(all_records(conn, after=last.consent_version))
            top = await asyncio.to_thread(_write, changed, folder, now.published_size, gone)
        # New terms leave the vectors of the same works as they were, and a state may come back: a file that is on top
        # now need not lie further down as well, because it overrides every work in it.
        under = lying_under(last.segments, {each.digest for each in top})
        under, top = await asyncio.to_thread(_gathered, under, top, folder)
    else:
        under = []
        pull = _pulled(all_records(conn))
        top = await asyncio.to_thread(_write, pull, folder, now.published_size)
    draft = manifest(
        registry=ref,
        sequence=1,
        previous=None,
        consent_version=consent_version,
        log_size=now.published_size,
        log_root=log_root.hex(),
        segments=[*under, *top],
        works=0,
        state_root="",
    )
    works, root = await asyncio.to_thread(_summed, folder, draft)
    return Built(consent_version, now.published_size, log_root, draft.segments, works, root, not under)


def lying_under(segments: Iterable[SegmentRef], on_top: Collection[str]) -> list[SegmentRef]:
    """Return those of ``segments``, oldest first, that are not on top as well: an exact one goes with its near ones,
    which would else speak for works of the exact one before it."""
    kept: list[SegmentRef] = []
    gone = False
    for ref in segments:
        if ref.tier == "exact":
            gone = ref.digest in on_top
        if not gone and ref.digest not in on_top:
            kept.append(ref)
    return kept


async def _fits_on_top(conn: Connection, last: kinds.Snapshot, folder: Path) -> bool:
    if await conn.fetchval(queries.UNCOMPACTED, times.now() - COMPACT_AFTER):
        return False
    pieces = [ref for ref in last.segments if ref.tier == "exact"]
    stated = sum(ref.counts.get("works", 0) for ref in pieces)
    room = max(SMALL, last.works // 4) - (stated - last.works)
    if len(pieces) >= PIECES or room < 0 or not await asyncio.to_thread(all_sound, folder, last.segments):
        return False
    return await changed_count(conn, last.consent_version, room + 1) <= room


def _gathered(
    under: list[SegmentRef], top: list[SegmentRef], folder: Path
) -> tuple[list[SegmentRef], list[SegmentRef]]:
    """Return what stays of ``under``, and ``top`` merged with the layers that are not much larger than it."""
    layers: list[list[SegmentRef]] = []
    for ref in [*under, *top]:
        if ref.tier == "exact":
            layers.append([])
        layers[-1].append(ref)
    count = merged_layers([layer[0].counts["works"] + layer[0].counts["removed"] for layer in layers]) if top else 0
    if not count:
        return under, top
    pieces = [ref for layer in layers[-count:] for ref in layer]
    with _kept_in(folder):
        merged = merge_segments([open_segment(map_file(folder / ref.digest)) for ref in pieces], folder)
    return under[: len(under) + len(top) - len(pieces)], merged


def _write(
    records: Generator[WorkRecord], folder: Path, published: int, removed: Iterable[bytes] = ()
) -> list[SegmentRef]:
    with _kept_in(folder), closing(records):
        return write_segments(_covered(records, published), folder, removed=removed)


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Raise ``StoreUnavailable`` where the folder of segments takes none: it is full, or gone, and may come back."""
    try:
        yield
    except MalformedError:
        raise
    except InputError as error:
        raise StoreUnavailable(error.message) from None


def _covered(records: Iterable[WorkRecord], published: int) -> Iterator[WorkRecord]:
    for record in records:
        if record.log_index >= published:
            raise Unavailable("a statement in force is not in the published log yet")
        yield record


def _summed(folder: Path, draft: kinds.Snapshot) -> tuple[int, str]:
    snapshot = Snapshot.open(folder, draft)
    return len(snapshot.works), _ROOTS.root(snapshot)


def _pulled(records: AsyncIterator[list[WorkRecord]]) -> Generator[WorkRecord]:
    """Return ``records`` for a thread beside this event loop, which goes on serving them: never all in memory."""
    loop = asyncio.get_running_loop()

    async def some() -> list[WorkRecord]:
        return await anext(records, [])

    def blocking() -> Generator[WorkRecord]:
        coming = asyncio.run_coroutine_threadsafe(some(), loop)
        try:
            while piece := coming.result():
                coming = asyncio.run_coroutine_threadsafe(some(), loop)  # read while these are written
                yield from piece
        finally:
            wait((coming,))  # the connection goes on only when nobody reads from it any longer

    return blocking()
