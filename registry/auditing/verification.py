"""Every derived figure computed again from its source, and compared: what `licet-registry verify` does.

Sources are the signed statements and the ledger's entries. Derived are the log's tree, tiles and published files, what
is in force for each work, the lines of licences, events, postings and levels, and what `registry.auditing.derived`
names. Nothing is changed; all of it reads one state of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from licet import identifiers
from licet.audit.whole_log import verify_log
from licet.errors import LicetError
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, tiles
from licet.statements import envelope as envelopes
from licet.statements.consent import consent_terms
from licet.statements.effect import effect
from licet.statements.kinds import Consent
from licet.statements.works import work_digest
from licet.terms import Terms, intern
from registry import ledger
from registry.agreements import verification as agreements
from registry.auditing import derived
from registry.auditing import rebuilding as queries
from registry.auditing.derived import pieces, rows_of
from registry.auditing.types import Difference, Findings
from registry.closing import verification as closing
from registry.closing.queries import COUNT_LINES
from registry.consent.planning import hash_of, together
from registry.consent.queries.sharing import UNJOINED
from registry.database import Connection, Row
from registry.disputes import verification as disputes
from registry.duties import verification as duties
from registry.errors import NotFound, RegistryError
from registry.licensing import verification as licensing
from registry.register import verification as register
from registry.services import Services
from registry.settlement import verification as settlement
from registry.splits import verification as splits
from registry.translog import publication
from registry.usage import verification as usage
from registry.works.service import keys_in
from registry.works.types import digest_form

_Place = tuple[int, int]  # level and number of a tile
Rebuild = Callable[[Connection, Findings], Awaitable[None]]


async def examine(services: Services, progress: Callable[[str], None] = lambda part: None) -> list[Findings]:
    """Return what came of each part once everything was computed again.

    All of it is read in one state of the database, while the service runs on; memory stays flat; ``progress`` hears
    of each part.
    """
    parts: tuple[tuple[str, Rebuild], ...] = (
        ("log", lambda conn, found: _log(conn, services, found)),
        ("log", lambda conn, found: derived.queue(conn, services, found)),
        ("accounts", _accounts),
        ("accounts", derived.keys),
        ("works", _works),
        ("works", derived.words),
        ("works", derived.likeness),
        ("consent", _consent),
        ("consent", derived.chains),
        ("snapshots", lambda conn, found: derived.snapshots(conn, services, found)),
        ("parts", lambda conn, found: derived.parts(conn, services, found)),
        ("licences", _of(splits.rebuild)),
        ("licences", _of(licensing.rebuild)),
        ("licences", _of(agreements.rebuild)),
        ("licences", _of(duties.rebuild)),
        ("licences", derived.signed_copies),
        ("usage", _of(usage.rebuild, queries.EVENTS_COUNT)),
        ("register", _of(register.rebuild, queries.CARDS_COUNT)),
        ("ledger", _of(ledger.rebuild, queries.TRANSFERS_COUNT)),
        ("months", _of(closing.rebuild, COUNT_LINES)),
        ("settlement", _of(settlement.rebuild)),
        ("settlement", _of(disputes.rebuild)),
    )
    found = {part: Findings(part) for part, _ in parts}
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await conn.execute(queries.PATIENT)
        for part, rebuild in parts:
            progress(part)
            await rebuild(conn, found[part])
    return list(found.values())


async def verify(services: Services) -> list[Difference]:
    """Return the differences that `examine` tells, an empty list when all of it holds."""
    return [difference for found in await examine(services) for difference in found.told]


def _of(rebuild: Callable[[Connection], Awaitable[list[str]]], count: str | None = None) -> Rebuild:
    async def run(conn: Connection, found: Findings) -> None:
        if count is not None:
            found.examined += await conn.fetchval(count)
        found.differs(*await rebuild(conn))

    return run


# -- the log ---------------------------------------------------------------------------------------------------------


async def _log(conn: Connection, services: Services, found: Findings) -> None:
    head = await conn.fetchrow(queries.HEAD)
    if head is None:
        found.differs("the row that is the log's state is gone")
        return
    tree = _Tree(found)
    async for rows in pieces(conn, queries.ENTRIES):
        found.examined += len(rows)
        await asyncio.to_thread(tree.add, rows)
        await _compare(conn, tree.finished(), found)
    if (tree.frontier.size, tree.frontier.root) != (head["size"], head["root"]):
        found.differs(f"head: expected {tree.frontier.size} entries with their root, got {head['size']} with another")
    if tree.frontier.encode() != head["frontier"]:
        found.differs("head: expected the right edge of the tree, got another")
    await _compare(conn, tree.edge, found)
    kept = await conn.fetchval(queries.TILES_KEPT)
    if kept != tree.count:
        found.differs(f"tiles: expected {tree.count}, got {kept}")
    if head["size"]:
        found.differs(*_signed(services, head))
        found.differs(*await asyncio.to_thread(_published, services, head, asyncio.get_running_loop()))


class _Tree:
    """The tree over the log's entries: its right edge, and the tiles that it has finished since they were taken."""

    def __init__(self, found: Findings) -> None:
        self.frontier: Final = merkle.Frontier()
        self.edge: Final[dict[_Place, bytes]] = {}  # a tile a level at most
        self.count = 0  # finished and at the edge
        self._found: Final = found
        self._finished: dict[_Place, bytes] = {}
        self._time = ""

    def add(self, rows: Sequence[Row]) -> None:
        """Take the next entries."""
        size = self.frontier.size
        leaves = [merkle.leaf_hash(row["entry"]) for row in rows]
        for place, (row, leaf) in enumerate(zip(rows, leaves, strict=True)):
            self._entry(row, size + place, leaf)
        for tile, content in tiles.extend(size, leaves, lambda level, tile, width: self.edge[level, tile]):
            place_of = (tile.level, tile.index)
            self.count += place_of not in self.edge
            if tile.width < tiles.WIDTH:
                self.edge[place_of] = content
            else:
                self.edge.pop(place_of, None)
                self._finished[place_of] = content
        self.frontier.extend(leaves)

    def finished(self) -> dict[_Place, bytes]:
        """Return the tiles that are full since the last call; they never change again."""
        taken, self._finished = self._finished, {}
        return taken

    def _entry(self, row: Row, index: int, leaf: bytes) -> None:
        if row["index"] != index:
            self._found.differs(f"entry {index}: expected no gap, got entry {row['index']}")
        if row["leaf_hash"] != leaf:
            self._found.differs(f"entry {index}: expected its own leaf hash, got another")
        try:
            stated = entries.parse(row["entry"])
            if row["envelope"] is not None:
                entries.verify_commitment(stated, row["salt"], row["envelope"])
        except LicetError as error:
            self._found.differs(f"entry {index}: {error.message}")
            return
        if stated.kind != row["kind"]:
            self._found.differs(f"entry {index}: expected kind {row['kind']}, got {stated.kind}")
        if stated.time < self._time:
            self._found.differs(f"entry {index}: expected no time before the entry in front of it, got {stated.time}")
        self._time = stated.time


