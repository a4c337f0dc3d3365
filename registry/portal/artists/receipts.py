"""Receipts: what was signed, word for word, with its place in the log and everything to prove it later."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Consent, WorksScope
from licet.terms import ATOMS, Terms, plain_text, text_hash
from registry.accounts.identity import Caller
from registry.consent.intake import shown_name
from registry.errors import NotFound
from registry.portal.artists import queries
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.doors import door, use_door
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.services import Services
from registry.works import thumbnails

_PICTURES: Final = 12


@get(everywhere("/statements/{statement:str}"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def receipt(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    statement: FromPath[str],
) -> Response[bytes]:
    """The receipt of one of one's own statements."""
    number = identifiers.to_uuid(statement, "stm", field="path:statement")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(queries.STATEMENT, number, caller.account)
        if row is None or row["envelope"] is None:
            raise NotFound("there is no such statement of yours")
        works = await conn.fetch(queries.COVERED, number, caller.account, _PICTURES)
        sizes = await thumbnails.sizes(conn, caller.account, [each["id"] for each in works])
    envelope = envelopes.parse(row["envelope"])
    consent = envelopes.read_as(Consent, envelope) if envelope.kind == "consent" else None
    terms = None if consent is None else Terms.parse({"vocab": consent.vocab, "terms": consent.terms})
    return ROOM.page(
        request,
        "receipt",
        here="works",
        statement=statement,
        row=row,
        at=times.to_text(row["at"] or row["accepted_at"]),
        until=None if row["until"] is None else times.to_text(row["until"]),
        text=None if consent is None or terms is None else _text(consent, terms, caller.name),
        tongue="en" if consent is None else consent.shown.lang,
        digest=envelope.payload_digest,
        door=None if terms is None else door(terms),
        doors=[] if terms is None else [(atom, use_door(terms.rules[atom])) for atom in ATOMS],
        pictures=[(identifiers.from_uuid("wrk", each["id"]), each["title"], sizes.get(each["id"])) for each in works],
    )


def _text(consent: Consent, terms: Terms, name: str) -> str | None:
    """Return the text that was on screen, None where the name in it was another one."""
    count = consent.scope.count if isinstance(consent.scope, WorksScope) else None
    text = plain_text(terms, consent.shown.lang, shown_name(name), count)
    return text if text_hash(text) == consent.shown.text_hash else None


ROUTES: Final = [receipt]
