"""Publishing snapshots: what changed becomes a signed, logged manifest within minutes, and none ever runs out.

A manifest is signed by the snapshot key and logged after everything that it covers. It becomes the latest only when
the published log has it; its segments are in place before. Mirrors see it after that (`publication`).
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from licet import times
from licet.index import manifest
from licet.index.snapshot import LIFETIME
from licet.statements import envelope as envelopes
from licet.statements import kinds
from registry import translog
from registry.consent import version
from registry.database import Connection, Row
from registry.errors import DatabaseUnavailable, StoreUnavailable, Unavailable
from registry.observing import tracing
from registry.services import Services
from registry.snapshots import publication, queries
from registry.snapshots.building import Built, build, settled
from registry.snapshots.publication import segments_folder

KEPT: Final = 10  # manifests whose segments stay, however old
KEPT_FOR: Final = timedelta(hours=2)  # and however many: a download may be under way, workers may have one pinned
SUBJECT: Final = "snapshot"
_LOOK_EVERY: Final = 1.0  # seconds
_PAUSE: Final = 2.0  # seconds between two snapshots at least, and ten times as long as the last one took
_STAND_BY: Final = 5.0

log = structlog.get_logger("registry.snapshots")


async def run(services: Services, stop: asyncio.Event) -> None:
    """Be the publisher, or stand by for the process that is, until ``stop``."""
    async with services.database.dedicated() as conn:
        while not await conn.fetchval("select pg_try_advisory_lock($1)", queries.PUBLISHER_LOCK):
            if await _stopped(stop, _STAND_BY):
                return
        shown = False  # what was signed and logged is among the published files
        told = b""  # what the published files say of the registry's keys, which change without a snapshot
        while not stop.is_set():
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                if not shown:
                    await publication.move_in(services)
                    await publication.show(services)
                    if await _lacks(services):
                        await publish(services)
                told = await publication.show_registry(services, told)
                published, shown = await publish_if_due(services), True
            except DatabaseUnavailable:
                raise
            except StoreUnavailable as waiting:
                log.warning("snapshot.unpublished", error=waiting.detail)
                published, shown = None, False
            except Unavailable as waiting:
                log.debug("snapshot.waiting", detail=waiting.detail)
                published = None
            pause = _LOOK_EVERY
            if published is not None:
                log.info("snapshot.published", sequence=published.sequence, works=published.works)
                longest = services.settings.snapshot_delay.total_seconds() / 2
                pause = min(max(_PAUSE, 10 * (loop.time() - began)), longest)
            if await _stopped(stop, pause):
                return


async def publish_if_due(services: Services) -> kinds.Snapshot | None:
    """Return the new snapshot if consent moved since the last one, half of its life is over, or files of it are gone.

    Else None.
    """
    async with services.database.acquire() as conn:
        last = await conn.fetchrow(queries.LAST)
        now = times.now()
        unmoved = last is not None and last["consent_version"] == await version(conn) and not _ageing(last, now)
    if unmoved and not _lacking(services, last):
        return None
    with tracing.span("snapshots.publish"):
        return await publish(services)


async def publish(services: Services) -> kinds.Snapshot:
    """Return a new snapshot of this moment, in the published log and at ``/snapshots/latest``.

    Raises ``Unavailable`` while a statement in force is not in the log yet, or where another process publishes.
    """
    folder = segments_folder(services)
    async with settled(services.database) as conn:
        last = await conn.fetchrow(queries.LAST)
        built = await build(conn, _manifest(last), folder, services.keys.ref)
    await publication.put_segments(services, built.segments)
    async with services.database.transaction() as conn:
        await conn.execute("select pg_advisory_xact_lock($1)", queries.PUBLISHER_LOCK + 1)
        latest = await conn.fetchrow(queries.LAST)
        if (latest and latest["sequence"]) != (last and last["sequence"]):
            raise Unavailable("another process published a snapshot meanwhile")
        payload, pending = await _keep(services, conn, last, built)
    await translog.wait(services.database, pending)
    await publication.show(services)
    await _forget(services, folder)
    return payload


async def _keep(services: Services, conn: Connection, last: Row | None, built: Built) -> tuple[kinds.Snapshot, int]:
    issued = times.now()
    lost: int = await conn.fetchval(queries.LOST, last["pending"] if last else 0)
    payload = manifest(
        registry=services.keys.ref,
        sequence=(last["sequence"] if last else 0) + lost + 1,
        previous=last["digest"].hex() if last else None,
        consent_version=built.consent_version,
        log_size=built.log_size,
        log_root=built.log_root.hex(),
        segments=built.segments,
        works=built.works,
        state_root=built.state_root,
        issued_at=issued,
        lifetime=min(services.settings.snapshot_ttl, LIFETIME),
    )
    sealed = envelopes.encode(envelopes.seal(payload, await services.keys.hold(conn, "snapshot")))
    pending = await translog.submit(conn, "snapshot", SUBJECT, sealed, None)
    expires = times.from_text(payload.expires_at)
    await conn.execute(
        queries.KEEP,
        payload.sequence,
        payload.consent_version,
        pending,
        sealed,
        sha256(sealed).digest(),
        issued,
        expires,
    )
    if built.anew:
        await conn.execute(queries.COMPACTED, built.consent_version)
    await conn.execute(
        queries.KEEP_SEGMENTS,
        payload.sequence,
        [bytes.fromhex(ref.digest) for ref in payload.segments],
        [ref.tier for ref in payload.segments],
        [ref.size for ref in payload.segments],
    )
    return payload, pending


async def _forget(services: Services, folder: Path) -> None:
    """Delete files that no manifest of the last ten, nor of the last hours, needs."""
    before = times.now() - KEPT_FOR
    async with services.database.transaction() as conn:
        await conn.execute(queries.FORGET, KEPT, before)
        needed = {row["digest"].hex() for row in await conn.fetch(queries.NEEDED)}
    old = await asyncio.to_thread(_unneeded, folder, needed, before.timestamp())
    await publication.withdraw(services, [path.name for path in old])
    for path in old:  # last, so that what could not be withdrawn is found again
        path.unlink(missing_ok=True)


def _unneeded(folder: Path, needed: set[str], before: float) -> list[Path]:
    # By age as well: a file may be on its way into a manifest at this moment.
    return [path for path in folder.iterdir() if path.name not in needed and path.stat().st_mtime < before]


async def _lacks(services: Services) -> bool:
    """Whether segments of the last snapshot are not here: on a new machine, the near tier was among no public files."""
    async with services.database.acquire() as conn:
        last = await conn.fetchrow(queries.LAST)
    return _lacking(services, last)


def _lacking(services: Services, row: Row | None) -> bool:
    folder, last = segments_folder(services), _manifest(row)
    return last is not None and not all((folder / ref.digest).is_file() for ref in last.segments)


def _manifest(row: Row | None) -> kinds.Snapshot | None:
    if row is None:
        return None
    return envelopes.read_as(kinds.Snapshot, envelopes.parse(row["envelope"]))


def _ageing(row: Row, now: datetime) -> bool:
    lifetime: timedelta = row["expires_at"] - row["issued_at"]
    issued: datetime = row["issued_at"]
    return now >= issued + lifetime / 2


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
