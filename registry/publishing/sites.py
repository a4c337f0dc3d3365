"""What an artist's own site says: the terms that hold for every work of hers that is under terms."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from licet import times
from licet.signals.writers import Subject
from licet.signals.writers.rsl import MAX_AGE
from registry.consent.intake import shown_name
from registry.consent.shown import standings
from registry.publishing.counting import counted, together
from registry.services import Services


class SiteTerms(NamedTuple):
    """The terms of a whole site; ``works`` are under terms, ``kinds`` is how many different ones there are."""

    subject: Subject
    works: int
    kinds: int


async def site_terms(services: Services, account: UUID, artist: str) -> SiteTerms | None:
    """Return what counts for all works of ``account`` at once, None where nothing is under terms yet.

    The strictest of each use, also of terms whose place in the log is still to come; withdrawn works are not among
    them.
    """
    async with services.database.acquire() as conn:
        found = await standings(conn, account)
    if not found:
        return None
    now = times.now()
    since, until = times.to_text(now), times.to_text(now + timedelta(days=MAX_AGE))
    whole = together(counted(each, since, until) for each in found)
    subject = Subject(terms=whole.terms, unsaid=whole.unsaid, artist=shown_name(artist) or None)
    return SiteTerms(subject, sum(each.works for each in found), len({each.terms.hash for each in found}))
