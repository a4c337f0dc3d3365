"""Uses, transfers and entries of a month as one file, streamed: block after block, each read on its own.

Between two blocks nothing is held, no connection and no transaction, so whoever reads slowly holds nobody up. What is
read never changes; what is not in the published log yet is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final, Literal
from uuid import UUID

from registry.auditing import blocks, queries
from registry.auditing.blocks import Column
from registry.auditing.columns import Format, Writer, batch_of, order_of
from registry.auditing.types import Part, Span
from registry.database import Connection, Database, Row

Table = Literal["events", "transfers", "entries"]
COLUMNS: Final[dict[Table, tuple[Column, ...]]] = {
    "events": blocks.EVENTS,
    "transfers": blocks.TRANSFERS,
    "entries": blocks.ENTRIES,
}
ROWS: Final = 65_536  # of a block at most, but for entries, of which a transfer has several
_SOURCES: Final = 4096  # that are listed at a time
_FIRST: Final = UUID(int=0)


async def exported(database: Database, table: Table, form: Format, span: Span, part: Part) -> AsyncGenerator[bytes]:
    """Yield the file: at least its beginning and its end, also where nothing is told."""
    writer = await asyncio.to_thread(Writer, form, COLUMNS[table])
    found = _events(database, span, part) if table == "events" else _postings(database, table, span, part)
    following = asyncio.ensure_future(anext(found, None))  # the next block is read while this one is written
    try:
        while (block := await following) is not None:
            following = asyncio.ensure_future(anext(found, None))
            if block["rows"]:
                data = await asyncio.to_thread(_written, writer, COLUMNS[table], block)
                if data:
                    yield data
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await found.aclose()
    yield await asyncio.to_thread(writer.finish)


def _written(writer: Writer, columns: tuple[Column, ...], block: Row) -> bytes:
    values = dict(block.items())
    order = order_of(values["source"], values["id"]) if "id" in values else None
    return writer.add(batch_of(columns, values, order))


async def _events(database: Database, span: Span, part: Part) -> AsyncGenerator[Any]:
    """Yield blocks of uses: those of batches by batch, then those that licences began with."""
    told = ("bat", blocks.BATCHES, blocks.BATCH_EVENTS), ("lic", blocks.LICENCES, blocks.LICENCE_EVENTS)
    for kind, sources, uses in told:
        after = _FIRST
        while True:
            async with database.acquire() as conn:
                listed = await conn.fetch(
                    sources, after, part.account, part.uses, span.start, span.until, span.published, _SOURCES
                )
            for some in _grouped(listed):
                async with database.transaction(readonly=True) as conn:
                    await conn.execute(blocks.ALONE)
                    block = await conn.fetchrow(uses, some, part.account, part.uses, kind)
                yield block
            if len(listed) < _SOURCES:
                break
            after = listed[-1]["id"]


def _grouped(listed: list[Row]) -> list[list[UUID]]:
    """Return the sources in groups of `ROWS` uses at most, or of one."""
    groups: list[list[UUID]] = []
    uses = ROWS + 1
    for row in listed:
        if uses + row["uses"] > ROWS:
            groups.append([])
            uses = 0
        groups[-1].append(row["id"])
        uses += row["uses"]
    return groups


async def _postings(database: Database, table: Table, span: Span, part: Part) -> AsyncGenerator[Any]:
    """Yield blocks of transfers or of their entries, in posting order."""
    query = blocks.MONTH_TRANSFERS if table == "transfers" else blocks.MONTH_ENTRIES
    after, names = _FIRST, part.ledger_accounts
    most = ROWS if table == "transfers" else ROWS // 4
    while True:
        async with database.acquire() as conn:
            unpublished = await _unpublished(conn, span)
            block = await conn.fetchrow(query, span.period.name, after, unpublished, names, most)
        if block is None or not block["rows"]:
            return
        yield block
        after = UUID(bytes=bytes(block["transfer"][-16:]))


async def _unpublished(conn: Connection, span: Span) -> list[str]:
    return [row["subject"] for row in await conn.fetch(queries.UNPUBLISHED, span.published)]
