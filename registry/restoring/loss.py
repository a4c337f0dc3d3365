"""Going on after a loss that nothing makes good: the log stays whole, and what may have been restricted denies.

The published entry bundles give back every entry, but not what it commits to. Where one of the lost entries may have
changed what is in force, every work is frozen: its license and allow deny until its account signs for it again, and
each of its co-owners.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from licet import times
from licet.errors import LicetError
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import tiles
from licet.log.merkle import Frontier, leaf_hash
from registry.database import Connection
from registry.errors import ArchiveError, NotFound
from registry.restoring import queries
from registry.restoring.rebuilding import rebuild
from registry.restoring.recovery import Place
from registry.translog import RegistryKeys, head, publication
from registry.translog.submission import DECIDING_KINDS

# What may have restricted somebody's works, or taken a key from who could loosen them.
FREEZING: Final = DECIDING_KINDS | {
    "key-register",
    "key-rotate",
    "key-revoke",
    "delegation",
    "split",
    "split-answer",
    "dispute-step",
    "erase",
}
_GAP: Final = 1000  # consent versions that no snapshot of the lost time can have had


class Loss(NamedTuple):
    """Entries whose content is lost, those that were found to be in the queue, and works that are frozen."""

    entries: int
    found: int
    frozen: int


async def accept(conn: Connection, place: Place, known: int, progress: Callable[[str], None]) -> Loss:
    """The log in the database is the published one again, and works whose last word may be lost are frozen.

    ``known`` entries were let out, as far as anybody says. Raises ``ArchiveError`` if the published bundles do not make
    the tree that the published checkpoint signs, or if a witness cosigned more than that.
    """
    keys = RegistryKeys.load(place.keys, place.origin)
    filed = await publication.published_checkpoint(place.log, keys.log_keys)
    guard = publication.read_guard(place.data)
    now = await head(conn)
    if filed is None or filed.size < max(now.size, known if known > guard.size else 0):
        raise ArchiveError(
            f"{place.log.shown} holds {filed.size if filed else 0} entries, and {known} were let out; put the "
            f"published files back: the log is never rolled back"
        )
    lost = await _published(place, filed, Frontier.parse(now.frontier), progress)
    async with conn.transaction():
        waiting = {}
        for row in await conn.fetch(queries.WAITING):
            if row["envelope"] is not None:
                waiting[entries.commitment(row["kind"], row["salt"], row["envelope"])] = row["id"]
        records, found, kinds = [], 0, set()
        for index, raw in enumerate(lost, now.size):
            stated = entries.parse(raw)
            pending = waiting.pop(stated.commitment, None)
            if pending is None:
                pending = await conn.fetchval(queries.LOST, stated.kind, f"lost:{index}")
                kinds.add(stated.kind)
            else:
                found += 1
            records.append((index, pending, raw, leaf_hash(raw), times.from_text(stated.time)))
        await conn.copy_records_to_table(
            "log_entries", records=records, columns=["index", "pending", "entry", "leaf_hash", "at"]
        )
        frozen = 0
        if kinds & FREEZING:
            await conn.execute(queries.AWAIT_OWNERS)
            frozen = int((await conn.execute(queries.FREEZE, _GAP)).rpartition(" ")[2])
    await rebuild(conn, keys, place.log, progress)
    if guard.size > filed.size:  # nothing of that much was ever let out: receipts speak of what is published
        publication.advance_guard(place.data, filed.size, filed.root)
    return Loss(len(lost) - found, found, frozen)


async def _published(
    place: Place, filed: checkpoints.Checkpoint, tree: Frontier, progress: Callable[[str], None]
) -> list[bytes]:
    """Return the published entries after those of ``tree``, which make the tree of ``filed`` with it."""
    lost: list[bytes] = []
    first = tree.size // tiles.WIDTH
    for bundle in range(first, -(-filed.size // tiles.WIDTH)):
        width = min(tiles.WIDTH, filed.size - bundle * tiles.WIDTH)
        path = tiles.entries_path(bundle, width)
        try:
            found = tiles.decode_bundle(await publication.read_tile(place.log, path), width)
        except (NotFound, LicetError) as error:
            raise ArchiveError(f"{place.log.shown}/{path}: expected the published entries, got none: {error}") from None
        lost += found[max(0, tree.size + len(lost) - bundle * tiles.WIDTH) :]
        progress(f"published entries up to {bundle * tiles.WIDTH + width}")
    tree.extend([leaf_hash(entry) for entry in lost])
    if (tree.size, tree.root) != (filed.size, filed.root):
        raise ArchiveError(
            f"{place.log.shown}: the published entries are not those that its checkpoint signs, after those of this "
            f"database: it is of another registry or was forked"
        )
    return lost
