"""Committed changes on their way into the archive: read from the server's own log, sealed, stored, let go.

One round (`Archive.keep`): peek at what was committed, raise the mark in the database, store the segment; and, once
nobody waits for it any more (`Archive.let_go`), advance the slot. A crash after any step repeats the round; changes are
then stored twice, in order, which replaying bears. What holds:

* the slot moves only over changes that are stored: nothing is skipped;
* the mark names a segment before it can exist, and only once every transaction in it is visible to all: whoever sees
  the mark in a copy of the database has all rows of the segments up to it. Numbers are never used again;
* each segment names the one before it by digest: one that is missing, swapped or foreign is found;
* a segment is created, never replaced: of two writers, one is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Final, NamedTuple

import asyncpg
import structlog

from registry.archive import pgoutput, queries
from registry.archive.bases import Owner, Progress, new_base, put_into, silent, take_base
from registry.archive.keys import ArchiveKey
from registry.archive.places import BASES, MANIFEST, read_segment, segment_digest, segment_name, segment_numbers
from registry.archive.sealing import Manifest, Segment, digest, now_text, seal
from registry.database import Connection, Database, Row
from registry.database.copying import Values
from registry.errors import ArchiveError, Unavailable
from registry.storage import Store

SEGMENT: Final = 32 << 20  # bytes of changes, before they are compressed
_IN_MEMORY: Final = 64 << 20  # bytes of changes that are read at once; more goes through a file
_AT_ONCE: Final = 1 << 20
_NOTE_EVERY: Final = 1 << 20  # bytes archived, between two places from which the server can decode anew
_VISIBLE_SECONDS: Final = 10.0
_KIND_AT: Final = 4  # in a message behind its length
_BEGIN, _RELATION = b"BR"  # a transaction; what a table looks like

log = structlog.get_logger("registry.archive")


class Archive:
    """Writes the archive of one database; at most one instance may, the sequencer's.

    ``reach`` is called with the name of each step before it is taken; tests make it raise there.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        key: ArchiveKey,
        owner: Owner,
        *,
        reach: Callable[[str], None] = lambda step: None,
    ) -> None:
        self._database = database
        self._store = store
        self._key = key
        self._owner = owner
        self._reach = reach
        self._slot = ""
        self._mark = 0  # the number last used
        self._last = 0  # the newest segment that is stored, and its digest
        self._digest = ""
        self._since = 0
        self._reached = ""  # in the server's log: up to here it is stored
        self._let_go = ""  # and up to here the server was told so
        self._may_note = False
        self._noted = 0

    async def open(self, conn: Connection, progress: Progress = silent) -> None:
        """Return once everything in the database is archived and further changes will be.

        Makes the slot where there is none; the archive then starts over from a copy of everything. Raises
        ``ArchiveError`` if the server keeps no such log for us, or if the archive holds more than the database.
        """
        await conn.execute(queries.DURABLE)
        await conn.execute(queries.FOLLOW)
        self._slot = await conn.fetchval(queries.SLOT_NAME)
        numbers = await segment_numbers(self._store)
        self._last, self._digest = 0, ""
        if numbers:
            self._last = numbers[-1]
            self._digest = await segment_digest(self._store, self._last)
        slot = await conn.fetchrow(queries.SLOT, self._slot)
        mark = await _mark(conn)
        if mark["segment"] < self._last:
            raise ArchiveError(
                f"{self._store.shown} holds segment {self._last}, and this database holds what is in the first "
                f"{mark['segment']}: it is an older copy; start the service again, which replays what is missing"
            )
        if slot is None or slot["wal_status"] == "lost" or not await self._has_base(mark) or self._lacks(mark):
            await self._begin(conn)
            mark = await _mark(conn)
        elif numbers:
            await read_segment(self._store, self._last, self._key, self._owner.origin)  # it is ours, and can be opened
        self._mark, self._since = mark["segment"], mark["since"]
        self._reached = self._let_go = ""
        self._may_note = await conn.fetchval(queries.MAY_NOTE)
        if mark["base"] is None:
            await self._take_base(conn, progress)

    def _lacks(self, mark: Row) -> bool:
        """Whether segments are gone that this stream has stored: an older copy of the archive lies in its place."""
        return bool(mark["stored"] >= mark["since"] and mark["stored"] > self._last)

    async def _has_base(self, mark: Row) -> bool:
        """Whether the copy is there that the changes continue; true while it is still to be taken."""
        return mark["base"] is None or await self._store.read(f"{BASES}/{mark['base']}/{MANIFEST}") is not None

    async def keep(self, conn: Connection) -> None:
        """Return once everything that was committed before this connection's last COMMIT is archived, at least.

        Call it outside of a transaction; commits of this connection are durable (`open`), and so are those before.

        Raises ``StoreUnavailable`` and ``Unavailable``; the next call does what this one did not.
        """
        now = await conn.fetchrow(queries.GOAL)
        assert now is not None
        if now["goal"] == self._reached:
            return
        await self.let_go(conn)
        self._reach("peeked")
        with _told():
            self._noted += await self._store_changes(conn, now)
        self._reached = now["goal"]

    async def let_go(self, conn: Connection) -> None:
        """The server is told what is archived, which it need not keep any longer; no receipt waits for that.

        It reads that part of its log once more. What is not let go is archived again after a crash. Raises
        ``Unavailable``.
        """
        if self._let_go == self._reached:
            return
        with _told():
            await conn.execute(queries.ADVANCE, self._slot, self._reached)
        self._let_go = self._reached
        if self._noted > _NOTE_EVERY and self._may_note:
            await conn.execute(queries.NOTE)
            self._noted = 0
        self._reach("advanced")

    async def _store_changes(self, conn: Connection, now: Row) -> int:
        part, messages, stored = _Part(), Values(), 0
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as peeked:
            await self._peek(now["goal"], peeked)
            peeked.seek(0)
            while data := peeked.read(_AT_ONCE):
                for message in messages.of(data):
                    if part.size >= SEGMENT:
                        stored += part.size
                        await self._put(conn, part, now, end=False)
                        part = part.following()
                    part.add(message)
        if part.size:
            stored += part.size
            await self._put(conn, part, now, end=True)
        return stored

    async def _peek(self, goal: str, into: IO[bytes]) -> None:
        """Write what was committed up to ``goal`` into a file.

        Nothing is stored meanwhile, and a full disk is told afterwards: a COPY whose reader gives up is cancelled by
        asyncpg, which then waits for ever if the server was done already.
        """
        failed: OSError | None = None

        async def written(data: bytes) -> None:
            nonlocal failed
            if failed is None:
                try:
                    into.write(data)
                except OSError as error:
                    failed = error

        async with self._database.transaction(readonly=True) as reading:
            await reading.execute(queries.PATIENT_HERE_AND_QUIET)
            raw: Any = reading
            await raw.copy_from_query(queries.peek(self._slot, goal), output=written, format="binary")
        if failed is not None:
            raise Unavailable(f"no room for the changes on their way into the archive: {failed}") from failed

    async def _put(self, conn: Connection, part: _Part, now: Row, *, end: bool) -> None:
        number = self._mark + 1
        header = Segment(
            origin=self._owner.origin,
            number=number,
            previous=self._last,
            digest=self._digest,
            since=self._since,
            end=end,
            entries=now["size"],
            schema=now["schema"],
            at=now_text(),
        )
        content = await asyncio.to_thread(lambda: seal(header, part.body, self._key))
        await _visible(conn, part.xids)
        self._reach("sealed")
        if await conn.fetchval(queries.RAISE_MARK, number) is None:
            raise Unavailable("another process archives this database")
        self._mark = number
        self._reach("marked")
        name = segment_name(number)
        if not await self._store.create(name, content) and await self._store.read(name) != content:  # an answer lost
            raise Unavailable(f"{self._store.shown}/{segment_name(number)}: another process wrote it")
        self._last, self._digest = number, digest(content)
        await conn.execute(queries.STORED, number)
        self._reach("stored")

    async def _begin(self, conn: Connection) -> None:
        """A slot is there, and the next thing that is archived is a base."""
        await conn.execute(queries.BEGIN_STREAM, self._last)
        self._reach("begun")
        try:
            async with self._database.dedicated() as alone:
                await alone.execute(queries.PATIENT)
                await alone.execute(queries.DROP_SLOT, self._slot)
                await alone.execute(queries.MAKE_SLOT, self._slot)
        except (
            asyncpg.ObjectNotInPrerequisiteStateError,
            asyncpg.InsufficientPrivilegeError,
            asyncpg.ConfigurationLimitExceededError,
            asyncpg.ObjectInUseError,
        ) as error:
            raise ArchiveError(
                f"the server does not let us read committed changes for the archive: {error}; set wal_level = logical "
                f"and give the user the right with ALTER ROLE … REPLICATION, or set LICET_REGISTRY_ARCHIVE=off, which "
                f"leaves acknowledged statements in the database alone"
            ) from error
        self._reach("slot")

    async def _take_base(self, conn: Connection, progress: Progress) -> Manifest:
        base = new_base()
        taken = await take_base(self._database, self._key, self._owner, put_into(self._store, base), base, progress)
        self._reach("base")
        await conn.execute(queries.KEEP_BASE, taken.base)
        log.info("archive.base", base=taken.base, pieces=len(taken.pieces), entries=taken.entries)
        return taken


