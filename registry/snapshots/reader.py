"""Decisions of this moment (semantics 23): the newest snapshot, and over it everything acknowledged since.

Every call asks the primary for the consent version after it was made; whatever is missing is applied before the index
is handed out. So no answer that begins after a tighten was acknowledged is made from an index without it. The next
snapshot is opened beside the answers that go on, and takes the place of the one before at once; that is unmapped when
the last answer from it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import structlog

from licet.errors import LicetError
from licet.index import Index
from licet.statements import envelope as envelopes
from licet.statements import kinds
from registry.consent import changed_count, changes
from registry.database import Connection, Row
from registry.errors import DatabaseUnavailable, Unavailable
from registry.services import Services, Standing
from registry.snapshots import queries
from registry.snapshots.files import Mapped
from registry.snapshots.publication import segments_folder

REBASE_AFTER: Final = 256  # works applied over a snapshot, above which the next one is opened
MOST_APPLIED: Final = 200_000  # works that are applied over a snapshot, or without one: some 200 MB of them
_VERSION_SECONDS: Final = 3.0
_APPLY_SECONDS: Final = 60.0

log = structlog.get_logger("registry.snapshots")
T = TypeVar("T")


class ConsentUnreadable(Unavailable):
    """The primary did not say in time what is in force: nothing is decided."""

    slug = "consent-unreadable"
    title = "Consent unreadable"


class Shared(Generic[T]):
    """One question for all who want its answer: each gets one that was asked after it came, one is asked at a time.

    While the primary is cut off, one connection waits for it, however many requests do.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._waiting: list[asyncio.Future[T]] = []  # for the next question
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self) -> T:
        """Return an answer that was asked for after this call; raises what asking raises.

        Where it takes so long that ``TimeoutError`` is raised, those that wait for the next one are not kept longer.
        """
        answered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(answered)
        if self._asking is None:
            self._asking = asyncio.create_task(self._go_on())
        return await answered

    async def _go_on(self) -> None:
        try:
            while self._waiting:
                # Whoever comes from here on comes too late for this one.
                told, self._waiting = self._waiting, []
                try:
                    answer = await self._ask()
                except TimeoutError as error:
                    told, self._waiting = told + self._waiting, []
                    _tell(told, error)
                except Exception as error:  # noqa: BLE001  # whoever asked raises it
                    _tell(told, error)
                except BaseException:  # this process ends
                    for each in told + self._waiting:
                        each.cancel()
                    raise
                else:
                    for each in told:
                        if not each.done():  # or it has gone
                            each.set_result(answer)
        finally:
            self._asking = None


