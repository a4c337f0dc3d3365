"""Errors for people: what every room refuses in RFC 9457 becomes a page, where a page was asked for.

What happened, what is safe, what to do: by status and type. Programs, and scripts that ask for JSON, get the problem
as it is. Somebody who only has to sign in is led there, and back again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
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
        return _Asking(request, said) if unasked else page_of(request, said)

    return answer


class _Asking(Response[Any]):
    """A problem that becomes a page once it is known who is signed in; without an answer, the page of nobody."""

    def __init__(self, request: Request[Any, Any, Any], said: Response[Any]) -> None:
        super().__init__(said.content, status_code=said.status_code)
        self._asked, self._said = request, said

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return _Asked(self._asked, self._said)


class _Asked(ASGIResponse):
    def __init__(self, request: Request[Any, Any, Any], said: Response[Any]) -> None:
        super().__init__(status_code=said.status_code or 404)
        self._request, self._said = request, said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who asks, then answer."""
        with suppress(RegistryError):
            async with answering(PATIENCE):
                await authenticated(self._request)
        page = page_of(self._request, self._said).to_asgi_response(None, self._request)
        await page(scope, receive, send)


def page_of(request: Request[Any, Any, Any], said: Response[Any]) -> Response[Any]:
    """Return the page that tells what the problem ``said`` tells programs."""
    problem = msgspec.json.decode(said.content, type=Problem)
    language = of_path(request.url.path)
    if problem.status == 401 and request.method in ("GET", "HEAD"):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Redirect(f"/{language}/sign-in?{urlencode({'to': asked})}", status_code=303)
    status = problem.status if problem.status in _KNOWN else _AS.get(problem.status, 500)
    name = _BY_SLUG.get(problem.type.rpartition("/")[2], f"e{status}")
    why = problem.detail
    values = {"name": name, "why": why, "request_id": problem.instance, "status": status, "retry": request.url.path}
    page = rendered(request, "frame/refusal.html", {}, problem.status, values)
    for header in ("Retry-After", "RateLimit", "RateLimit-Policy", "allow"):
        if header in said.headers:
            page.headers[header] = said.headers[header]
    return page


EXCEPTION_HANDLERS: Final = {kind: for_people(handler) for kind, handler in PROBLEMS.items()}
