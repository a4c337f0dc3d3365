"""What else follows from its source: columns copied out of what was signed, words, matches, conflicts, snapshots.

Each function reads one kind through a cursor, and tells the findings what does not hold: ``table key: expected …,
got …``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from licet import identifiers, times
from licet.derivative.segment import opened as open_parts
from licet.errors import LicetError
from licet.index import state_leaves
from licet.log import checkpoint as checkpoints
from licet.log import merkle
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import keyid_of
from registry.auditing import rebuilding as queries
from registry.auditing.types import Findings
from registry.consent import all_records, version
from registry.database import Connection, Row
from registry.derivatives import queries as derivatives
from registry.derivatives.building import folder_of
from registry.errors import Unavailable
from registry.licensing.offers import model_key, use_key
from registry.services import Services
from registry.snapshots.publication import segment_place
from registry.translog.tree import root_at
from registry.works.queries import FEATURES_FORM
from registry.works.searching import FORM, grams, words_of

_AT_A_TIME: Final = 2048


async def pieces(conn: Connection, query: str, *arguments: Any) -> AsyncIterator[list[Row]]:
    """Yield the rows of ``query`` some at a time, so that memory stays flat."""
    cursor = await conn.cursor(query, *arguments)
    while rows := await cursor.fetch(_AT_A_TIME):
        yield rows


async def rows_of(conn: Connection, query: str, *arguments: Any) -> AsyncIterator[Row]:
    """Yield the rows of ``query``, which finds what does not hold, one by one."""
    async for rows in pieces(conn, query, *arguments):
        for row in rows:
            yield row


def differing(place: str, expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """Return one line for each figure of ``place`` that is not as expected."""
    return [
        f"{place}: {name}: expected {_shown(value)}, got {_shown(found[name])}"
        for name, value in expected.items()
        if found[name] != value
    ]


async def queue(conn: Connection, services: Services, found: Findings) -> None:
    """Every statement waits or is logged; the published checkpoint is of the tree as it was at its size."""
    async for row in rows_of(conn, queries.STRAY):
        got = "both" if row["queued"] else "neither"
        found.differs(f"log_pending {row['id']}: expected it in log_queue or in log_entries, got it in {got}")
    head = await conn.fetchrow(queries.PUBLISHED_HEAD)
    if head is not None and head["published_size"]:
        try:
            signed = checkpoints.open(head["published_checkpoint"], services.keys.log_keys)
        except LicetError as error:
            found.differs(f"log_head: published_checkpoint: {error.message}")
            return
        root = await root_at(conn, head["published_size"])
        expected: dict[str, object] = {"published_size": head["published_size"], "published root": root}
        found.differs(*differing("log_head", expected, {"published_size": signed.size, "published root": signed.root}))


async def keys(conn: Connection, found: Findings) -> None:
    """The keys of accounts are those of their key statements."""
    async for rows in pieces(conn, queries.ACCOUNT_KEYS):
        found.examined += len(rows)
        for row in rows:
            schema = kinds.KeyRotate if row["statement"] == "key-rotate" else kinds.KeyRegister
            payload, failure = _read(schema, row["envelope"])
            if payload is None:
                found.differs(f"account_keys {row['keyid']}: {failure}")
                continue
            found.differs(
                *differing(
                    f"account_keys {row['keyid']}",
                    {
                        "keyid": keyid_of(payload.key),
                        "public": bytes.fromhex(payload.key.public),
                        "class": getattr(payload, "key_class", "root"),
                        "account": payload.account,
                    },
                    {**_values(row, "keyid", "public", "class"), "account": _id(row["kind"], row["account"])},
                )
            )


async def words(conn: Connection, found: Findings) -> None:
    """What a work is found by is made of its title, creator, tags and external id.

    Words in the form of an older release are not compared: the worker makes them anew, some at a time.
    """
    if older := await conn.fetchval(queries.OLD_WORDS, FORM):
        found.unexamined.append(f"words of {older} works: kept in an older form, the worker makes them anew")
    async for rows in pieces(conn, queries.WORDS, FORM):
        found.examined += len(rows)
        for row in rows:
            text = words_of(row["title"], row["creator"], row["external_id"], row["tags"])
            found.differs(
                *differing(
                    f"works {_id('wrk', row['id'])}",
                    {"haystack": text, "grams": grams(text)},
                    {"haystack": row["haystack"], "grams": list(row["grams"])},
                )
            )


async def likeness(conn: Connection, found: Findings) -> None:
    """Matches are of works that are alike, and what is contested or challenged follows from them (semantics 6)."""
    async for row in rows_of(conn, queries.UNLIKE):
        found.differs(
            f"work_matches {_id('wrk', row['work'])} {_id('wrk', row['other'])}: expected works of these accounts "
            f"alike by {row['key']}, got others"
        )
    async for row in rows_of(conn, queries.LAPSES):
        place = f"work_matches {_id('wrk', row['work'])} {_id('wrk', row['other'])}"
        found.differs(*differing(place, {"lapsed": not row["lapsed"]}, {"lapsed": row["lapsed"]}))
    async for row in rows_of(conn, queries.UNCHALLENGED):
        place = f"work_matches {_id('wrk', row['work'])} {_id('wrk', row['other'])}"
        found.differs(f"{place}: expected a challenge exactly while the levels make it one, got otherwise")
    async for row in rows_of(conn, queries.UNSETTLED):
        found.differs(
            *differing(
                f"work_states {_id('wrk', row['work'])}",
                _values(row, "challenged", "contested", "disputed", "lost_to"),
                {name: row[f"was_{name}"] for name in ("challenged", "contested", "disputed", "lost_to")},
            )
        )


async def chains(conn: Connection, found: Findings) -> None:
    """Heads are the end of each account's chain; catalogues and counts are those of their statements."""
    async for row in rows_of(conn, queries.CONSENT_HEADS):
        found.differs(
            *differing(
                f"consent_heads {row['account']}",
                {"seq": row["last"], "digest": row["stated"]},
                _values(row, "seq", "digest"),
            )
        )
    async for row in rows_of(conn, queries.CATALOGUES):
        found.differs(
            f"catalogues {row['account']}: expected a statement of the account over its catalogue, got another"
        )
    async for row in rows_of(conn, queries.COVERED):
        found.differs(f"statements {_id('stm', row['id'])}: works: expected {row['found']}, got {row['works']}")


