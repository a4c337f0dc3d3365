"""A base: a copy of every archived table at one moment, taken while the service runs, in sealed pieces.

The same pieces are a backup when they go into one file. The manifest comes last and names the digest of every piece, so
a base is whole or is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from licet import identifiers
from registry.archive import queries
from registry.archive.keys import ArchiveKey
from registry.archive.places import BASES, MANIFEST
from registry.archive.sealing import Manifest, Piece, digest, header_of, now_text, seal, unseal
from registry.database import Connection, Database
from registry.errors import ArchiveError
from registry.storage import Store

PIECE: Final = 32 << 20  # bytes before they are compressed

Put = Callable[[str, bytes], Awaitable[None]]
Get = Callable[[str], Awaitable[bytes | None]]
Progress = Callable[[str], None]


class Owner(NamedTuple):
    """Whose archive it is: the log's origin and the registry's root key."""

    origin: str
    root_key: str


def new_base() -> str:
    """Return a name for a base that no other has; later ones sort later."""
    return identifiers.new_uuid().hex


def silent(_: str) -> None:
    """Tell nobody."""


async def take_base(
    database: Database, key: ArchiveKey, owner: Owner, put: Put, base: str, progress: Progress = silent
) -> Manifest:
    """Return the manifest of a base named ``base`` that ``put`` has kept, all of one moment; memory stays flat."""
    pieces: dict[str, str] = {}
    async with database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await conn.execute(queries.PATIENT_HERE)
        state = await conn.fetchrow(queries.STATE)
        if state is None:
            raise ArchiveError("expected the rows that say how far log and archive are, found none")
        for row in await conn.fetch(queries.FOLLOWED):
            table = row["tablename"]
            progress(table)
            columns = [each["attname"] for each in await conn.fetch(queries.COLUMNS, queries.quoted(table))]
            part = 0
            async with aclosing(_parts(conn, table, columns)) as parts:
                async for body, last in parts:
                    part += 1
                    header = Piece(origin=owner.origin, base=base, table=table, columns=columns, part=part, last=last)
                    content = await asyncio.to_thread(seal, header, body, key)
                    name = f"{len(pieces) + 1:06d}"
                    await put(name, content)
                    pieces[name] = digest(content)
    manifest = Manifest(
        origin=owner.origin,
        base=base,
        mark=state["mark"],
        entries=state["size"],
        root=state["root"].hex(),
        root_key=owner.root_key,
        schema=state["schema"],
        at=now_text(),
        pieces=pieces,
    )
    content = seal(manifest, b"", key)
    await put(MANIFEST, content)
    return header_of(content, Manifest, MANIFEST)[0]


def put_into(store: Store, base: str) -> Put:
    """Return what keeps the pieces of a base under the folder ``base`` of the archive."""

    async def put(name: str, content: bytes) -> None:
        await store.create(f"{BASES}/{base}/{name}", content)

    return put


def get_from(store: Store, base: str) -> Get:
    """Return what finds the pieces of base ``base`` in the archive."""

    async def get(name: str) -> bytes | None:
        return await store.read(f"{BASES}/{base}/{name}")

    return get


async def load_base(
    conn: Connection, manifest: Manifest, key: ArchiveKey, get: Get, shown: str, progress: Progress = silent
) -> None:
    """The archived tables hold the rows of the base and no others, in one transaction.

    Constraints must be set aside. Raises ``ArchiveError`` that names the piece which is missing or damaged.
    """
    raw: Any = conn
    async with conn.transaction():
        for row in await conn.fetch(queries.FOLLOWED):
            await conn.execute(queries.emptied(row["tablename"]))
        names = sorted(manifest.pieces)
        place = 0
        while place < len(names):
            first, _ = await _piece(manifest, names[place], key, get, shown)
            progress(first.table)

            async def parts(first: Piece = first) -> AsyncIterator[bytes]:
                nonlocal place
                part, last = 0, False
                while not last:
                    if place == len(names):
                        raise ArchiveError(f"{shown}: expected all of {first.table}, got {part} parts of it")
                    header, body = await _piece(manifest, names[place], key, get, shown)
                    part += 1
                    if (header.table, header.part, header.columns) != (first.table, part, first.columns):
                        raise ArchiveError(f"{shown}/{names[place]}: expected part {part} of {first.table}")
                    place, last = place + 1, header.last
                    yield body

            await raw.copy_to_table(first.table, source=parts(), columns=first.columns, format="binary")
        await conn.execute(queries.SET_MARK, manifest.mark)


async def _piece(manifest: Manifest, name: str, key: ArchiveKey, get: Get, shown: str) -> tuple[Piece, bytes]:
    content = await get(name)
    if content is None:
        raise ArchiveError(f"{shown}/{name}: expected a piece of the base {manifest.base}, found none")
    if digest(content) != manifest.pieces[name]:
        raise ArchiveError(f"{shown}/{name}: expected the piece that the manifest names, got another")
    header, body = unseal(content, Piece, key, manifest.origin, f"{shown}/{name}")
    if header.base != manifest.base:
        raise ArchiveError(f"{shown}/{name}: expected a piece of base {manifest.base}, got one of {header.base:.80}")
    return header, body


async def _parts(conn: Connection, table: str, columns: list[str]) -> AsyncGenerator[tuple[bytes, bool]]:
    """Yield the rows of ``table`` as PostgreSQL writes them, in parts, and whether each is the last."""
    raw: Any = conn
    full: asyncio.Queue[bytes | None] = asyncio.Queue()
    kept, room, given_up = bytearray(), asyncio.Event(), False

    async def taken(data: bytes) -> None:
        if given_up:
            return
        kept.extend(data)
        if len(kept) >= PIECE:
            full.put_nowait(bytes(kept))
            kept.clear()
            room.clear()
            await room.wait()  # one part at a time is in memory

    copying = asyncio.create_task(raw.copy_from_query(queries.rows_of(table, columns), output=taken, format="binary"))
    copying.add_done_callback(lambda _: full.put_nowait(None))
    try:
        while (part := await full.get()) is not None:
            yield part, False
            room.set()
        await copying
        yield bytes(kept), True
    finally:
        # Not cancelled: asyncpg would wait for ever for a COPY that the server had done already. It is read to its end.
        given_up = True
        room.set()
        await asyncio.wait([copying])
