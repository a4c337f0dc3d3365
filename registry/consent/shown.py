"""What of works is shown to people beside lists: to the public, what their statements say; to owners, their history.

A work is public once a statement about it is in the published log: then it is a claim that others must heed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from licet import identifiers
from licet.terms import Terms, intern
from registry.consent.queries import owned, published
from registry.database import Connection


class Shown(NamedTuple):
    """A work as everybody sees it; name and title are gone with an erased account."""

    work: str
    title: str | None
    artist: str | None
    created: str | None
    site: str | None
    site_proven: bool | None
    level: int
    account: UUID
    mode: str
    statement: str
    terms: Terms
    signed_at: datetime
    log_index: int
    contested: bool
    challenged: bool
    held: bool  # frozen, disputed, lost, or first terms that wait: nobody may use it meanwhile
    disputed: bool
    lost_at: datetime | None  # since when a dispute about it is decided for somebody else
    withdrawn: bool
    signed: bool  # its account has named it in a statement
    by_address: bool  # nothing but its addresses is known

    @property
    def closed(self) -> bool:
        """Whether nothing may be done with it at this moment, whatever its terms say."""
        return self.withdrawn or self.contested or self.held


class Standing(NamedTuple):
    """Works of one account that stand alike, and how many they are: what of `Shown` decides what counts."""

    terms: Terms
    level: int
    mode: str
    site: str | None
    site_proven: bool | None
    contested: bool
    challenged: bool
    held: bool
    withdrawn: bool
    signed: bool
    by_address: bool
    works: int


class Said(NamedTuple):
    """One thing that was said of a work."""

    statement: str
    effect: str
    terms: Terms | None
    accepted_at: datetime
    log_index: int | None


class Tally(NamedTuple):
    """How many works there are, how many nobody has signed for, on how many something waits, and are contested."""

    works: int
    unsigned: int
    pending: int  # and nothing but the time holds it
    contested: int


async def shown(conn: Connection, works: Sequence[UUID]) -> dict[UUID, Shown]:
    """Return those of ``works`` that are public."""
    found = {}
    for row in await conn.fetch(published.SHOWN, list(works)):
        gone = row["erased"]
        found[row["id"]] = Shown(
            work=identifiers.from_uuid("wrk", row["id"]),
            title=None if gone else row["title"],
            artist=None if gone else row["creator"] or row["name"],
            created=None if gone else row["created"],
            site=row["site"],
            site_proven=row["site_proven"],
            level=row["level"],
            account=row["account"],
            mode=row["mode"],
            statement=identifiers.from_uuid("stm", row["statement"]),
            terms=intern(row["terms"]),
            signed_at=row["at"],
            log_index=row["index"],
            contested=row["contested"],
            challenged=row["challenged"],
            held=row["held"],
            disputed=row["disputed"],
            lost_at=row["lost_at"],
            withdrawn=row["withdrawn"],
            signed=row["signed"],
            by_address=row["by_address"],
        )
    return found


async def standings(conn: Connection, account: UUID) -> list[Standing]:
    """Return how the works of ``account`` stand that are under terms and not withdrawn, published yet or not."""
    fields = [each for each in Standing._fields if each not in ("terms", "withdrawn")]
    return [
        Standing(terms=intern(row["terms"]), withdrawn=False, **{each: row[each] for each in fields})
        for row in await conn.fetch(published.STANDINGS, account)
    ]


async def said_of(conn: Connection, account: UUID, work: UUID) -> list[Said]:
    """Return what ``account`` has said of ``work``, the newest first."""
    return [
        Said(
            identifiers.from_uuid("stm", row["id"]),
            row["effect"],
            None if row["terms"] is None else intern(row["terms"]),
            row["accepted_at"],
            row["index"],
        )
        for row in await conn.fetch(owned.SAID_OF, account, work)
    ]


async def tally(conn: Connection, account: UUID) -> Tally:
    """Return the counts of ``account``'s works that are not withdrawn."""
    row = await conn.fetchrow(owned.TALLY, account)
    assert row is not None
    return Tally(row["works"], row["unsigned"], row["pending"], row["contested"])
