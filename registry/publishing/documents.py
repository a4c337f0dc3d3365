"""A work's terms as documents: which there are, where they lie, and what each of them is made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet import times
from licet.signals.writers import Subject, write
from licet.signals.writers.lines import response_headers
from licet.signals.writers.rsl import MAX_AGE
from licet.terms import VOCAB
from licet.wire.publishing import PublishedTerms
from registry.consent.intake import shown_name
from registry.consent.shown import Shown, shown
from registry.errors import NotFound
from registry.publishing.counting import Counted, counted
from registry.services import Services

JSON: Final = "terms.json"
#: Name behind ``/works/<id>/`` → dialect. A TDM·AI declaration needs the work's ISCC, which is not public; robots.txt,
#: ai.txt and headers speak of a site and not of a work.
NAMES: Final[Mapping[str, str]] = {
    "terms.rsl.xml": "rsl",
    "terms.tdmrep.json": "tdmrep.json",
    "terms.tdm-policy.json": "tdmrep",
    "terms.odrl.json": "odrl",
    "terms.cawg.json": "cawg",
    "terms.croissant.json": "croissant",
    "terms.xmp": "xmp",
}
_POINTED_TO: Final = ("rsl", "tdmrep", "odrl")


class Published(NamedTuple):
    """A work with what counts of its terms at a moment, as writers take it."""

    work: Shown
    counted: Counted
    subject: Subject


class Document(NamedTuple):
    """A document as it is sent: its bytes, the headers of whoever speaks of the work, and a name for all of that."""

    content: bytes
    headers: list[tuple[str, str]]
    tag: str
    signed_at: datetime


async def published(services: Services, work: UUID) -> Published:
    """Return what counts for a public work; raises ``NotFound`` for one that is not, or not yet."""
    async with services.database.acquire() as conn:
        found = (await shown(conn, [work])).get(work)
    if found is None:
        raise NotFound("there is no such work, or no statement about it is in the public record yet")
    return as_published(found, services.settings.url)


def as_published(work: Shown, url: str, now: datetime | None = None) -> Published:
    """Return ``work`` as it is published at the registry's address ``url``, by default at this moment.

    An RSL document may be kept for `MAX_AGE` days, so an offer that ends within them is made in none of the documents.
    """
    now = now or times.now()
    counts = counted(work, times.to_text(now), times.to_text(now + timedelta(days=MAX_AGE)))
    own = f"{url}/works/{work.work}/"
    subject = Subject(
        terms=counts.terms,
        unsaid=counts.unsaid,
        address=f"{url}/en/work/{work.work}",
        machine={dialect: own + name for name, dialect in NAMES.items() if dialect in _POINTED_TO},
        title=work.title,
        artist=shown_name(work.artist or "") or None,
        server=url,
    )
    return Published(work, counts, subject)


def document(found: Published, name: str, url: str) -> Document:
    """Return the document that lies at ``name`` behind the work, with the headers that go with it."""
    content = _json(found, url) if name == JSON else write(NAMES[name], found.subject).body
    headers, _ = response_headers(found.subject)
    whole = sha256(content + b"".join(f"\n{each}: {value}".encode() for each, value in headers))
    return Document(content, headers, whole.hexdigest()[:32], found.work.signed_at)


def addresses(work: str, url: str) -> dict[str, str]:
    """Return where each document of ``work`` lies, by its name."""
    return {name: f"{url}/works/{work}/{name}" for name in (JSON, *NAMES)}


def _json(found: Published, url: str) -> bytes:
    work, counts, subject = found
    told = PublishedTerms(
        work=work.work,
        title=work.title,
        artist=work.artist,
        level=work.level,
        statement=work.statement,
        log_index=work.log_index,
        signed_at=times.to_text(work.signed_at),
        in_force=work.terms.hash,
        vocab=VOCAB,
        terms=counts.terms.to_json(),
        terms_hash=counts.terms.hash,
        unsaid=sorted(counts.unsaid),
        reasons=counts.reasons,
        page=subject.address or "",
        documents=addresses(work.work, url),
    )
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