async def parts(conn: Connection, services: Services, found: Findings) -> None:
    """Segments of features are whole, and hold what is in the table and was removed since, and nothing else."""
    named: set[bytes] = set()
    segments = await conn.fetch(derivatives.SEGMENTS)
    if not segments and (waiting := await conn.fetchval(derivatives.INDEXED_COUNT)):
        # As after a restore: segments are not kept elsewhere, and the table says of before.
        found.unexamined.append(f"parts of {waiting} pictures: in no segment, the worker makes them anew")
        return
    for row in segments:
        found.examined += row["pictures"]
        digest = row["digest"].hex()
        place = f"derivative_segments {digest}"
        try:
            opened = await asyncio.to_thread(open_parts, folder_of(services) / digest, verify=True)
        except LicetError as error:
            found.differs(f"{place}: {error.message}; the worker makes it anew")
            continue
        found.differs(*differing(place, {"pictures": len(opened)}, {"pictures": row["pictures"]}))
        if row["form"] != FEATURES_FORM:
            found.unexamined.append(f"{place}: of form {row['form']}, the worker makes it anew")
        twice = named.intersection(opened.works)
        if twice:
            found.differs(f"{place}: expected pictures that no other segment has, got {len(twice)} that one has")
        named.update(opened.works)
    if found.wrong:
        return
    async for rows in pieces(conn, derivatives.INDEXED_NAMES):
        for row in rows:
            if row["id"].bytes not in named:
                found.differs(f"features {row['id']}: expected them in a segment, as they are said to be, got none")
            named.discard(row["id"].bytes)
    if named:
        found.differs(f"derivative_segments: expected what is in features or was removed, got {len(named)} more")


