"""Segments from states: the whole of them, or what changed since the snapshot before, over its segments.

Mostly a snapshot is the one before and a small segment on top, so readers fetch little. Once what lies on top is a
quarter of everything, or there are many pieces, all of it is written anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from licet.index import Snapshot, StateTree, WorkRecord, manifest, write_segments
from licet.log import merkle
from licet.statements import kinds
from licet.statements.kinds import RegistryRef, SegmentRef
from registry.consent import all_records, changed_count, changes, version
from registry.database import Connection
from registry.errors import Unavailable
from registry.translog import head
from registry.translog.tree import root_at

PIECES: Final = 16  # exact segments of one snapshot at most
SMALL: Final = 1000  # works that always fit on top


class Basis(NamedTuple):
    """What a snapshot is built from, all as of one moment: records, and the segments under them."""

    consent_version: int
    log_size: int
    log_root: bytes
    records: list[WorkRecord]
    under: list[SegmentRef]


class Built(NamedTuple):
    """Segments on disk and what a manifest says of them."""

    segments: list[SegmentRef]
    works: int
    state_root: str


async def read_basis(conn: Connection, last: kinds.Snapshot | None, folder: Path) -> Basis:
    """Return the states to publish: call it in a repeatable-read transaction.

    Raises ``Unavailable`` while a statement in force is not in the published log: what a snapshot says can be proven.
    """
    consent_version = await version(conn)
    now = await head(conn)
    log_root = now.root if now.size == now.published_size else await root_at(conn, now.published_size)
    records, under = await _on_top(conn, last, folder)
    if records is None:
        records = [record async for record in all_records(conn)]
    if any(record.log_index >= now.published_size for record in records):
        raise Unavailable("a statement in force is not in the published log yet")
    return Basis(consent_version, now.published_size, log_root or merkle.EMPTY_ROOT, records, under)


async def _on_top(
    conn: Connection, last: kinds.Snapshot | None, folder: Path
) -> tuple[list[WorkRecord] | None, list[SegmentRef]]:
    """Return what changed since ``last`` and its segments, or None and none where everything is to be written anew."""
    if last is None:
        return None, []
    pieces = [ref for ref in last.segments if ref.tier == "exact"]
    covered = sum(ref.counts.get("works", 0) for ref in pieces)
    room = max(SMALL, last.works // 4) - (covered - last.works)
    if len(pieces) >= PIECES or not all((folder / ref.digest).is_file() for ref in last.segments):
        return None, []
    if room < 0 or await changed_count(conn, last.consent_version, room + 1) > room:
        return None, []
    found = await changes(conn, last.consent_version)
    if not all(change.logged for change in found):
        raise Unavailable("a statement in force is not in the log yet")
    return [change.record for change in found], last.segments


def write(basis: Basis, folder: Path, ref: RegistryRef) -> Built:
    """Return the segments of ``basis``, durably in ``folder``, and the state root over all their works."""
    segments = [*basis.under, *(write_segments(basis.records, folder) if basis.records or not basis.under else [])]
    draft = manifest(
        registry=ref,
        sequence=1,
        previous=None,
        consent_version=basis.consent_version,
        log_size=basis.log_size,
        log_root=basis.log_root.hex(),
        segments=segments,
        works=0,
        state_root="",
    )
    works = Snapshot.open(folder, draft).works
    return Built(segments, len(works), StateTree.of_works(works).root)
