"""Every derived figure computed again from its source, and compared: what `licet-registry verify` does.

Sources are the signed statements and the ledger's entries. Derived are the log's tree, tiles and published files, what
is in force for each work, the lines of licences, events, postings and levels, and what `registry.auditing.derived`
names. Nothing is changed; all of it reads one state of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

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
from licet.terms import Terms, intern, merge
from registry import ledger
from registry.auditing import derived
from registry.auditing import rebuilding as queries
from registry.database import Connection, Row
from registry.errors import RegistryError
from registry.licensing import verification as licensing
from registry.services import Services
from registry.translog import publication
from registry.usage import verification as usage
from registry.works.types import Keys, digest_form, hexed

_AT_A_TIME: Final = 2048
_MOST: Final = 100  # differences per part: more say nothing new


class Difference(NamedTuple):
    """One figure that is not what it is derived from: the part of the registry, and what was expected and found."""

    part: str
    message: str

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


async def verify(services: Services, progress: Callable[[str], None] = lambda part: None) -> list[Difference]:
    """Return what does not hold, an empty list when everything was computed again and all of it holds.

    All of it is read in one state of the database, while the service runs on; ``progress`` hears of each part.
    """
    found: list[Difference] = []
    parts: tuple[tuple[str, Callable[[Connection], Awaitable[list[str]]]], ...] = (
        ("log", lambda conn: _log(conn, services)),
        ("log", lambda conn: derived.queue(conn, services)),
        ("accounts", _accounts),
        ("accounts", derived.keys),
        ("works", _works),
        ("works", derived.words),
        ("works", derived.likeness),
        ("consent", _consent),
        ("consent", derived.chains),
        ("snapshots", lambda conn: derived.snapshots(conn, services)),
        ("licences", licensing.rebuild),
        ("licences", derived.signed_copies),
        ("usage", usage.rebuild),
        ("ledger", ledger.rebuild),
    )
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await conn.execute(queries.PATIENT)
        for part, rebuild in parts:
            progress(part)
            found += [Difference(part, message) for message in (await rebuild(conn))[:_MOST]]
    return found


# -- the log ---------------------------------------------------------------------------------------------------------


async def _log(conn: Connection, services: Services) -> list[str]:
    head = await conn.fetchrow(queries.HEAD)
    if head is None:
        return ["the row that is the log's state is gone"]
    tree = _Tree()
    async for rows in _pieces(conn, queries.ENTRIES):
        await asyncio.to_thread(tree.add, rows)
    wrong = tree.wrong
    if (tree.frontier.size, tree.frontier.root) != (head["size"], head["root"]):
        wrong.append(f"head: expected {tree.frontier.size} entries with their root, got {head['size']} with another")
    if tree.frontier.encode() != head["frontier"]:
        wrong.append("head: expected the right edge of the tree, got another")
    wrong += await _tiles(conn, tree)
    if head["size"]:
        wrong += _signed(services, head)
        wrong += await asyncio.to_thread(_published, services, head)
    return wrong


class _Tree:
    """The tree over the log's entries, with every tile that it must have."""

    def __init__(self) -> None:
        self.frontier: Final = merkle.Frontier()
        self.tiles: Final[dict[tuple[int, int], bytes]] = {}
        self.wrong: Final[list[str]] = []
        self._time = ""

    def add(self, rows: Sequence[Row]) -> None:
        """Take the next entries."""
        size = self.frontier.size
        leaves = [merkle.leaf_hash(row["entry"]) for row in rows]
        for place, (row, leaf) in enumerate(zip(rows, leaves, strict=True)):
            self._entry(row, size + place, leaf)
        grown = tiles.extend(size, leaves, lambda level, tile, width: self.tiles[level, tile])
        self.tiles.update({(tile.level, tile.index): content for tile, content in grown})
        self.frontier.extend(leaves)

    def _entry(self, row: Row, index: int, leaf: bytes) -> None:
        if row["index"] != index:
            self.wrong.append(f"entry {index}: expected no gap, got entry {row['index']}")
        if row["leaf_hash"] != leaf:
            self.wrong.append(f"entry {index}: expected its own leaf hash, got another")
        try:
            stated = entries.parse(row["entry"])
            if row["envelope"] is not None:
                entries.verify_commitment(stated, row["salt"], row["envelope"])
        except LicetError as error:
            self.wrong.append(f"entry {index}: {error.message}")
            return
        if stated.kind != row["kind"]:
            self.wrong.append(f"entry {index}: expected kind {row['kind']}, got {stated.kind}")
        if stated.time < self._time:
            self.wrong.append(f"entry {index}: expected no time before the entry in front of it, got {stated.time}")
        self._time = stated.time


async def _tiles(conn: Connection, tree: _Tree) -> list[str]:
    wrong = []
    stored = 0
    async for rows in _pieces(conn, queries.TILES):
        stored += len(rows)
        wrong += [
            f"tile {row['level']}/{row['tile']}: expected the hashes of the entries, got others"
            for row in rows
            if tree.tiles.get((row["level"], row["tile"])) != row["hashes"]
        ]
    if stored != len(tree.tiles):
        wrong.append(f"tiles: expected {len(tree.tiles)}, got {stored}")
    return wrong


