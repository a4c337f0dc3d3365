"""What the service needs to answer truly, looked at now: whether each is there, since when not, and what to do.

Nothing in here is a secret: no path, address or name.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import structlog

from licet import times
from licet.errors import LicetError
from licet.log.entry import KINDS
from licet.statements import envelope as envelopes
from licet.statements import kinds
from registry import archive, translog
from registry.database import Connection, pending
from registry.errors import MigrationError, RegistryError, StoreUnavailable, Unavailable
from registry.health import office
from registry.health.checks import Check
from registry.services import Services
from registry.snapshots import queries as snapshots
from registry.translog import publication
from registry.translog.submission import DECIDING_KINDS

PATIENCE: Final = 4.0  # seconds for the database to answer all of it
STORE_PATIENCE: Final = 2.0  # of them at most for the place of the published log, which may be another machine's
_PROBE_EVERY: Final = 5.0
_RECENT: Final = 3.0
_MOST_BEHIND: Final = 1 << 30  # the server keeps four times as much for the archive
_PROBE: Final = bytes(4096)
_log = structlog.get_logger("registry.health")


class State(msgspec.Struct, frozen=True):
    """All checks by name, and the figures behind them (None where the database does not answer)."""

    checks: dict[str, Check]
    log_size: int | None = None
    log_pending: int | None = None
    log_lag_seconds: float | None = None
    archive_behind_bytes: int | None = None
    agreements_left_out: int | None = None
    reviews_late: int | None = None
    snapshot_sequence: int | None = None
    snapshot_age_seconds: float | None = None
    snapshot_expires_seconds: float | None = None

    @property
    def missing(self) -> list[str]:
        """What is not ok, in words."""
        return [check.found for check in self.checks.values() if not check.ok]


class Readiness:
    """The checks of one process; it remembers since when something has been amiss."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._since: dict[str, str] = {}
        self._probed = float("-inf")
        self._files = Check(ok=True)
        self._last: tuple[float, State] | None = None

    async def recent(self) -> State:
        """Return what was found within the last few seconds: for figures, which are asked for again and again."""
        if self._last is None or time.monotonic() - self._last[0] > _RECENT:
            await self.look()
        assert self._last is not None
        return self._last[1]

    async def look(self) -> State:
        """Return what is found at this moment, within some seconds whatever is down."""
        figures = State({})
        checks: dict[str, Check] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                checks["schema"] = await self._schema()
                async with self._services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                    figures = await self._log(conn, checks)
                    figures = await self._archive(conn, figures, checks)
                    figures = await self._office(conn, figures, checks)
                    figures = await self._snapshot(conn, figures, checks)
            checks = {"database": Check(ok=True), **checks}
        except (Unavailable, TimeoutError) as error:
            said = (
                "the database does not answer in time"
                if isinstance(error, TimeoutError)
                else "no answer from the database"
            )
            todo = "start PostgreSQL, or look at DATABASE_URL and the network; the log lines of this process say more"
            checks = {"database": Check(ok=False, found=said, todo=todo)}
            if "database" not in self._since:  # once, and here alone: where it is and what it said is no stranger's
                _log.warning("database.away", error=error.detail if isinstance(error, Unavailable) else said)
        checks["index"] = self._index()
        checks["files"] = await self._disk()
        dated = {name: self._dated(name, each) for name, each in checks.items()}
        state = msgspec.structs.replace(figures, checks=dated)
        self._last = (time.monotonic(), state)
        return state

    async def _schema(self) -> Check:
        try:
            todo = await pending(self._services.database)
        except MigrationError as error:
            return Check(ok=False, found=error.detail, todo="run the release that migrated the database, or restore")
        if todo:
            names = ", ".join(migration.file for migration in todo)
            return Check(ok=False, found=f"the schema lacks {names}", todo="run `licet-registry migrate`")
        return Check(ok=True)

    async def _log(self, conn: Connection, checks: dict[str, Check]) -> State:
        backlog = await translog.backlog(conn)
        head = await translog.head(conn)
        limit = self._services.settings.ready_lag.total_seconds()
        unpublished = (times.now() - head.at).total_seconds() if head.size > head.published_size else 0.0
        todo = "see that a worker runs (`licet-registry work`), and what its log lines say of the sequencer"
        if backlog.published_size == 0:
            found = "the log has not been published yet: is the worker running?"
            checks["log"] = Check(ok=False, found=found, todo=todo)
        elif backlog.oldest_seconds > limit:
            found = f"the sequencer is behind: a statement has been pending for {backlog.oldest_seconds:.0f} s"
            since = times.to_text(_before(backlog.oldest_seconds))
            checks["log"] = Check(ok=False, found=found, since=since, todo=todo)
        elif unpublished > limit:
            found = (
                f"{head.size - head.published_size} entries have been waiting for publication for {unpublished:.0f} s"
            )
            checks["log"] = Check(ok=False, found=found, since=times.to_text(head.at), todo=todo)
        else:
            checks["log"] = Check(ok=True)
        await self._services.keys.refresh(conn)
        checks["checkpoint"] = await self._checkpoint(head)
        checks["guard"] = await asyncio.to_thread(self._guard, head)
        return State({}, head.published_size, backlog.waiting, backlog.oldest_seconds)

    async def _checkpoint(self, head: translog.Head) -> Check:
        try:
            async with asyncio.timeout(STORE_PATIENCE):
                filed = await publication.published_checkpoint(self._services.log_files, self._services.keys.log_keys)
        except TimeoutError:
            found = "the published log does not answer in time"
            return Check(ok=False, found=found, todo="see that its place can be reached")
        except StoreUnavailable:
            return Check(ok=False, found="the published log cannot be read", todo="see that its place can be reached")
        except RegistryError:
            return Check(ok=False, found="the published checkpoint is not one of this log", todo="restore the file")
        size = filed.size if filed else 0
        settings = self._services.settings
        if size < head.published_size and settings.witness_policy and settings.witness_absence == "serve":
            found = (
                f"without the witnesses' quorum for {head.published_size} entries, the checkpoint of {size} is served"
            )
            return Check(ok=True, found=found, todo="see the worker's log lines for the witness that is missing")
        if size < head.published_size:
            found = f"the published checkpoint is of {size} entries, receipts speak of {head.published_size}"
            todo = "see that this process and the worker have the same data folder; starting the worker writes it anew"
            return Check(ok=False, found=found, todo=todo)
        return Check(ok=True)

    def _guard(self, head: translog.Head) -> Check:
        try:
            guard = publication.read_guard(self._services.settings.data)
        except RegistryError:
            return Check(ok=False, found="the log's guard cannot be read", todo="restore guard.json")
        if guard.size > head.size:
            found = f"the database holds {head.size} entries, {guard.size} were let out: it is an older one"
            return Check(ok=False, found=found, todo="restore a newer backup; the log is never rolled back")
        if guard.size < head.published_size:
            found = f"the guard remembers {guard.size} entries, {head.published_size} were let out"
            return Check(ok=False, found=found, todo="start the worker again: it brings the guard up")
        return Check(ok=True)

    async def _archive(self, conn: Connection, figures: State, checks: dict[str, Check]) -> State:
        if self._services.settings.archive == "off":
            checks["archive"] = Check(ok=True, found="nothing is archived: acknowledged statements are in one database")
            return figures
        behind = await archive.behind(conn)
        todo = "see that a worker runs, and what its log lines say of the archive"
        if behind is None:
            found = "no changes are read for the archive"
            checks["archive"] = Check(ok=False, found=found, todo=todo)
            return figures
        if behind.lost or behind.bytes > _MOST_BEHIND:
            found = f"the archive is {behind.bytes} bytes of changes behind"
            checks["archive"] = Check(ok=False, found=found, todo=todo)
        elif not behind.has_base:
            found = "the archive's first copy of everything is not complete"
            checks["archive"] = Check(ok=False, found=found, todo="wait for it; receipts wait, too")
        else:
            checks["archive"] = Check(ok=True)
        return msgspec.structs.replace(figures, archive_behind_bytes=behind.bytes)

    async def _office(self, conn: Connection, figures: State, checks: dict[str, Check]) -> State:
        checks["closes"], left_out = await office.closes(conn)
        checks["disputes"], late = await office.reviews(conn, times.now())
        return msgspec.structs.replace(figures, agreements_left_out=left_out, reviews_late=late)

    async def _snapshot(self, conn: Connection, figures: State, checks: dict[str, Check]) -> State:
        now = times.now()
        delay = self._services.settings.snapshot_delay
        todo = "see that a worker runs, and what its log lines say of snapshots"
        row = await conn.fetchrow(snapshots.LAST)
        covered = 0 if row is None else _covered(row["envelope"])
        known = sorted(KINDS) if row is None else sorted(DECIDING_KINDS)
        moved = row is None or row["consent_version"] < await conn.fetchval(snapshots.VERSION)
        waits: datetime | None = await conn.fetchval(snapshots.UNCOVERED, covered, known) if moved else None
        if row is not None and row["expires_at"] <= now:
            found = f"the newest snapshot has expired: {(now - row['expires_at']).total_seconds():.0f} s ago"
            since = times.to_text(row["expires_at"])
            checks["snapshot"] = Check(ok=False, found=found, since=since, todo=todo)
        elif waits is not None and now - waits > delay:
            late = (now - waits).total_seconds()
            found = f"no snapshot carries a change of {late:.0f} s ago; {delay.total_seconds():.0f} s are promised"
            checks["snapshot"] = Check(ok=False, found=found, since=times.to_text(waits + delay), todo=todo)
        else:
            checks["snapshot"] = Check(ok=True)
        if row is None:
            return figures
        return msgspec.structs.replace(
            figures,
            snapshot_sequence=row["sequence"],
            snapshot_age_seconds=max(0.0, (now - row["issued_at"]).total_seconds()),
            snapshot_expires_seconds=(row["expires_at"] - now).total_seconds(),
        )

    def _index(self) -> Check:
        standing = None if self._services.reader is None else self._services.reader.standing()
        if standing is None or standing.wrong is None:
            return Check(ok=True)
        todo = "see that a worker runs with this data folder: it writes anew what is not as it was signed"
        return Check(ok=standing.decides, found=standing.wrong, todo=todo)

    async def _disk(self) -> Check:
        if time.monotonic() - self._probed > _PROBE_EVERY:
            self._probed = time.monotonic()
            settings = self._services.settings
            self._files = await asyncio.to_thread(
                _writable, self._services.public, settings.data, settings.ready_disk_bytes
            )
        return self._files

    def _dated(self, name: str, check: Check) -> Check:
        if check.ok:
            self._since.pop(name, None)
            return check
        noticed = self._since.setdefault(name, times.to_text(times.now()))
        return check if check.since else msgspec.structs.replace(check, since=noticed)


def _covered(envelope: bytes) -> int:
    try:
        return envelopes.read_as(kinds.Snapshot, envelopes.parse(envelope)).log_size
    except LicetError:
        return 0


def _writable(public: Path, data: Path, reserve: int) -> Check:
    probe = public / f".ready-{os.getpid()}"
    try:
        public.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(_PROBE)
        finally:
            probe.unlink(missing_ok=True)
        free = {"published files": shutil.disk_usage(public).free, "the data folder": shutil.disk_usage(data).free}
        if (own := data / "postgres").exists():
            free["the database"] = shutil.disk_usage(own).free
    except OSError as error:
        found = f"published files cannot be written: {(error.strerror or 'no access').lower()}"
        return Check(ok=False, found=found, todo="free space, or give the service its data folder back")
    what = min(free, key=lambda each: free[each])
    if free[what] < reserve:
        found = f"{free[what]} bytes are free on the disk of {what}, {reserve} are wanted"
        return Check(ok=False, found=found, todo="free space, or set LICET_REGISTRY_READY_DISK_BYTES")
    return Check(ok=True)


def _before(seconds: float) -> datetime:
    return datetime.fromtimestamp(times.now().timestamp() - seconds, times.now().tzinfo)
