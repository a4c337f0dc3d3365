"""A work as everybody sees it: its terms in words and for machines, who said so, when, and where the proof is."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from licet import identifiers
from licet.terms import ATOMS, plain_text
from registry.consent.intake import shown_name
from registry.consent.shown import Shown, shown
from registry.errors import NotFound
from registry.portal.frame.doors import use_door
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.matching import door_of
from registry.portal.frame.pages import HTML, Room, language_of
from registry.portal.public.words import WORDS
from registry.services import Services

ROOM = Room("public", WORDS)


@get(everywhere("/work/{work:str}"), include_in_schema=False, media_type=HTML)
async def public_work(
    request: Request[Any, Any, Any], services: NamedDependency[Services], work: FromPath[str]
) -> Response[bytes]:
    """The public page of a work."""
    number = identifiers.to_uuid(work, "wrk", field="path:work")
    async with services.database.acquire() as conn:
        found = (await shown(conn, [number])).get(number)
    if found is None:
        raise NotFound("there is no such work, or no statement about it is in the public record yet")
    return ROOM.page(
        request,
        "work",
        work=found,
        door=door_of(found),
        doors=[(atom, use_door(found.terms.rules[atom])) for atom in ATOMS],
        words=plain_text(found.terms, TAGS[language_of(request)], shown_name(found.artist or ""), 1),
        machine=msgspec.json.format(found.terms.encoded, indent=2).decode(),
        relies=_relies(found),
    )


def _relies(work: Shown) -> bool:
    """Whether free permissions of the work count already (semantics 5)."""
    free = any(
        rule.permission == "allow" or (rule.permission == "license" and rule.offer.model in ("free", "attribution"))
        for atom, rule in work.terms.rules.items()
        if atom != "search"
    )
    return work.level >= 2 or not free
