"""What follows from the entries is made from them: tiles, the head, the queue, and where identities go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from licet.log import checkpoint as checkpoints
from licet.log import tiles
from licet.log.merkle import Frontier, leaf_hash
from registry.archive import queries as archived
from registry.database import Connection, Row
from registry.errors import ArchiveError
from registry.restoring import queries
from registry.storage import Store
from registry.translog import RegistryKeys, head, publication
from registry.translog import queries as translog
from registry.translog.tree import stored_tiles

_AT_A_TIME: Final = 8192


async def rebuild(conn: Connection, keys: RegistryKeys, log: Store, progress: Callable[[str], None]) -> int:
    """Return how many entries the log has; tiles, head and queue are those of the entries in the database.

    What is published already counts as published. Raises ``ArchiveError`` for entries with a gap between them.
    """
    size = (await head(conn)).size
    await keys.refresh(conn)
    while rows := await conn.fetch(queries.ENTRIES, size, _AT_A_TIME):
        size = await _extend(conn, keys, rows)
        progress(f"log of {size} entries")
    async with conn.transaction():
        await conn.execute(queries.LEAVE_QUEUE)
        await conn.execute(queries.JOIN_QUEUE)
    filed = await publication.published_checkpoint(log, keys.log_keys)
    text = await log.read(publication.CHECKPOINT)
    if filed is not None and text is not None and filed.size <= size:
        await conn.execute(queries.LET_OUT, filed.size, text.decode())
    for row in await conn.fetch(archived.SEQUENCES):
        await conn.fetchval(archived.continued(row["relname"], row["attname"]))
    return size


async def _extend(conn: Connection, keys: RegistryKeys, rows: list[Row]) -> int:
    async with conn.transaction():
        now = await head(conn)
        for place, row in enumerate(rows, now.size):
            if row["index"] != place or leaf_hash(row["entry"]) != row["leaf_hash"]:
                raise ArchiveError(f"expected log entry {place} with its leaf hash, got entry {row['index']}")
        leaves = [row["leaf_hash"] for row in rows]
        frontier = Frontier.parse(now.frontier)
        edge = await stored_tiles(conn, _edge(now.size))
        grown = tiles.extend(now.size, leaves, lambda level, tile, width: edge[level, tile])
        frontier.extend(leaves)
        signed = checkpoints.sign(
            checkpoints.Checkpoint(keys.origin, frontier.size, frontier.root), *keys.log_signers(frontier.size)
        )
        await conn.execute(
            translog.PUT_TILES,
            [tile.level for tile, _ in grown],
            [tile.index for tile, _ in grown],
            [tile.width for tile, _ in grown],
            [content for _, content in grown],
        )
        moment = max(now.at, rows[-1]["at"])
        await conn.execute(translog.ADVANCE, frontier.size, frontier.root, frontier.encode(), signed, moment)
    return frontier.size


def _edge(size: int) -> list[tuple[int, int]]:
    wanted: list[tuple[int, int]] = []
    level = 0
    while size:
        if size % tiles.WIDTH:
            wanted.append((level, size // tiles.WIDTH))
        level, size = level + 1, size >> tiles.HEIGHT
    return wanted
