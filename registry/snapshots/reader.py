"""Decisions of this moment (semantics 23): the newest snapshot, and over it everything acknowledged since.

Every call asks the primary for the consent version after it was made; whatever is missing is applied before the index
is handed out. So no answer that begins after a tighten was acknowledged is made from an index without it.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from licet.errors import LicetError
from licet.index import Index, Snapshot
from licet.statements import envelope as envelopes
from licet.statements import kinds
from registry.consent import changes
from registry.database import Connection, Row
from registry.errors import DatabaseUnavailable, Unavailable
from registry.services import Services
from registry.snapshots import queries
from registry.snapshots.publication import segments_folder

REBASE_AFTER: Final = 256  # works applied over a snapshot, above which the next one is opened
_VERSION_SECONDS: Final = 3.0
_APPLY_SECONDS: Final = 60.0

log = structlog.get_logger("registry.snapshots")


class ConsentUnreadable(Unavailable):
    """The primary did not say in time what is in force: nothing is decided."""

    slug = "consent-unreadable"
    title = "Consent unreadable"


class Reader:
    """One a process. Its index only ever moves forward; each handed out stays as it is."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._index = Index()
        self._version = -1  # the index holds every change up to here
        self._settled = -1  # and up to here each with its place in the log, so it need not be read again
        self._sequence: int | None = None  # the snapshot under the index
        self._applied = 0  # works over it
        self._removed = 0  # the version of the last removal that the index knows of

    async def current(self) -> tuple[Index, int, int]:
        """Return the index, its consent version and the published log size.

        The version is at least what the primary had when this was called. Raises ``ConsentUnreadable``.
        """
        try:
            async with asyncio.timeout(_VERSION_SECONDS):
                now = await self._now()
            if self._behind(now):
                async with asyncio.timeout(_APPLY_SECONDS), self._lock:
                    # While this one waited, another may have applied what it came for.
                    if self._behind(now):
                        now = await self._catch_up()
        except (DatabaseUnavailable, TimeoutError) as error:
            raise ConsentUnreadable("the database does not say what is in force now; nothing was decided") from error
        return self._index, self._version, now["published_size"]

    def _behind(self, now: Row) -> bool:
        if self._settled < now["version"]:
            return True
        return self._stale(now) and now["sequence"] != self._sequence

    def _stale(self, now: Row) -> bool:
        """Whether the next snapshot is to be opened. A work without a deny leaves with it; until then it denies."""
        return self._applied > REBASE_AFTER or self._removed < now["removed"]

    async def _now(self) -> Row:
        async with self._services.database.acquire() as conn:
            return await _fetch_now(conn)

    async def _catch_up(self) -> Row:
        async with self._services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            now = await _fetch_now(conn)
            index, settled, applied, removed = self._index, self._settled, self._applied, self._removed
            sequence = now["sequence"]
            if sequence is not None and sequence != self._sequence and (settled < 0 or self._stale(now)):
                opened = await self._open(conn)
                if opened is not None:
                    index, settled, applied = Index(opened), opened.manifest.consent_version, 0
                    removed = min(settled, now["removed"])
            else:
                sequence = self._sequence
            found = await changes(conn, settled)
        records = [change.record for change in found]
        self._index = await asyncio.to_thread(index.with_overlay, records) if records else index
        unsettled = [change.version for change in found if not change.logged]
        self._version = now["version"]
        self._settled = min(unsettled, default=now["version"] + 1) - 1
        self._applied = applied + len(records)
        self._removed = removed
        self._sequence = sequence
        return now

    async def _open(self, conn: Connection) -> Snapshot | None:
        """Return the published snapshot, None where its files cannot be read here: everything is then applied."""
        row = await conn.fetchrow(queries.PUBLISHED)
        if row is None:
            return None
        manifest = envelopes.read_as(kinds.Snapshot, envelopes.parse(row["envelope"]))
        try:
            return await asyncio.to_thread(
                Snapshot.open, segments_folder(self._services), manifest, tiers=("exact", "near")
            )
        except LicetError as error:
            log.warning("snapshot.unreadable", sequence=row["sequence"], error=str(error))
            return None


async def _fetch_now(conn: Connection) -> Row:
    row = await conn.fetchrow(queries.NOW)
    assert row is not None
    return row
