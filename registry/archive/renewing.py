"""The archive made anew from time to time, so that what was erased leaves it: a fresh base, and what is older goes.

Files are removed and their keys destroyed: copies of them that lie elsewhere, backups too, can then be opened by nobody
who holds no older copy of the key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from registry.archive import queries
from registry.archive.bases import Owner, new_base, put_into, take_base
from registry.archive.keys import ArchiveKey, epoch_at
from registry.archive.places import BASES, manifests, segment_name, segment_numbers
from registry.archive.sealing import Manifest
from registry.database import Database
from registry.storage import Store

_LOCK: Final = "select pg_try_advisory_xact_lock($1)"
log = structlog.get_logger("registry.archive")


async def renew_if_due(
    database: Database, store: Store, key: ArchiveKey, owner: Owner, now: datetime, keep: timedelta
) -> Manifest | None:
    """Return the new base if the newest one is older than half of ``keep``; then nothing older than it is left.

    Keys of days before ``keep`` are destroyed, but none that the newest base needs, or what came after it. None where
    there is no base yet, or another process works.
    """
    present = await manifests(store, key, owner.origin)
    if not present:
        return None
    fresh = None
    if epoch_at(now) - present[-1].epoch >= max(1, keep.days // 2):
        fresh = await _renew(database, store, key, owner)
    newest = fresh or present[-1]
    if key.forget_before(min(epoch_at(now - keep), newest.epoch)):
        log.info("archive.keys_destroyed", before=key.epoch)
    return fresh


async def _renew(database: Database, store: Store, key: ArchiveKey, owner: Owner) -> Manifest | None:
    async with database.transaction() as conn:
        await conn.execute(queries.PATIENT_HERE)
        if not await conn.fetchval(_LOCK, queries.RENEW_LOCK):
            return None
        base = new_base()
        taken = await take_base(database, key, owner, put_into(store, base), base)
        await conn.execute(queries.KEEP_BASE, base)
    # The last segment stays: the next one names it.
    old = [number for number in await segment_numbers(store) if number <= taken.mark][:-1]
    for number in old:
        await store.remove(segment_name(number))
    for name in await store.names(BASES):
        if not name.startswith(f"{BASES}/{base}/"):
            await store.remove(name)
    log.info("archive.renewed", base=base, entries=taken.entries, removed=len(old))
    return taken
