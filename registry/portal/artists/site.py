"""Publish on my site: the terms that hold for all of one's works, as files to put up, with what each is for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from licet.errors import InputError
from licet.signals.writers import kit
from registry.accounts.identity import Caller
from registry.errors import NotFound
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.doors import Door, use_door
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.publishing.sites import site_terms
from registry.services import Services

At = Annotated[str | None, QueryParameter(max_length=300)]
#: Every file of the kit and the words that say what it is, in the order that one puts them up.
FILES: Final = {
    kit.README: "site_readme",
    "robots.txt": "site_robots",
    "ai.txt": "site_ai",
    ".well-known/tdmrep.json": "site_tdmrep",
    "licet/rsl.xml": "site_rsl",
    "licet/tdm-policy.json": "site_policy",
    "licet/odrl.json": "site_odrl",
    "licet/terms.json": "site_json",
    "licet/terms.html": "site_page",
    "for-your-pages.html": "site_head",
    "servers/nginx.conf": "site_nginx",
    "servers/apache.conf": "site_apache",
    "servers/_headers": "site_netlify",
}


@get(everywhere("/site"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def site_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    at: At = None,
) -> Response[bytes]:
    """What is in the kit, what each file cannot say, and the kit itself."""
    found = await site_terms(services, caller.account, caller.name)
    site, wrong = None, False
    try:
        site = kit.site_of(at) if at and at.strip() else None
    except InputError:
        wrong = True
    values: dict[str, Any] = {"found": found, "site": site, "at": at or "", "wrong": wrong}
    if found is not None:
        whole = kit.of_site(found.subject, site)
        written = kit.documents(whole)
        files = []
        for place, words in FILES.items():
            lost = written[place].losses(whole.terms) if place in written else ()
            silent = [each.use for each in lost if each.lost == "silent"]
            strict = [each.use for each in lost if each.lost == "stricter"]
            files.append((place, words, silent, strict, place in written))
        open_ = Door("wait", "use_unsaid")
        doors = [(use, open_ if use in whole.unsaid else use_door(rule)) for use, rule in whole.terms.rules.items()]
        values |= {"files": files, "doors": doors, "unsaid": sorted(whole.unsaid)}
    return ROOM.page(request, "site", status=400 if wrong else 200, here="works", **values)


@get(everywhere("/site/kit.zip"), include_in_schema=False, media_type="application/zip", guards=[ARTISTS])
async def site_kit(
    services: NamedDependency[Services], caller: NamedDependency[Caller], at: At = None
) -> Response[bytes]:
    """The kit; without the address of a site its files do not point to each other."""
    site = kit.site_of(at) if at and at.strip() else None
    found = await site_terms(services, caller.account, caller.name)
    if found is None:
        raise NotFound("there are no works under terms yet: a kit says what was signed")
    headers = {"Content-Disposition": 'attachment; filename="licet-kit.zip"', "Cache-Control": "no-store"}
    return Response(kit.archive(kit.kit(found.subject, site)), media_type="application/zip", headers=headers)


ROUTES: Final = [site_page, site_kit]
