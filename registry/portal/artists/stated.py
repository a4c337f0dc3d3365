"""What an artist's terms say of the works that a team asks for, and how a licence on them would end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from licet import identifiers, times
from licet.statements.kinds import LicenceRequest
from licet.statements.kinds.licences import Agreed
from licet.terms import ATOMS, Terms
from licet.terms.wording import duration_text, sentences
from licet.wire.agreements import RequestShown
from registry.accounts.identity import Caller
from registry.consent.keeping import known_terms
from registry.database import Connection, Row
from registry.portal.artists import queries
from registry.portal.frame.backs import Back, backs, term
from registry.services import Services

_ALL: Final = frozenset(ATOMS)


class Group(NamedTuple):
    """Works of a request on which her terms say the same, in the words of terms; without any: why they say nothing."""

    works: int
    says: list[str]
    why: str | None


class Stated(NamedTuple):
    """What her terms say of what is asked for: in groups, of which works, and how a licence would end by them alone."""

    groups: list[Group]
    own: set[str]  # those of the works that are hers
    backs: list[Back]
    runs: str | None  # how long, in words; None without an end


async def stated(
    services: Services, caller: Caller, found: RequestShown, said: LicenceRequest | None, tag: str
) -> Stated:
    """Return what her terms say now of what is asked for in ``found``, of which ``said`` is the document."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows = await _rows(conn, caller, found)
        terms = await known_terms(conn, [], *{row["terms"] for row in rows})
        taken_back, runs = await _end(conn, rows, said, msgspec.UNSET, tag)
    alike = Counter((None if (why := _why(row)) else row["terms"], why) for row in rows)
    groups = [Group(count, _says(terms, counts, said, tag), why) for (counts, why), count in alike.items()]
    return Stated(groups, {identifiers.from_uuid("wrk", row["work"]) for row in rows}, taken_back, runs)


async def ends(
    services: Services, caller: Caller, found: RequestShown, said: LicenceRequest | None, agreed: Agreed, tag: str
) -> tuple[list[Back], str | None]:
    """Return how a licence on what is asked for would be taken back, and how long it would run, with ``agreed``."""
    async with services.database.acquire() as conn:
        return await _end(conn, await _rows(conn, caller, found), said, agreed, tag)


async def _rows(conn: Connection, caller: Caller, found: RequestShown) -> Sequence[Row]:
    return await conn.fetch(
        queries.TERMS_ON, [identifiers.to_uuid(each.work, "wrk") for each in found.works], caller.account
    )


async def _end(
    conn: Connection, rows: Sequence[Row], said: LicenceRequest | None, agreed: Agreed | msgspec.UnsetType, tag: str
) -> tuple[list[Back], str | None]:
    named = [row["terms"] for row in rows if row["terms"]]
    atoms = [] if said is None else said.use.atoms
    taken_back = await backs(conn, [(each, agreed) for each in named], atoms)
    runs = await term(conn, named, atoms, times.now())
    return taken_back, None if runs is None else duration_text(runs, tag)


def _why(row: Row) -> str | None:
    return "withdrawn" if row["withdrawn"] else "contested" if row["contested"] else None


def _says(terms: Mapping[bytes, Terms], counts: bytes | None, said: LicenceRequest | None, tag: str) -> list[str]:
    if counts is None:
        return []
    unsaid = _ALL - set(said.use.atoms) if said is not None else frozenset[str]()
    return sentences(terms[counts], tag, unsaid)[:-1]  # without the ending of a statement: it is none
