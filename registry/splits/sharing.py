"""What is shared now: which split is in force on works, for whoever posts what they earn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements.splits import LASTS
from registry.database import Connection
from registry.splits import queries


class Sharing(NamedTuple):
    """A split in force: the digest of its document, and account → basis points of those that have a share."""

    split: UUID
    digest: bytes
    shares: dict[str, int]

    @property
    def name(self) -> str:
        """The split as statements name it."""
        return identifiers.from_uuid("spl", self.split)


async def in_force(conn: Connection, works: Iterable[UUID]) -> dict[UUID, Sharing]:
    """Return the split in force on each of ``works`` that has one.

    Whoever posts by it holds a share of the consent heads of the works' accounts, which an agreement takes whole: then
    it is the split in force at the log index that is drawn afterwards.
    """
    rows = await conn.fetch(queries.IN_FORCE, list(works))
    if not rows:
        return {}
    shares = await shares_of(conn, {row["split"] for row in rows})
    return {row["work"]: Sharing(row["split"], row["digest"], shares[row["split"]]) for row in rows}


async def awaiting(conn: Connection, accounts: Iterable[UUID], works: Iterable[UUID]) -> set[UUID]:
    """Return those of ``works`` of ``accounts`` whose first split not all have signed yet: who shares is open."""
    rows = await conn.fetch(queries.AWAITING, list(accounts), list(works), times.now() - LASTS)
    return {row["work"] for row in rows}


async def shares_of(conn: Connection, splits: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Return account → basis points of each of ``splits``."""
    found: dict[UUID, dict[str, int]] = {}
    for row in await conn.fetch(queries.PARTIES, sorted(splits)):
        if row["bps"]:
            found.setdefault(row["split"], {})[identifiers.from_uuid(row["kind"], row["account"])] = row["bps"]
    return found
