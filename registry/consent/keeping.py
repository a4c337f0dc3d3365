"""Terms by their hash: each is kept once, however many statements and works it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from licet.terms import Terms, intern
from registry.consent.queries import statements
from registry.consent.types import Group
from registry.database import Connection


async def known_terms(conn: Connection, groups: Iterable[Group], *more: bytes) -> dict[bytes, Terms]:
    """Return the terms that ``groups`` name, and ``more``, by hash."""
    wanted = {each for group in groups for each in (group.own, group.catalogue, group.shared)} | set(more)
    rows = await conn.fetch(statements.TERMS, [each for each in wanted if each])
    return {row["hash"]: intern(row["encoded"]) for row in rows}


async def keep_terms(conn: Connection, terms: Mapping[bytes, Terms]) -> None:
    """Keep ``terms`` by their hash."""
    ordered = sorted(terms)  # two statements that insert the same terms wait for each other in one order
    await conn.execute(statements.KEEP_TERMS, ordered, [terms[each].encoded for each in ordered])