async def _compare(conn: Connection, expected: dict[_Place, bytes], found: Findings) -> None:
    if not expected:
        return
    levels, numbers = zip(*expected, strict=True)
    kept = {(row["level"], row["tile"]): row["hashes"] for row in await conn.fetch(queries.TILES, levels, numbers)}
    for place, hashes in expected.items():
        if kept.get(place) != hashes:
            got = "others" if place in kept else "none"
            found.differs(f"tile {place[0]}/{place[1]}: expected the hashes of the entries, got {got}")


def _signed(services: Services, head: Row) -> list[str]:
    try:
        signed = checkpoints.open(head["checkpoint"], services.keys.log_keys)
    except LicetError as error:
        return [f"checkpoint: {error.message}"]
    if (signed.size, signed.root) != (head["size"], head["root"]):
        return [f"checkpoint: expected one of {head['size']} entries with their root, got one of {signed.size}"]
    return []


def _published(services: Services, head: Row, loop: asyncio.AbstractEventLoop) -> list[str]:
    """The files that readers get, as an outsider sees them; runs in a thread beside ``loop``."""

    async def fetched(name: str) -> bytes:
        if name != publication.CHECKPOINT:
            return await publication.read_tile(services.log_files, name)
        content = await services.log_files.read(name)
        if content is None:
            raise NotFound("there is no checkpoint")
        return content

    def read(name: str) -> bytes:
        return asyncio.run_coroutine_threadsafe(fetched(name), loop).result()

    try:
        newest = verify_log(read, services.keys.log_keys)
    except LicetError as error:
        return [f"published log: {error.message}"]
    except RegistryError as error:
        return [f"published log: {error.detail}"]
    if newest.size < head["published_size"]:
        return [f"published log: expected {head['published_size']} entries, got {newest.size}"]
    return []


# -- accounts, works, consent ----------------------------------------------------------------------------------------


async def _accounts(conn: Connection, found: Findings) -> None:
    """Levels are those of the newest claim; the identity is the first key statement."""
    async for row in rows_of(conn, queries.LEVELS):
        if (row["level"], row["level"]) != (row["claimed"], row["stated"]):
            found.differs(
                f"{row['id']}: expected claim level {row['claimed']}, stated last {row['stated']}, got {row['level']}"
            )
        else:
            found.differs(f"{row['id']}: expected proven domains to back {row['proven']}, stated {row['backed']}")
    async for rows in pieces(conn, queries.GENESES):
        found.examined += len(rows)
        for row in rows:
            digest = envelopes.parse(row["envelope"]).payload_digest
            if digest != row["genesis"]:
                found.differs(f"{row['id']}: expected the identity {digest}, got {row['genesis']}")


