"""A page: a template of a room, the words of both languages, and headers that let nothing run or load but ours.

Templates are found under the name of their room: ``artists/home.html`` lies in ``artists/templates/``. They get ``w``
(the words), ``lang`` for addresses, ``me`` (who is signed in, or None), ``unread`` (alerts, as a guard counted them),
``contact`` of the registry with its ``contact_link``, ``nonce``, ``form_token``, ``asset()`` and ``note``. Everything
is escaped; no template has a style or a script of its own. A stranger's line amid other text goes through ``apart``.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import jinja2
from litestar import Request, Response

from licet.characters import apart
from registry.accounts.identity import Caller
from registry.http.squeezing import squeezed
from registry.observing.requests import CALLER
from registry.portal.frame import assets, forms, notes
from registry.portal.frame.languages import OTHER, TAGS, Language, of_path
from registry.portal.frame.people import UNREAD
from registry.portal.frame.words import Vocabulary, Words
from registry.settings import Settings

HTML: Final = "text/html"
_PORTAL: Final = Path(__file__).parent.parent
_ROOMS: Final = sorted(each.parent for each in _PORTAL.glob("*/templates"))
ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.PrefixLoader({room.name: jinja2.FileSystemLoader(room / "templates") for room in _ROOMS}),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals["asset"] = assets.address
ENVIRONMENT.filters["apart"] = apart
_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types app"
)
_HEADERS: Final = {
    # Not `no-referrer`: browsers without Sec-Fetch-Site tell by Origin who sent a form, and that policy hides it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), "
    "microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}


class Room(NamedTuple):
    """A room of pages, with its words over those of the frame."""

    name: str
    words: Vocabulary

    def speaks(self, language: Language) -> Words:
        """Return the words of one language."""
        return Words(language, self.words)

    def page(
        self, request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: Any
    ) -> Response[bytes]:
        """Return the page that ``template`` of this room makes of ``values``."""
        return rendered(request, f"{self.name}/{template}.html", self.words, status, values)


def signed_in(request: Request[Any, Any, Any]) -> Caller | None:
    """Return who is signed in, as the count of requests has found out before any handler runs."""
    found: Caller | None = request.scope["state"].get(CALLER)
    return found


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Return the language that the address is in; English where it is in none."""
    return of_path(request.url.path) or "en"


def following(request: Request[Any, Any, Any], cursor: str | None) -> str | None:
    """Return the address of the next page of a list, which asks for all else that this one did; None at the end."""
    if cursor is None:
        return None
    return f"{request.url.path}?{urlencode([*_without_cursor(request), ('cursor', cursor)])}"


def _without_cursor(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]


def rendered(
    request: Request[Any, Any, Any], template: str, words: Vocabulary, status: int, values: dict[str, Any]
) -> Response[bytes]:
    """Return the page with its headers, compressed where the browser takes that."""
    language = language_of(request)
    other = OTHER[language]
    rest = request.url.path.removeprefix(f"/{language}")
    # A cursor is one of its own address: the other language begins at the first page.
    asked = urlencode(_without_cursor(request))
    query = f"?{asked}" if asked else ""
    nonce = secrets.token_urlsafe(16)
    settings: Settings = request.app.state.settings
    note, cookies = notes.taken(request)
    html = ENVIRONMENT.get_template(template).render(
        **{
            "here": "",
            "w": Words(language, words),
            "lang": language,
            "other": other,
            "other_tag": TAGS[other],
            "other_url": f"/{other}{rest}{query}",
            "me": signed_in(request),
            "nonce": nonce,
            "form_token": forms.token_of(request),
            "note": note,
            "contact": settings.contact,
            "contact_link": settings.contact_link,
            "unread": request.scope["state"].get(UNREAD, 0),
            **values,
        }
    )
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(nonce=nonce)}
    content = squeezed(request, html.encode(), headers)
    return Response(content, media_type=HTML, status_code=status, headers=headers, cookies=cookies)