class Behind(NamedTuple):
    """How far the archive is behind the database, and whether it can follow."""

    bytes: int  # of the server's own log
    lost: bool  # the server dropped changes that were not archived: a base is to be taken
    has_base: bool


async def behind(conn: Connection) -> Behind | None:
    """Return how far the archive is behind as of now, None where no slot is read for it."""
    slot = await conn.fetchrow(queries.SLOT, await conn.fetchval(queries.SLOT_NAME))
    if slot is None:
        return None
    mark = await _mark(conn)
    return Behind(max(0, slot["behind"] or 0), slot["wal_status"] == "lost", mark["base"] is not None)


class _Part:
    """Messages of one segment: first the tables that it speaks of, so that it can be read without the one before."""

    def __init__(self, tables: dict[bytes, bytes] | None = None) -> None:
        self._tables = dict(tables or {})
        self._messages: list[bytes | memoryview] = [*self._tables.values()]
        self.size = 0
        self.xids: set[int] = set()  # of what begins here; what goes on was waited for before

    def add(self, message: memoryview) -> None:
        """Add a message behind its length."""
        kind = message[_KIND_AT]
        if kind == _RELATION:
            self._tables[bytes(message[_KIND_AT + 1 : _KIND_AT + 5])] = bytes(message)
        elif kind == _BEGIN:
            begun = pgoutput.parse(message[_KIND_AT:])
            assert isinstance(begun, pgoutput.Begin)
            self.xids.add(begun.xid)
        self._messages.append(message)
        self.size += len(message)

    def following(self) -> _Part:
        return _Part(self._tables)

    @property
    def body(self) -> bytes:
        return b"".join(self._messages)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say what it means that the server refuses us the slot."""
    try:
        yield
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise Unavailable(f"the server dropped changes before they were archived: {error}") from error
    except asyncpg.ObjectInUseError as error:
        raise Unavailable(f"another process archives this database: {error}") from error


async def _mark(conn: Connection) -> Row:
    row = await conn.fetchrow(queries.MARK)
    if row is None:
        raise ArchiveError("expected the row that says how far the archive reaches, found none")
    return row


async def _visible(conn: Connection, xids: set[int]) -> None:
    """Return once every transaction of ``xids`` is visible: a commit is in the server's log a moment before it is."""
    async with asyncio.timeout(_VISIBLE_SECONDS):
        while not all_visible(await conn.fetchval(queries.SEEN), xids):  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(0.001)


def all_visible(snapshot: str, xids: set[int]) -> bool:
    """Return whether ``snapshot`` (xmin:xmax:running) sees all of ``xids``, numbers of 32 bits that wrap around."""
    _, most, running = snapshot.split(":")
    alive = {int(each) & 0xFFFF_FFFF for each in running.split(",") if each}
    limit = int(most) & 0xFFFF_FFFF
    return not (alive & xids) and all((limit - xid) & 0xFFFF_FFFF < 1 << 31 and xid != limit for xid in xids)
