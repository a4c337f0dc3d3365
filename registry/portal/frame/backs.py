"""How a licence ends, told before it is signed and while it is held: taken back, or after the time that terms give it.

What was offered goes before the terms of each work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from licet.statements.kinds.licences import Agreed
from licet.statements.revoking import condition
from licet.terms import Revocation, durations
from registry.consent.keeping import known_terms
from registry.database import Connection
from registry.licensing.offers import after

Ground = tuple[bytes, Agreed | msgspec.UnsetType]


class Back(NamedTuple):
    """How many works are taken back on one condition; None where the artist cannot."""

    works: int
    condition: Revocation | None


async def backs(conn: Connection, works: Iterable[Ground] | Mapping[Ground, int], atoms: Sequence[str]) -> list[Back]:
    """Return on which conditions ``works`` would be taken back, by their terms and what is agreed, the most first.

    ``works`` are named one by one, or counted.
    """
    alike = Counter(works)
    terms = await known_terms(conn, [], *{digest for digest, _ in alike})
    counted: Counter[Revocation | None] = Counter()
    for (digest, agreed), count in alike.items():
        counted[condition(agreed, terms[digest], atoms)] += count
    return [Back(count, found) for found, count in counted.most_common()]


async def term(conn: Connection, works: Iterable[bytes], atoms: Sequence[str], now: datetime) -> str | None:
    """Return how long (ISO 8601) a licence that is taken ``now`` runs by the terms of ``works``, named by their hashes.

    The shortest of what they say counts for the whole licence; None where none of them gives it an end.
    """
    given: set[str] = set()
    for terms in (await known_terms(conn, [], *set(works))).values():
        rules = (terms.rules[atom] for atom in atoms)
        given |= {rule.grant_term for rule in rules if rule.permission == "license" and rule.grant_term is not None}
    ends = ((after(now, durations.parse(each)), each) for each in given)
    return min(((at, each) for at, each in ends if at is not None), default=(None, None))[1]
