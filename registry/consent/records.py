"""The truth that decisions are made from: every work's state, as of a consent version.

The version's row lock orders all changes, so a reader that has seen version N and asks for what came after it misses
nothing and never sees half of a change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final
from uuid import UUID

from licet.fingerprints.iscc import units
from licet.fingerprints.sites import site_key
from licet.fingerprints.urls import url_key
from licet.index.records import FileKeys, WorkRecord
from licet.wire.accounts import ConsentHead
from licet.wire.works import WorkFile
from registry.consent.queries import conflicting, published, statements, states
from registry.consent.types import Change, Rival
from registry.database import Connection, Row
from registry.errors import Unavailable
from registry.works.types import files_in, raw

_PIECE: Final = 5000


async def version(conn: Connection) -> int:
    """Return the consent version: every change up to it is visible to this connection's next statement."""
    found: int = await conn.fetchval(statements.VERSION)
    return found


async def stand_still(conn: Connection) -> None:
    """Return once no state can change before this transaction ends; hold it for moments only."""
    await conn.fetchval(statements.HOLD_VERSION)


async def unlogged(conn: Connection) -> bool:
    """Return whether a statement waits for its place in the log."""
    found: bool = await conn.fetchval(statements.UNLOGGED)
    return found


async def changes(conn: Connection, after: int) -> list[Change]:
    """Return the state of every work that changed after version ``after``."""
    return [_change(row) for row in await conn.fetch(published.CHANGED, after)]


async def changed_since(conn: Connection, after: int) -> list[WorkRecord]:
    """Return the records of every work that changed after version ``after``."""
    return [change.record for change in await changes(conn, after)]


async def changed_count(conn: Connection, after: int, limit: int) -> int:
    """Return how many works changed after version ``after``, counting to ``limit`` at most."""
    found: int = await conn.fetchval(published.CHANGED_COUNT, after, limit)
    return found


async def all_records(
    conn: Connection, *, after: int | None = None, ordered: bool = False
) -> AsyncIterator[list[WorkRecord]]:
    """Yield the records of all works, thousands at a time, read through a cursor: call it inside a transaction.

    ``after``: of those alone that changed after this version. ``ordered``: in rising order of work id, as the leaves of
    a snapshot's state tree are.

    Raises ``Unavailable`` at the first whose statement has no place in the log yet: trying again soon helps.
    """
    if after is not None:
        cursor = await conn.cursor(published.CHANGED, after)
    else:
        cursor = await conn.cursor(published.ALL_ORDERED if ordered else published.ALL)
    while rows := await cursor.fetch(_PIECE):
        if any(row["index"] is None for row in rows):
            raise Unavailable("a statement in force is not in the log yet")
        yield [_record(row) for row in rows]


async def current(conn: Connection, works: Iterable[UUID]) -> dict[UUID, WorkRecord]:
    """Return the records of those of ``works`` that have a state."""
    return {row["work"]: _change(row).record for row in await conn.fetch(published.CURRENT, list(works))}


async def rivals(conn: Connection, works: Sequence[UUID]) -> list[Rival]:
    """Return the works of others with which those of ``works`` that are contested are in conflict (semantics 6)."""
    return [Rival(row["work"], row["rival"], row["account"]) for row in await conn.fetch(conflicting.RIVALS, works)]


async def signed(conn: Connection, account: UUID, works: Sequence[UUID]) -> set[UUID]:
    """Return those of ``works`` of ``account`` that a consent names."""
    return {row["work"] for row in await conn.fetch(states.SIGNED, account, works)}


async def lock_heads_shared(conn: Connection, accounts: Iterable[UUID]) -> None:
    """Return once no consent of ``accounts`` can be accepted before this transaction ends (semantics 22).

    Take it before states are read and before the log's pending id is drawn. An account that never consented has no
    head, and no work that could be licensed either.
    """
    await conn.fetch(statements.SHARE_HEADS, list(accounts))


async def head(conn: Connection, account: UUID) -> ConsentHead:
    """Return the account's last consent: the next one has ``seq + 1`` and names ``digest``."""
    row = await conn.fetchrow(statements.HEAD, account)
    return ConsentHead(0, None) if row is None else consent_head(row)


async def frozen_works(conn: Connection, account: UUID) -> int:
    """Return how many works of the account deny because what it said of them last may be lost."""
    count: int = await conn.fetchval(states.COUNT_FROZEN, account)
    return count


def consent_head(row: Row) -> ConsentHead:
    """Return the head in ``row``."""
    return ConsentHead(row["seq"], None if row["digest"] is None else row["digest"].hex())


def _change(row: Row) -> Change:
    return Change(_record(row), row["version"], row["index"] is not None)


def _record(row: Row) -> WorkRecord:
    return WorkRecord(
        work=row["work"].bytes,
        account=row["account"].bytes,
        terms=row["terms"],
        level=row["level"],
        contested=row["contested"],
        challenged=row["challenged"],
        pending=row["pending"],
        withdrawn=row["withdrawn"],
        fingerprint_only=row["mode"] == "fingerprint-only",
        signed=row["signed"],
        statement=row["statement"].bytes,
        log_index=row["index"] or 0,
        sha256=row["sha256"],
        pixels=row["pixels"],
        pdq=row["pdq"],
        quality=row["quality"] if row["pdq"] is not None else None,
        **_codes(row["iscc"]),
        sites=[] if row["site"] is None else [site_key(row["site"])],
        urls=_url_keys(row["urls"]) if row["url_keys"] is None else list(row["url_keys"]),
        files=[_file(each) for each in files_in(row["files"])] if row["files"] is not None else [],
    )


def _file(file: WorkFile) -> FileKeys:
    quality = file.quality if file.pdq is not None else None
    return FileKeys(bytes.fromhex(file.sha256), raw(file.pixels), raw(file.pdq), quality, **_codes(file.iscc))


def _codes(iscc: str | None) -> dict[str, bytes]:
    """Return the codes of a file by kind: ``instance``, and of pictures ``image``."""
    return {} if iscc is None else {unit.kind: unit.digest for unit in units(iscc)}


def _url_keys(urls: Sequence[str]) -> list[bytes]:
    return [url_key(url) for url in urls]