def _signed(services: Services, head: Row) -> list[str]:
    try:
        signed = checkpoints.open(head["checkpoint"], services.keys.log_signer.verifier)
    except LicetError as error:
        return [f"checkpoint: {error.message}"]
    if (signed.size, signed.root) != (head["size"], head["root"]):
        return [f"checkpoint: expected one of {head['size']} entries with their root, got one of {signed.size}"]
    return []


def _published(services: Services, head: Row) -> list[str]:
    """The files that readers get, as an outsider sees them."""
    folder = services.public / "log"

    def read(name: str) -> bytes:
        return (folder / name).read_bytes() if name == "checkpoint" else publication.read_tile(folder, name)

    try:
        newest = verify_log(read, services.keys.log_signer.verifier)
    except LicetError as error:
        return [f"published log: {error.message}"]
    except RegistryError as error:
        return [f"published log: {error.detail}"]
    except OSError as error:
        return [f"published log: {Path(str(error.filename)).name} cannot be read"]
    if newest.size < head["published_size"]:
        return [f"published log: expected {head['published_size']} entries, got {newest.size}"]
    return []


# -- accounts, works, consent ----------------------------------------------------------------------------------------


async def _accounts(conn: Connection) -> list[str]:
    """Levels are those of the newest claim; the identity is the first key statement."""
    wrong = [
        f"{row['id']}: expected claim level {row['claimed']}, got {row['level']}"
        for row in await conn.fetch(queries.LEVELS)
    ]
    async for rows in _pieces(conn, queries.GENESES):
        for row in rows:
            digest = envelopes.parse(row["envelope"]).payload_digest
            if digest != row["genesis"]:
                wrong.append(f"{row['id']}: expected the identity {digest}, got {row['genesis']}")
    return wrong


async def _works(conn: Connection) -> list[str]:
    """A work's digest covers exactly what the work is matched by."""
    wrong = []
    async for rows in _pieces(conn, queries.WORKS):
        for row in rows:
            keys = Keys(
                mode=row["mode"],
                sha256=row["sha256"].hex(),
                pixels=hexed(row["pixels"]),
                pdq=hexed(row["pdq"]),
                quality=row["quality"],
                urls=list(row["urls"]),
            )
            form = digest_form(row["id"], identifiers.from_uuid(row["kind"], row["account"]), keys)
            if work_digest(form) != row["digest"]:
                wrong.append(f"{form.work}: expected the digest of its keys, got another")
    return wrong


async def _consent(conn: Connection) -> list[str]:
    """What is in force for each work follows from signed statements, and no restriction was passed over."""
    terms: dict[bytes, Terms] = {}
    wrong = []
    async for rows in _pieces(conn, queries.TERMS):
        for row in rows:
            if sha256(row["encoded"]).digest() != row["hash"]:
                wrong.append(f"terms {row['hash'].hex()}: expected terms of this hash, got others")
            terms[row["hash"]] = intern(row["encoded"])
    async for rows in _pieces(conn, queries.CONSENTS):
        wrong += [message for row in rows if (message := _stated(row))]
    for row in await conn.fetch(queries.EFFECTIVE):
        named = [each for each in (row["own"], row["catalogue"]) if each is not None]
        effective = merge([terms[each] for each in named]).hash
        if effective != row["terms"].hex():
            wrong.append(f"{row['works']} works: expected effective terms {effective}, got {row['terms'].hex()}")
    for row in await conn.fetch(queries.UNSTATED):
        work = identifiers.from_uuid("wrk", row["work"])
        wrong.append(f"{work}: expected terms that a statement over it states, got {row['own'].hex()}")
    for row in await conn.fetch(queries.LATER):
        if effect(terms[row["own"]], terms[row["terms"]]) != "loosen":
            statement = identifiers.from_uuid("stm", row["statement"])
            wrong.append(
                f"{statement}: expected it in force, because it restricts; {row['works']} works are without it"
            )
    for row in await conn.fetch(queries.OTHER_CATALOGUE):
        work = identifiers.from_uuid("wrk", row["work"])
        wrong.append(f"{work}: expected the catalogue terms of its account, got others")
    for row in await conn.fetch(queries.WITHDRAWALS):
        work = identifiers.from_uuid("wrk", row["work"])
        wrong.append(f"{work}: expected it withdrawn in both places or in none")
    newest = await conn.fetchrow(queries.NEWEST_VERSION)
    if newest is not None and newest["changed"] > newest["version"]:
        wrong.append(f"version: expected at least {newest['changed']}, got {newest['version']}")
    return wrong


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


async def _pieces(conn: Connection, query: str, *arguments: Any) -> AsyncIterator[list[Row]]:
    cursor = await conn.cursor(query, *arguments)
    while rows := await cursor.fetch(_AT_A_TIME):
        yield rows
