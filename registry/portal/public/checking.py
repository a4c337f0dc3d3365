"""Is this picture registered? Answered without an account (``registry.portal.frame.matching``)."""

from __future__ import annotations

import functools
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import RawBody

from licet.errors import InputError, PictureError
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter, address_of
from registry.portal.frame import matching
from registry.portal.frame.languages import everywhere
from registry.portal.frame.matching import largest
from registry.portal.frame.pages import HTML, Room
from registry.portal.frame.taking import takes_form
from registry.portal.public.words import WORDS
from registry.services import Services

ROOM = Room("public", WORDS)


@get(everywhere("/check"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def check_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The form."""
    return ROOM.page(request, "check", here="check", size=largest(services), found=None, wrong=None)


@takes_form("/check", most=matching.BODY, **matching.FORM)
async def check(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    meter: NamedDependency[Meter],
    optional_caller: NamedDependency[Caller | None],
    body: RawBody,
) -> Response[bytes]:
    """The answer: not registered, or which works it matches."""
    picture = await matching.picture_of(request)
    await meter.spend("upload-bytes", len(body))
    again = functools.partial(ROOM.page, request, "check", here="check", size=largest(services))
    if not picture:
        return again(status=400, found=None, wrong="check_empty")
    who = optional_caller.account if optional_caller is not None else _stranger(request, services)
    try:
        count, found = await matching.matched(services, optional_caller, meter, picture, who)
    except (PictureError, InputError):
        return again(status=400, found=None, wrong="check_bad")
    told = optional_caller is not None and optional_caller.level >= 2
    return again(found=found, count=count, wrong=None, told=told)


def _stranger(request: Request[Any, Any, Any], services: Services) -> UUID:
    """Return who takes turns at decoding: everybody behind one address together."""
    return uuid5(NAMESPACE_URL, address_of(request.scope, services.settings))