async def snapshots(conn: Connection, services: Services, found: Findings) -> None:
    """Snapshots are as signed, their files whole, and the newest says what the tables say if nothing changed since."""
    newest: kinds.Snapshot | None = None
    async for rows in pieces(conn, queries.SNAPSHOTS):
        found.examined += len(rows)
        for row in rows:
            payload, failure = _read(kinds.Snapshot, row["envelope"])
            if payload is None:
                found.differs(f"snapshots {row['sequence']}: {failure}")
                continue
            newest = payload
            found.differs(
                *differing(
                    f"snapshots {row['sequence']}",
                    {
                        "sequence": payload.sequence,
                        "consent_version": payload.consent_version,
                        "digest": sha256(row["envelope"]).digest(),
                        "expires_at": payload.expires_at,
                    },
                    {
                        **_values(row, "sequence", "consent_version", "digest"),
                        "expires_at": times.to_text(row["expires_at"]),
                    },
                )
            )
    if newest is None:
        return
    kept = {
        row["digest"].hex(): (row["tier"], row["size"])
        for row in await conn.fetch(queries.SEGMENTS_KEPT, newest.sequence)
    }
    place = f"snapshot_segments {newest.sequence}"
    found.differs(
        *differing(
            place, {"segments": {each.digest: (each.tier, each.size) for each in newest.segments}}, {"segments": kept}
        )
    )
    for each in newest.segments:
        there = await asyncio.to_thread(segment_place, services, each.digest)
        found.differs(*await asyncio.to_thread(_whole, there, each.digest))
    if not found.wrong and newest.consent_version == await version(conn):
        tree = merkle.Frontier()
        try:
            async for records in all_records(conn, ordered=True):
                tree.extend(await asyncio.to_thread(state_leaves, records))
        except Unavailable:
            found.unexamined.append("the newest snapshot's state root: a statement is not in the log yet")
            return
        found.examined += tree.size
        found.differs(
            *differing(
                f"snapshots {newest.sequence}",
                {"state_root": tree.root.hex(), "works": tree.size},
                {"state_root": newest.state_root, "works": newest.works},
            )
        )
    elif not found.wrong:
        found.unexamined.append("the newest snapshot's state root: terms have changed since it was made")


async def signed_copies(conn: Connection, found: Findings) -> None:
    """Columns of licences, datasets, runs and batches say what was signed."""
    async for rows in pieces(conn, queries.LICENCES):
        found.examined += len(rows)
        for row in rows:
            licence, failure = _read(kinds.Licence, row["envelope"])
            place = f"licences {_id('lic', row['id'])}"
            if licence is None:
                found.differs(f"{place}: {failure}")
                continue
            use = licence.use
            found.differs(
                *differing(
                    place,
                    {
                        "use_key": use_key(use),
                        "model_key": model_key(use),
                        "atoms": list(use.atoms),
                        "model": use.model,
                        "version": use.version,
                        "run": licence.run,
                        "fee_bps": licence.fee_bps,
                        "quote": bytes.fromhex(licence.quote),
                        "payload_digest": bytes.fromhex(envelopes.parse(row["envelope"]).payload_digest),
                    },
                    {
                        **_values(
                            row, "use_key", "model_key", "model", "version", "run", "fee_bps", "quote", "payload_digest"
                        ),
                        "atoms": list(row["atoms"]),
                    },
                )
            )
    for query, table, prefix, kind, columns in (
        (queries.DATASETS, "datasets", "dst", kinds.DatasetManifest, ("name", "rows", "kept", "counts")),
        (queries.RUNS, "runs", "run", kinds.Run, ("name", "model", "version", "manifest")),
        (queries.BATCHES, "usage_batches", "bat", kinds.UsageBatch, ("count", "totals")),
    ):
        async for rows in pieces(conn, query):
            for row in rows:
                found.differs(*_copied(f"{table} {_id(prefix, row['id'])}", row, kind, columns))


def _copied(place: str, row: Row, kind: Any, columns: tuple[str, ...]) -> list[str]:
    payload, failure = _read(kind, row["envelope"])
    if payload is None:
        return [f"{place}: {failure}"]
    plain = msgspec.to_builtins(payload)
    if kind is kinds.Run:
        plain["name"] = plain["run"]
    found = _values(row, *columns)
    for column in ("counts", "totals"):
        if column in found:
            found[column] = msgspec.json.decode(row[column])
    if "manifest" in found:
        found["manifest"] = row["manifest"].hex()
    digest = envelopes.parse(row["envelope"]).payload_digest
    return differing(
        place,
        {**{column: plain[column] for column in columns}, "payload_digest": digest},
        {**found, "payload_digest": row["payload_digest"].hex()},
    )


def _whole(path: Path, digest: str) -> list[str]:
    found = sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    except OSError:
        return [f"file snapshots/segments/{digest}: expected the service to have it, got none that can be read"]
    if found.hexdigest() != digest:
        return [f"file snapshots/segments/{digest}: expected bytes of this digest, got {found.hexdigest()}"]
    return []


def _read(kind: Any, encoded: bytes) -> tuple[Any, str]:
    try:
        return envelopes.read_as(kind, envelopes.parse(encoded)), ""
    except LicetError as error:
        return None, error.message


def _values(row: Row, *names: str) -> dict[str, object]:
    return {name: row[name] for name in names}


def _id(kind: str, number: Any) -> str:
    return identifiers.from_uuid(kind, number)


def _shown(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
