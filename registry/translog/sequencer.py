"""The one writer of the log: takes what is pending, gives it places, signs the tree, lets it out.

`Sequencer.integrate` is one transaction under the row lock of ``log_head`` (safety); an advisory lock keeps all but
one process from trying (liveness). Pending statements are taken in id order from what has committed. Ids may commit
out of order, so two statements that do not touch each other may change places; two that could contradict each other
cannot: their domain holds a row lock from before the id is drawn until COMMIT, so the later id is not even drawn until
the earlier statement is visible here.

Nothing signed leaves before COMMIT. After it come, in this order, guard, files, checkpoint, and the mark that lets
receipts out; a crash between any two is made good by the next start, which does the same steps again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import structlog

from licet import times
from licet.canonical import from_base64
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import note, tiles, witnessing
from licet.log.merkle import HASH_SIZE, Frontier, leaf_hash
from licet.statements import envelope as envelopes
from licet.statements import key_list
from registry.database import Connection, Database, Row
from registry.errors import DatabaseUnavailable, RegistryError, StartError, StoreUnavailable
from registry.storage import Store
from registry.translog import publication, queries
from registry.translog.heads import Head, head, parse_head, refuse_copy
from registry.translog.keys import SUBJECT, RegistryKeys, is_about_keys
from registry.translog.tree import root_at, stored_tiles
from registry.translog.witnesses import Quorumless, Witnesses

BATCH: Final = 8192
_TILES_AT_A_TIME: Final = 64
LOOK_EVERY: Final = 1.0  # seconds: a lost notification costs no more than this
_LONGEST_PAUSE: Final = 30.0  # between two requests to witnesses that do not answer

log = structlog.get_logger("registry.translog")
_MOVED: Final = "the data folder was moved or copied here; no service may run on what it was copied from"


class Archive(Protocol):
    """What takes every committed change out of the database before anything is let out; see ``registry.archive``."""

    async def open(self, conn: Connection) -> None:
        """Return once everything in the database is archived."""
        ...

    async def keep(self, conn: Connection) -> None:
        """Return once everything that is committed so far is archived."""
        ...

    async def let_go(self, conn: Connection) -> None:
        """The database need not hold any longer for the archive what is archived."""
        ...


class Sequencer:
    """Integrates and publishes; at most one instance may work at a time for a database and a data folder.

    ``reach`` is called with the name of each step before it is taken; tests make it raise there.
    """

    def __init__(
        self,
        keys: RegistryKeys,
        data: Path,
        log: Store,
        archive: Archive | None = None,
        *,
        witnesses: Witnesses | None = None,
        wait_for_witnesses: bool = False,
        reach: Callable[[str], None] = lambda step: None,
    ) -> None:
        """``data`` holds the guard, ``log`` what is published; nothing is let out before ``archive`` has kept it.

        With ``witnesses``, the published checkpoint is always one that their quorum has cosigned. Where the quorum
        cannot be had, receipts ``wait_for_witnesses``, or go on while the last such checkpoint stays.
        """
        self._keys = keys
        self._data = data
        self._log = log
        self._archive = archive
        self._witnesses = witnesses
        self._wait_for_witnesses = wait_for_witnesses
        self._reach = reach
        self._leaving: asyncio.Task[None] | None = None  # the batch that is on its way out
        self._keys_due = True  # whether the published list of the registry's keys may lack one

    async def keep(self, conn: Connection) -> None:
        """Return once everything that is committed so far is archived, if anything is."""
        if self._archive is not None:
            await self._archive.keep(conn)

    async def let_go(self, conn: Connection) -> None:
        """The database need not hold any longer for the archive what `keep` has archived."""
        if self._archive is not None:
            await self._archive.let_go(conn)

    @property
    def keys(self) -> RegistryKeys:
        """The registry's keys, as of the last look at the log."""
        return self._keys

    async def resume(self, conn: Connection) -> Head:
        """Return the head once the database is known to hold everything ever let out, and all of it is published.

        Raises ``StartError`` as `verify` does.
        """
        now, guard, filed = await self.verify(conn)
        if self._archive is not None:
            await self._archive.open(conn)
        await self.keep(conn)
        here = await asyncio.to_thread(publication.lies_where_written, self._data)
        if guard and not here:
            log.warning("guard.elsewhere", folder=str(self._data), size=now.size, problem=_MOVED)
        if guard < now.size or (now.size and not here):
            await asyncio.to_thread(publication.advance_guard, self._data, now.size, now.root)
        self._keys_due = True
        await self._publish_keys(conn, now.size)
        await self._publish(conn, now, since=min(now.published_size, filed))
        return now

    async def verify(self, conn: Connection) -> tuple[Head, int, int]:
        """Return the head, and the sizes of the guard and of the published checkpoint, both of which it extends.

        Raises ``StartError`` if the database is behind the guard or the published checkpoint, or holds another tree:
        it was restored from an older backup, and continuing would sign a second history. So would a copy beside the
        original: see `refuse_copy`.
        """
        await refuse_copy(conn)
        now = await head(conn)
        await self._keys.refresh(conn)
        guard = await asyncio.to_thread(publication.read_guard, self._data)
        filed = await publication.published_checkpoint(self._log, self._keys.log_keys)
        known = [(f"{self._data / publication.GUARD}", guard.size, from_base64(guard.root, "root"))]
        if filed is not None:
            known.append((f"{self._log.shown}/{publication.CHECKPOINT}", filed.size, filed.root))
        for source, size, root in known:
            if size > now.size:
                raise StartError(
                    f"the database holds a log of {now.size} entries, but {source} says that {size} were let out: it "
                    f"was restored from an older backup, and the log is never rolled back; restore a newer one"
                )
            if size and await root_at(conn, size) != root:
                raise StartError(f"the database holds another log than {source}: the roots at size {size} differ")
        await self._ask_witnesses(now)
        return now, guard.size, filed.size if filed else 0

    async def _ask_witnesses(self, now: Head) -> None:
        if self._witnesses is None or not now.size:
            return
        size, name = await self._witnesses.largest_seen(now.checkpoint)
        if size > now.size:
            raise StartError(
                f"the database holds a log of {now.size} entries, but the witness {name} cosigned {size}: it was "
                f"restored from an older backup, and the log is never rolled back; restore a newer one"
            )

    async def integrate(self, conn: Connection, limit: int = BATCH) -> int:
        """Give up to ``limit`` pending statements their places, in one transaction, and return how many."""
        async with conn.transaction():
            now = parse_head(await conn.fetchrow(queries.LOCK_HEAD))
            moment = max(times.now(), now.at)
            at = times.to_text(moment)
            pendings = [row["pending"] for row in await conn.fetch(queries.WAITING_FIRST, limit)]
            if not pendings:
                return 0
            rows = await conn.fetch(queries.TAKE, pendings)
            if [row["id"] for row in rows] != pendings:
                raise RegistryError(f"expected {len(pendings)} statements that wait, got {len(rows)}")
            encoded = _entries(rows, at)
            self._reach("taken")
            leaves = [leaf_hash(entry) for entry in encoded]
            frontier = Frontier.parse(now.frontier)
            edge = await _right_edge(conn, now.size)
            grown = tiles.extend(now.size, leaves, lambda level, tile, width: edge[level, tile])
            frontier.extend(leaves)
            about_keys = {row["id"]: now.size + place for place, row in enumerate(rows) if is_about_keys(row["kind"])}
            if about_keys:
                await self._keys.refresh(conn, about_keys)
                self._keys_due = True
            signed = checkpoints.sign(
                checkpoints.Checkpoint(self._keys.origin, frontier.size, frontier.root),
                *self._keys.log_signers(frontier.size),
            )
            self._reach("signed")
            await conn.copy_records_to_table(
                "log_entries",
                records=[
                    (now.size + place, pending, entry, leaf, moment)
                    for place, (pending, entry, leaf) in enumerate(zip(pendings, encoded, leaves, strict=True))
                ],
                columns=["index", "pending", "entry", "leaf_hash", "at"],
            )
            await conn.execute(
                queries.PUT_TILES,
                [tile.level for tile, _ in grown],
                [tile.index for tile, _ in grown],
                [tile.width for tile, _ in grown],
                [content for _, content in grown],
            )
            await conn.execute(queries.TAKEN, pendings)
            await conn.execute(queries.ADVANCE, frontier.size, frontier.root, frontier.encode(), signed, moment)
            self._reach("written")
        self._reach("committed")
        return len(pendings)

    async def advance(self, conn: Connection, out: Connection) -> int:
        """Give the next batch its places and let it out, and return how many it has; 0 once nothing waits.

        A full batch leaves by ``out`` while the next call of this integrates on ``conn``; any other has left when this
        returns. Both connections must wait for the disk when they commit.
        """
        count = await self.integrate(conn)
        await self.left()
        if count:
            self._leaving = asyncio.create_task(self.publish(out))
        if count < BATCH:
            await self.left()
        return count

    async def halt(self) -> None:
        """Nothing is on its way out any more: what was, will leave at the next start."""
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
            self._leaving = None

    async def left(self) -> None:
        """Return once nothing is on its way out."""
        if self._leaving is not None:
            await self._leaving
            self._leaving = None

    async def publish(self, conn: Connection) -> None:
        """Let out everything that is integrated: guard, files, checkpoint, then the receipts."""
        now = await head(conn)
        await self.keep(conn)
        self._reach("archived")
        await self._publish(conn, now, since=now.published_size)
        await self.let_go(conn)  # now that nobody waits for it

    async def _publish(self, conn: Connection, now: Head, since: int) -> None:
        if now.size == since:
            return
        await asyncio.to_thread(publication.advance_guard, self._data, now.size, now.root)
        self._reach("guarded")
        wanted = list(tiles.new_tiles(since, now.size))
        for start in range(0, len(wanted), _TILES_AT_A_TIME):
            some = wanted[start : start + _TILES_AT_A_TIME]
            await publication.write_tiles(self._log, await _contents(conn, some))
            self._reach("tiles")
        await self._publish_keys(conn, now.size)
        if self._witnesses is None:
            await publication.write_checkpoint(self._log, self._beside(now))
        elif self._wait_for_witnesses:
            await self.cosign(now)
        self._reach("checkpoint")
        await conn.execute(queries.PUBLISH, now.size, now.checkpoint)
        self._reach("published")
        for path in _filled(since, now.size):
            await publication.drop_partial(self._log, path)

    async def _publish_keys(self, conn: Connection, size: int) -> None:
        """Publish every statement about the registry's keys in the first ``size`` entries, if any may be missing."""
        if not self._keys_due or not size:
            return
        self._keys_due = False  # before the look: a batch that is integrated meanwhile makes it due again
        rows = await conn.fetch(queries.REGISTRY_KEYS, SUBJECT)
        placed = [
            key_list.Placed(row["index"], envelopes.parse(row["envelope"]))
            for row in rows
            if row["index"] is not None and row["index"] < size
        ]
        self._reach("keys")
        await publication.write_keys(self._log, key_list.encode(placed))

    async def cosign(self, now: Head) -> None:
        """Publish the checkpoint of ``now`` with the cosignatures that the policy asks for.

        Raises ``Quorumless`` while they cannot be had; what is published then stays.
        """
        assert self._witnesses is not None
        cosigning = await self._witnesses.cosigned(self._beside(now), self._keys.log_keys)
        if not cosigning.satisfied:
            raise Quorumless(cosigning)
        await publication.write_checkpoint(self._log, cosigning.checkpoint)

    def _beside(self, now: Head) -> str:
        """Return the checkpoint of ``now`` with the log's own ML-DSA-44 line, if it has such a key here."""
        cosigners = self._keys.cosigners(now.size)
        lines = [each.sign(note.parse(now.checkpoint).text) for each in cosigners]
        return witnessing.with_cosignatures(now.checkpoint, lines) if lines else now.checkpoint

    async def keep_cosigned(self, database: Database) -> None:
        """Publish checkpoints as the quorum cosigns them, for ever; nothing else waits for it."""
        size, pause = 0, LOOK_EVERY
        while self._witnesses is not None and not self._wait_for_witnesses:
            try:
                async with database.acquire() as conn:
                    now = await head(conn)
                if now.size == now.published_size > size:
                    await self.cosign(now)
                    size, pause = now.size, LOOK_EVERY
            except Quorumless as error:
                log.warning("witnesses.missing", error=error.detail, size=now.size)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except (DatabaseUnavailable, StoreUnavailable) as error:
                log.warning("witnesses.waiting", error=error.detail)
            await asyncio.sleep(pause)


