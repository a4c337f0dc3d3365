"""A work as everybody sees it: its terms in words and for machines, who said so, when, and where the proof is."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from licet import identifiers
from licet.signals.writers.lines import no_ai, response_headers
from licet.signals.writers.policies import reservation
from licet.terms import ATOMS, conditions_text, sentences
from registry.consent.shown import Shown, shown
from registry.errors import NotFound
from registry.portal.frame import machine
from registry.portal.frame.doors import use_door
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.matching import door_of
from registry.portal.frame.pages import HTML, Room, language_of, signed_in
from registry.portal.public.words import WORDS
from registry.publishing.documents import JSON, NAMES, addresses, as_published
from registry.services import Services

ROOM = Room("public", WORDS)
_LIE: Final = {dialect: name for name, dialect in NAMES.items()} | {"json": JSON}


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
    url, caller = services.settings.url, signed_in(request)
    told, lie = as_published(found, url), {name: each.removeprefix(url) for name, each in addresses(work, url).items()}
    page = ROOM.page(
        request,
        "work",
        work=found,
        door=door_of(found),
        doors=[(atom, use_door(found.terms.rules[atom])) for atom in ATOMS],
        asks={atom: conditions_text(found.terms.rules[atom], TAGS[language_of(request)]) for atom in ATOMS},
        words=sentences(found.terms, TAGS[language_of(request)]),
        forms=machine.forms(told.subject, {name: lie[each] for name, each in _LIE.items()}),
        json=lie[JSON],
        rsl=lie["terms.rsl.xml"],
        reserved=reservation(told.subject)[0],
        robots=no_ai(told.subject)[0],
        relies=_relies(found),
        disputable=not found.withdrawn and (caller is None or caller.account != found.account),
    )
    # The page says in its headers what the picture's own answer would say in its.
    for name, value in response_headers(told.subject)[0]:
        page.headers[name] = value
    return page


def _relies(work: Shown) -> bool:
    """Whether free permissions of the work count already (semantics 5)."""
    free = any(
        rule.permission == "allow" or (rule.permission == "license" and rule.offer.model in ("free", "attribution"))
        for atom, rule in work.terms.rules.items()
        if atom != "search"
    )
    return work.level >= 2 or not free
