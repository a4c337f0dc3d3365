"""Tracing a picture that was found somewhere, and the evidence of a work on one sheet of paper."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers, times
from licet.errors import InputError, PictureError
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.consent import portfolio
from registry.consent.shown import said_of
from registry.disputes import service as disputes
from registry.http.paging import Asked
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.artists.works import hang
from registry.portal.frame import matching
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.frame.taking import takes_form
from registry.services import Services

_MOST: Final = 50
_MONTHS: Final = 24


@get(everywhere("/trace"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def trace_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The form."""
    return ROOM.page(request, "trace", here="works", size=matching.largest(services), found=None, wrong=None)


@takes_form("/trace", ARTISTS, most=matching.BODY, **matching.FORM)
async def trace(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    body: RawBody,
) -> Response[bytes]:
    """The registered works nearest to a picture; of one's own, who took licences on them."""
    picture = await matching.picture_of(request)
    await meter.spend("upload-bytes", len(body))
    again = functools.partial(ROOM.page, request, "trace", here="works", size=matching.largest(services))
    if not picture:
        return again(status=400, found=None, wrong="trace_empty")
    try:
        count, found = await matching.matched(services, caller, meter, picture, caller.account)
    except (PictureError, InputError):
        return again(status=400, found=None, wrong="trace_bad")
    return again(found=found, count=count, wrong=None, told=caller.level >= 2)


@get(everywhere("/works/{work:str}/evidence"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def evidence(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    work: FromPath[str],
) -> Response[bytes]:
    """Everything that can be shown of one of one's own works, to be printed, with the files that prove it."""
    number = identifiers.to_uuid(work, "wrk", field="path:work")
    found = await portfolio.own_work(services, caller.account, number)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        (hung,) = await hang(conn, caller.account, [found])
        said = await said_of(conn, caller.account, number)
        uses = await matching.uses_of(conn, caller.account, number)
        disputed = await disputes.listed(conn, caller.account, Asked("", "-opened", _MOST), work=number)
    return ROOM.page(
        request,
        "evidence",
        here="works",
        work=found,
        hung=hung,
        said=said,
        uses=uses,
        disputes=disputed.items,
        told=caller.level >= 2,
        name=caller.name,
        now=times.to_text(times.now()),
        months=_months(found.registered_at),
        origin=services.keys.origin,
    )


def _months(since: str) -> list[str]:
    """Return the months from ``since`` to the present one, the newest first."""
    today, first = times.now().date(), date.fromisoformat(since[:10])
    place = today.year * 12 + today.month - 1
    count = min(_MONTHS, place - (first.year * 12 + first.month - 1) + 1)
    return [f"{(place - back) // 12:04}-{(place - back) % 12 + 1:02}" for back in range(count)]


ROUTES: Final = [trace_page, trace, evidence]
