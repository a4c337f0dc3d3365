"""Roots and proofs from the tiles in the database: computed twice, first to learn which tiles it takes.

So all the proofs of one answer cost one query together, and `licet.log.tiles` stays free of input and output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from licet.log import tiles
from licet.log.merkle import HASH_SIZE, Frontier
from licet.log.tiles import TileTree
from registry.database import Connection
from registry.errors import RegistryError
from registry.translog import queries

T = TypeVar("T")


async def stored_tiles(conn: Connection, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return the hashes of the tiles (level, index) that are stored, each as wide as it is by now."""
    rows = await conn.fetch(queries.TILES, [level for level, _ in wanted], [tile for _, tile in wanted])
    return {(row["level"], row["tile"]): row["hashes"] for row in rows}


async def inclusion_proofs(conn: Connection, size: int, indices: Sequence[int]) -> list[list[bytes]]:
    """Return, for each of ``indices``, the proof that it is in the tree of the first ``size`` entries."""
    of_each_tile = list({index // tiles.WIDTH: index for index in indices}.values())  # neighbours need the same tiles
    return await _computed(
        conn,
        size,
        lambda tree: [tree.inclusion_proof(index) for index in indices],
        touch=lambda tree: [tree.inclusion_proof(index) for index in of_each_tile],
    )


async def root_at(conn: Connection, size: int) -> bytes:
    """Return the root of the first ``size`` entries."""
    return await _computed(conn, size, lambda tree: tree.root)


async def consistency_proof(conn: Connection, old: int, new: int) -> list[bytes]:
    """Return the proof that the first ``new`` entries extend the first ``old`` (at least one)."""
    return await _computed(conn, new, lambda tree: tree.consistency_proof(old))


async def frontier(conn: Connection, size: int) -> Frontier:
    """Return the right edge of the tree of the first ``size`` entries."""
    return await _computed(conn, size, lambda tree: tree.frontier())


async def _computed(
    conn: Connection,
    size: int,
    compute: Callable[[TileTree], T],
    *,
    touch: Callable[[TileTree], object] | None = None,
) -> T:
    """Return what ``compute`` returns; ``touch`` is something cheaper that reads the same tiles."""
    wanted: dict[tuple[int, int], None] = {}

    def blank(level: int, tile: int, width: int) -> bytes:
        wanted[level, tile] = None
        return bytes(width * HASH_SIZE)

    (touch or compute)(TileTree(size, blank))
    stored = await stored_tiles(conn, list(wanted))

    def read(level: int, tile: int, width: int) -> bytes:
        hashes = stored.get((level, tile), b"")
        if len(hashes) < width * HASH_SIZE:
            raise RegistryError(f"tile {level}/{tile}: expected {width} hashes, got {len(hashes) // HASH_SIZE}")
        return hashes[: width * HASH_SIZE]

    return compute(TileTree(size, read))