class Reader:
    """One a process. Its index only ever moves forward; each handed out stays as it is."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._now = Shared(self._read_now)
        self._index = Index()
        self._version = -1  # the index holds every change up to here
        self._settled = -1  # and up to here each with its place in the log, so it need not be read again
        self._base: Mapped | None = None
        self._sequence: int | None = None  # the snapshot under the index
        self._unreadable: int | None = None  # a snapshot whose files cannot be read here
        self._applied = 0  # works over it
        self._removed = 0  # the version of the last removal that the index knows of
        self._full = False  # more changed than can be applied
        self._opening: asyncio.Task[None] | None = None

    async def current(self) -> tuple[Index, int, int]:
        """Return the index, its consent version and the published log size.

        The version is at least what the primary had when this was called. Raises ``ConsentUnreadable``.
        """
        try:
            now = await self._now()
            if self._behind(now) or self._changed():
                async with asyncio.timeout(_APPLY_SECONDS), self._lock:
                    await self._leave_spoilt()
                    # While this one waited, another may have applied what it came for.
                    if self._behind(now):
                        now = await self._catch_up()
        except (DatabaseUnavailable, TimeoutError) as error:
            raise ConsentUnreadable("the database does not say what is in force now; nothing was decided") from error
        if self._stale() and now["sequence"] not in (self._sequence, self._unreadable) and self._opening is None:
            self._opening = asyncio.create_task(self._move())
            self._opening.add_done_callback(self._moved)
        return self._index, self._version, now["published_size"]

    def intact(self) -> bool:
        """Return whether the files that are mapped still look as they did: after an answer, whether it is one."""
        return not self._changed()

    def standing(self) -> Standing:
        """Return what answers are made from at this moment, and what is wrong with it."""
        wrong = None
        if self._full:
            wrong = "more changed since the last readable snapshot than can be applied: nothing is decided"
        elif self._unreadable is not None:
            wrong = f"snapshot {self._unreadable} cannot be read here: answers come from another, or the database"
        return Standing(self._sequence, self._applied, wrong, decides=not self._full)

    async def close(self) -> None:
        """Nothing is being opened any longer."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait((self._opening,))

    def _behind(self, now: Row) -> bool:
        if self._settled < now["version"]:
            return True
        # A work without a deny leaves with the next snapshot; until then it denies.
        return self._removed < now["removed"] and now["sequence"] not in (self._sequence, self._unreadable)

    def _stale(self) -> bool:
        return self._applied > REBASE_AFTER or self._unreadable is not None

    def _changed(self) -> bool:
        return self._base is not None and bool(self._base.changed())

    async def _read_now(self) -> Row:
        async with asyncio.timeout(_VERSION_SECONDS), self._services.database.acquire() as conn:
            return await _fetch_now(conn)

    async def _leave_spoilt(self) -> None:
        """The index is not made from files whose bytes have changed: then it begins anew, from others or none."""
        base = self._base
        if base is None or not (changed := base.changed()):
            return
        spoilt = await asyncio.to_thread(base.spoilt, changed)
        if spoilt:
            self._refused(self._sequence, f"segment {spoilt[0].name} was written to")
            self._index, self._base, self._sequence = Index(), None, None
            self._version = self._settled = -1

    async def _catch_up(self) -> Row:
        async with self._services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            now = await _fetch_now(conn)
            fresh = now["sequence"] not in (None, self._sequence, self._unreadable)
            opened = None
            wanted = (
                self._settled < 0
                or self._removed < now["removed"]
                or await self._too_many(conn, self._settled, self._applied)
            )
            if fresh and wanted:
                opened = await self._open(conn)
            await self._apply(conn, now, opened)
        return now

    async def _move(self) -> None:
        """The newest snapshot is under the index; what was acknowledged meanwhile is over it."""
        async with self._services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            opened = await self._open(conn)
        if opened is None:
            return
        async with (
            self._lock,
            self._services.database.transaction(isolation="repeatable_read", readonly=True) as conn,
        ):
            now = await _fetch_now(conn)
            if opened.snapshot.manifest.sequence > (self._sequence or 0):
                await self._apply(conn, now, opened)

    def _moved(self, task: asyncio.Task[None]) -> None:
        self._opening = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("snapshot.not_opened", error=str(error))

    async def _apply(self, conn: Connection, now: Row, opened: Mapped | None) -> None:
        """The index holds all that ``conn`` sees: over ``opened``, or over what it is made from already."""
        index, settled, applied, removed = self._index, self._settled, self._applied, self._removed
        if opened is not None:
            index, settled, applied = Index(opened.snapshot), opened.snapshot.manifest.consent_version, 0
            removed = min(settled, now["removed"])
        elif settled < 0:
            index, applied = Index(), 0
        self._full = await self._too_many(conn, settled, applied)
        if self._full:
            raise ConsentUnreadable(
                f"more than {MOST_APPLIED} works changed since the last snapshot that can be read; another is being "
                "made",
                retry_after=5,
            )
        found = await changes(conn, settled)
        records = [change.record for change in found]
        self._index = await asyncio.to_thread(index.with_overlay, records) if records else index
        unsettled = [change.version for change in found if not change.logged]
        self._version = now["version"]
        self._settled = min(unsettled, default=now["version"] + 1) - 1
        self._applied = applied + len(records)
        self._removed = removed
        if opened is not None:
            self._base, self._sequence, self._unreadable = opened, opened.snapshot.manifest.sequence, None

    async def _too_many(self, conn: Connection, settled: int, applied: int) -> bool:
        room = MOST_APPLIED - applied
        return await changed_count(conn, settled, room + 1) > room

    async def _open(self, conn: Connection) -> Mapped | None:
        """Return the published snapshot, None where its files cannot be read here: everything is then applied."""
        row = await conn.fetchrow(queries.PUBLISHED)
        if row is None:
            return None
        manifest = envelopes.read_as(kinds.Snapshot, envelopes.parse(row["envelope"]))
        try:
            return await asyncio.to_thread(Mapped.open, segments_folder(self._services), manifest)
        except LicetError as error:
            self._refused(row["sequence"], str(error))
            return None

    def _refused(self, sequence: int | None, error: str) -> None:
        self._unreadable = sequence
        self._services.meters.count("licet_snapshots_refused_total")
        log.error("snapshot.unreadable", sequence=sequence, error=error)


async def _fetch_now(conn: Connection) -> Row:
    row = await conn.fetchrow(queries.NOW)
    assert row is not None
    return row


def _tell(waiting: list[asyncio.Future[T]], error: Exception) -> None:
    for each in waiting:
        if not each.done():
            each.set_exception(error)
            each.exception()  # seen: it may have gone this very moment
