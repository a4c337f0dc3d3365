"""What this site says of itself to crawlers: of the pictures that lie here, and of its own pages and documents.

A picture here is a preview for its artist, under the terms of its work; the files of the site deny all of them
together, as nobody else is to have them. What is public (pages of works, documents of terms, the register) is for
everybody to read, crawlers of AI too: terms have to be found.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from licet.signals.writers import Subject, write
from licet.signals.writers.lines import content_usage, response_headers
from licet.terms import ATOMS, Terms
from licet.terms.rules import DENY
from registry.consent.shown import shown
from registry.publishing.documents import as_published
from registry.services import Services

DENIED: Final = Terms(dict.fromkeys(ATOMS, DENY))
PICTURES: Final = "/v1/works/"  # previews lie below it, and nothing that is public
#: What has nothing in it for crawlers: everything below wants a token, a session or a question.
_CLOSED: Final = ("/v1/", "/health/", "/metrics")


async def preview_headers(services: Services, work: UUID) -> list[tuple[str, str]]:
    """Return the headers of a preview: the terms of its work as they count; all is denied before it is public."""
    async with services.database.acquire() as conn:
        found = (await shown(conn, [work])).get(work)
    subject = Subject(terms=DENIED) if found is None else as_published(found, services.settings.url).subject
    return response_headers(subject)[0]


def robots_txt() -> bytes:
    """Return ``/robots.txt``: nobody fetches what is not public, and nothing may be done with pictures here.

    No crawler has a group of its own: all may read what is public, those of AI before others.
    """
    usage, _ = content_usage(Subject(terms=DENIED))
    lines = ["User-agent: *", f"Content-Usage: {PICTURES} {usage}", *(f"Disallow: {each}" for each in _CLOSED)]
    return "".join(f"{line}\n" for line in lines).encode()


def ai_txt() -> bytes:
    """Return ``/ai.txt``, which speaks of media alone: no picture here is for training."""
    return write("ai.txt", Subject(terms=DENIED)).body


def tdmrep_json() -> bytes:
    """Return ``/.well-known/tdmrep.json``: the pictures here are reserved, and no policy lifts that."""
    return write("tdmrep.json", Subject(terms=DENIED, url=PICTURES)).body
