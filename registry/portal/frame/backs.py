"""How licences can be taken back, told before one is signed: what was offered goes before the terms of each work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from licet.statements.kinds.licences import Agreed
from licet.statements.revoking import condition
from licet.terms import Revocation
from registry.consent.service import known_terms
from registry.database import Connection


class Back(NamedTuple):
    """How many works are taken back on one condition; None where the artist cannot."""

    works: int
    condition: Revocation | None


async def backs(
    conn: Connection, works: Iterable[tuple[bytes, Agreed | msgspec.UnsetType]], atoms: Sequence[str]
) -> list[Back]:
    """Return on which conditions ``works`` would be taken back, by their terms and what is agreed, the most first."""
    alike = Counter(works)
    terms = await known_terms(conn, [], *{digest for digest, _ in alike})
    counted: Counter[Revocation | None] = Counter()
    for (digest, agreed), count in alike.items():
        counted[condition(agreed, terms[digest], atoms)] += count
    return [Back(count, found) for found, count in counted.most_common()]