async def _works(conn: Connection, found: Findings) -> None:
    """A work's digest covers exactly what the work is matched by."""
    async for rows in pieces(conn, queries.WORKS):
        found.examined += len(rows)
        for row in rows:
            form = digest_form(row["id"], identifiers.from_uuid(row["kind"], row["account"]), keys_in(row))
            if work_digest(form) != row["digest"]:
                found.differs(f"{form.work}: expected the digest of its keys, got another")


async def _consent(conn: Connection, found: Findings) -> None:
    """What is in force for each work follows from signed statements, and no restriction was passed over."""
    terms: dict[bytes, Terms] = {}
    async for rows in pieces(conn, queries.TERMS):
        for row in rows:
            if sha256(row["encoded"]).digest() != row["hash"]:
                found.differs(f"terms {row['hash'].hex()}: expected terms of this hash, got others")
            terms[row["hash"]] = intern(row["encoded"])
    async for rows in pieces(conn, queries.CONSENTS):
        found.examined += len(rows)
        found.differs(*(message for row in rows if (message := _stated(row))))
    async for row in rows_of(conn, queries.EFFECTIVE):
        shared, effective = together(row["own"] or b"", row["catalogue"] or b"", row["owners"] or (), terms)
        expected = (None if shared is None else hash_of(shared), None if effective is None else hash_of(effective))
        if expected != (row["shared"], row["terms"]):
            made = "none" if effective is None else effective.hash
            found.differs(f"{row['works']} works: expected effective terms {made}, got {row['terms'].hex()}")
    await _owners(conn, found, terms)
    async for row in rows_of(conn, queries.UNSTATED):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected terms that a statement over it states, got {row['own'].hex()}")
    for later, standing in ((queries.LATER, "own"), (queries.LATER_CATALOGUE, "catalogue")):
        async for row in rows_of(conn, later):
            if effect(terms[row[standing]], terms[row["terms"]]) != "loosen":
                statement = identifiers.from_uuid("stm", row["statement"])
                found.differs(
                    f"{statement}: expected it in force, because it restricts; {row['works']} works are without it"
                )
    async for row in rows_of(conn, queries.OTHER_CATALOGUE):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected the catalogue terms of its account, got others")
    async for row in rows_of(conn, queries.WITHDRAWALS):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected it withdrawn in both places or in none")
    newest = await conn.fetchrow(queries.NEWEST_VERSION)
    if newest is not None and newest["changed"] > newest["version"]:
        found.differs(f"version: expected at least {newest['changed']}, got {newest['version']}")


async def _owners(conn: Connection, found: Findings, terms: Mapping[bytes, Terms]) -> None:
    """What co-owners say of a work is what they signed, as long as they are co-owners of it (semantics 8)."""
    async for row in rows_of(conn, queries.OF_OWNERS):
        _, effective = together(row["own"] or b"", row["catalogue"] or b"", (), terms)
        if effective is None or hash_of(effective) != row["terms"]:
            found.differs(f"{row['works']} works: expected the strictest of what a co-owner says, got other terms")
    async for row in rows_of(conn, queries.STRANGERS):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected terms of its co-owners to count, and of nobody else, not so {row['account']}")
    for row in await conn.fetch(UNJOINED, None):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected what its co-owner {row['account']} says of its whole catalogue to count")
    async for row in rows_of(conn, queries.OWNER_UNSTATED):
        work = identifiers.from_uuid("wrk", row["work"])
        found.differs(f"{work}: expected terms that its co-owner {row['account']} states, got {row['own'].hex()}")
    for later, standing in ((queries.OWNER_LATER, "own"), (queries.OWNER_CATALOGUE, "catalogue")):
        async for row in rows_of(conn, later):
            if row[standing] is None or effect(terms[row[standing]], terms[row["terms"]]) != "loosen":
                statement = identifiers.from_uuid("stm", row["statement"])
                found.differs(
                    f"{statement}: expected it in force, because it restricts; {row['works']} works are without it"
                )


def _stated(row: Row) -> str | None:
    """What a consent is filed as is what it says."""
    statement = identifiers.from_uuid("stm", row["id"])
    try:
        envelope = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(Consent, envelope)
        stated = consent_terms(payload)
    except LicetError as error:
        return f"{statement}: {error.message}"
    filed = (row["payload_digest"].hex(), row["terms"].hex(), row["effect"], row["seq"])
    if filed != (envelope.payload_digest, stated.hash, payload.effect, payload.seq):
        return f"{statement}: expected what was signed, got it filed as something else"
    return None
