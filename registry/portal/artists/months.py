"""Months: how far each has come, the statement of each as page and on paper, and what proves the artist's own lines."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.accounts.identity import Caller
from registry.auditing import monthly
from registry.closing import reading
from registry.errors import NotFound
from registry.http.months import MONTH
from registry.http.paging import Asked, Cursor
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following, language_of
from registry.services import Services

_A_PAGE: Final = 24
_MEDIA: Final = {"html": HTML, "pdf": "application/pdf"}
_HEADERS: Final = {
    # It has neither scripts nor links; its own policy names its one style by digest.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@get(everywhere("/earnings/statements"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def months(
    request: Request[Any, Any, Any], services: NamedDependency[Services], cursor: Cursor = None
) -> Response[bytes]:
    """Every month since the registry began, the newest first."""
    asked = Asked.of(request, "-period", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await reading.listed(conn, asked)
    return ROOM.page(
        request, "months", here="earnings", tab="statements", months=page.items, paper=monthly.prints(),
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(
    everywhere("/earnings/statements/{period:str}/{form:str}"),
    include_in_schema=False,
    media_type=HTML,
    guards=[ARTISTS],
    opt={"seconds": 900},
)
async def statement(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: FromPath[str],
    form: FromPath[Literal["page", "pdf"]],
) -> Response[bytes]:
    """The drawn statement of one month, with everything in it verified before."""
    async with services.database.acquire() as conn:
        first = (await reading.listed(conn, Asked("", "period", 1))).items
    if not re.fullmatch(MONTH, period) or not first or period < first[0].period:
        raise NotFound("there is no such month in the books: the registry had not begun")
    kind: monthly.Form = "pdf" if form == "pdf" else "html"
    drawn = await monthly.statement(services, caller, period, kind, language_of(request))
    name = f"licet-{period}.{kind}"
    headers = {**_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(drawn, media_type=_MEDIA[kind], headers=headers)


ROUTES: Final = [months, statement]