def _entries(rows: Sequence[Row], at: str) -> list[bytes]:
    """Return the entries of these statements, in their order."""
    encoded: list[bytes] = []
    for kind, some in itertools.groupby(rows, key=lambda row: row["kind"]):
        commitments: list[str] = []
        for row in some:
            if row["digest"] is None:
                raise RegistryError(f"statement {row['id']} was erased before it was logged")
            commitments.append(entries.commitment_to(kind, row["salt"], row["digest"]))
        encoded += entries.encoded(kind, at, commitments)
    return encoded


async def _right_edge(conn: Connection, size: int) -> dict[tuple[int, int], bytes]:
    wanted: list[tuple[int, int]] = []
    level = 0
    while size:
        if size % tiles.WIDTH:
            wanted.append((level, size // tiles.WIDTH))
        level, size = level + 1, size >> tiles.HEIGHT
    return await stored_tiles(conn, wanted)


def _filled(old: int, new: int) -> list[str]:
    """The tiles and bundles that were partial in a tree of ``old`` entries and are full in one of ``new``."""
    filled: list[str] = []
    level = 0
    while old:
        index, begun = divmod(old, tiles.WIDTH)
        if begun and new // tiles.WIDTH > index:
            filled.append(tiles.tile_path(level, index))
            if level == 0:
                filled.append(tiles.entries_path(index))
        level, old, new = level + 1, old >> tiles.HEIGHT, new >> tiles.HEIGHT
    return filled


async def _contents(conn: Connection, wanted: list[tiles.Tile]) -> list[tuple[str, bytes]]:
    stored = await stored_tiles(conn, [(tile.level, tile.index) for tile in wanted])
    files: list[tuple[str, bytes]] = []
    for tile in wanted:
        files.append((tile.path, stored[tile.level, tile.index][: tile.width * HASH_SIZE]))
        if tile.level == 0:
            first = tile.index * tiles.WIDTH
            rows = await conn.fetch(queries.ENTRIES, first, first + tile.width)
            bundle = tiles.encode_bundle([row["entry"] for row in rows])
            files.append((tiles.entries_path(tile.index, tile.width), bundle))
    return files
