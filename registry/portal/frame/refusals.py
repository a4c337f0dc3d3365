"""Errors for people: what every room refuses in RFC 9457 becomes a page, where a page was asked for.

What happened, what is safe, what to do: by status and type. Programs, and scripts that ask for JSON, get the problem
as it is. Somebody who only has to sign in is led there, and back again afterwards; who had sent a form signs in on the
page that holds it (``taking.takes_form``: ``kept``), and it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from licet.wire.common import Problem
from registry.accounts.identity import COOKIE, authenticated
from registry.accounts.metering import PATIENCE
from registry.database import answering
from registry.errors import RegistryError
from registry.http.problems import EXCEPTION_HANDLERS as PROBLEMS
from registry.observing.requests import CALLER
from registry.portal.frame import forms
from registry.portal.frame.ceremonies import PASSKEY
from registry.portal.frame.languages import of_path
from registry.portal.frame.pages import HTML, rendered

Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]
_BY_SLUG: Final = {"stale-form": "e403_form", "step-up-required": "e403_step"}
_KNOWN: Final = frozenset({400, 401, 403, 404, 405, 409, 413, 429, 503})
_AS: Final = {406: 400, 408: 400, 410: 404, 412: 409, 414: 400, 415: 400, 422: 400, 431: 400}


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether an address of the portal was asked for by a browser that shows pages."""
    handler = request.scope.get("route_handler")
    if of_path(request.url.path) is None or (handler is not None and "json" in str(getattr(handler, "media_type", ""))):
        return False
    accept = request.headers.get("accept", "*/*")
    return HTML in accept or "json" not in accept


def for_people(handler: Handler) -> Handler:
    """Return ``handler`` with its problems as pages, where a page was asked for."""

    def answer(request: Request[Any, Any, Any], error: Any) -> Response[Any]:
        said = handler(request, error)
        if not wants_page(request):
            return said
        # Where no page was found, nobody has asked yet who is there.
        unasked = CALLER not in request.scope["state"] and COOKIE in request.cookies
        return _Later(request, said, unasked=unasked) if unasked or _keeps(request, said) else page_of(request, said)

    return answer


def _keeps(request: Request[Any, Any, Any], said: Response[Any]) -> bool:
    """Whether a page of ours sent a form that somebody signs in for first: no other page may leave one here."""
    handler = request.scope.get("route_handler")
    if said.status_code != 401 or handler is None or not handler.opt.get("kept"):
        return False
    site = request.headers.get("sec-fetch-site")
    origins = request.app.state.services.settings.site.origins
    return site == "same-origin" if site is not None else request.headers.get("origin") in origins


class _Later(Response[Any]):
    """A problem that becomes a page once it is known who is signed in (``unasked``), and what form was sent."""

    def __init__(self, request: Request[Any, Any, Any], said: Response[Any], *, unasked: bool) -> None:
        super().__init__(said.content, status_code=said.status_code)
        self._asked, self._said, self._unasked = request, said, unasked

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return _Known(self._asked, self._said, unasked=self._unasked)


class _Known(ASGIResponse):
    def __init__(self, request: Request[Any, Any, Any], said: Response[Any], *, unasked: bool) -> None:
        super().__init__(status_code=said.status_code or 404)
        self._request, self._said, self._unasked = request, said, unasked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out what is still to be known, then answer; without an answer, with the page of nobody."""
        kept: list[tuple[str, str]] = []
        if self._unasked:
            with suppress(RegistryError):
                async with answering(PATIENCE):
                    await authenticated(self._request)
        if _keeps(self._request, self._said):
            with suppress(RegistryError, HTTPException):
                kept = forms.pairs_of(await Request[Any, Any, Any](scope, receive).body())
        page = page_of(self._request, self._said, kept).to_asgi_response(None, self._request)
        await page(scope, receive, send)


def page_of(
    request: Request[Any, Any, Any], said: Response[Any], kept: Sequence[tuple[str, str]] = ()
) -> Response[Any]:
    """Return the page that tells what the problem ``said`` tells programs, with the fields that were sent."""
    problem = msgspec.json.decode(said.content, type=Problem)
    language = of_path(request.url.path)
    if problem.status == 401 and request.method in ("GET", "HEAD"):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Redirect(f"/{language}/sign-in?{urlencode({'to': asked})}", status_code=303)
    status = problem.status if problem.status in _KNOWN else _AS.get(problem.status, 500)
    name = _BY_SLUG.get(problem.type.rpartition("/")[2], f"e{status}")
    why = problem.detail
    values = {"name": name, "why": why, "request_id": problem.instance, "status": status, "retry": request.url.path}
    values["kept"] = [(field, value) for field, value in kept if field != forms.FIELD]
    page = rendered(request, "frame/refusal.html", PASSKEY, problem.status, values)
    for header in ("Retry-After", "RateLimit", "RateLimit-Policy", "allow"):
        if header in said.headers:
            page.headers[header] = said.headers[header]
    return page


EXCEPTION_HANDLERS: Final = {kind: for_people(handler) for kind, handler in PROBLEMS.items()}
