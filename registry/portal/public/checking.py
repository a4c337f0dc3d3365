"""Is this picture registered? Answered without an account, from fingerprints made where pictures are confined.

What is asked is what every trainer asks, through the same code and against the same quotas; nothing of it is kept.
"""

from __future__ import annotations

import functools
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import RawBody

from licet import identifiers
from licet.decisions import Request as Asked
from licet.derivative.asking import packed
from licet.errors import InputError, PictureError
from licet.wire.licensing import Answer, Answers, MatchInfo, Query, RowKeys
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter, address_of
from registry.consent.shown import Shown, shown
from registry.derivatives.answering import look_up
from registry.errors import Invalid
from registry.licensing import asking
from registry.portal.frame import forms
from registry.portal.frame.doors import CONTESTED, WITHDRAWN, Door, door
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, Room
from registry.portal.public import queries
from registry.portal.public.words import WORDS
from registry.services import Services
from registry.works import uploads

ROOM = Room("public", WORDS)
_REQUEST: Final = Asked(uses=("train-gen",), purpose=("commercial",))
_MOST: Final = 10  # matches that are shown
_AROUND: Final = 1 << 16  # bytes of a form beside the picture in it


class Found(NamedTuple):
    """A work that a picture matches: what is public of it, None before it is; datasets for its own artist."""

    match: MatchInfo
    work: Shown | None
    door: Door | None
    own: bool
    datasets: list[Any]


def largest(services: Services) -> int:
    """Return how many megabytes a picture may have."""
    return min(uploads.BODY_LIMIT, services.settings.upload_bytes) // 1_000_000


@get(everywhere("/check"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def check_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The form."""
    return ROOM.page(request, "check", here="check", size=largest(services), found=None, wrong=None)


@post(
    everywhere("/check"),
    include_in_schema=False,
    media_type=HTML,
    status_code=200,
    opt={**forms.FORM, "body": "multipart/form-data", "seconds": 120},
    request_max_body_size=uploads.BODY_LIMIT + _AROUND,
)
async def check(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    meter: NamedDependency[Meter],
    optional_caller: NamedDependency[Caller | None],
    body: RawBody,
) -> Response[bytes]:
    """The answer: not registered, or which works it matches."""
    picture = await _picture(request)
    await meter.spend("upload-bytes", len(body))
    again = functools.partial(ROOM.page, request, "check", here="check", size=largest(services))
    if not picture:
        return again(status=400, found=None, wrong="check_empty")
    who = optional_caller.account if optional_caller is not None else _stranger(request, services)
    try:
        seen, features = await uploads.looked_at(
            services, who, picture, functools.partial(meter.spend, "upload-pixels")
        )
    except (PictureError, InputError):
        return again(status=400, found=None, wrong="check_bad")
    await meter.spend("keys")
    row = RowKeys(seen.sha256, seen.pixels, None, seen.pdq, seen.quality, seen.iscc)
    said = await asking.query(services, optional_caller, Query(_REQUEST.to_json(), [row]))
    matches = msgspec.json.decode(said, type=Answers).results[0].matches
    if not matches:
        await meter.spend("parts")
        parts: list[Answer] = (await look_up(services, optional_caller, packed([features]), _REQUEST)).results
        matches = parts[0].matches
    found = await _told(services, optional_caller, matches[:_MOST])
    return again(found=found, count=len(matches), wrong=None)


async def _picture(request: Request[Any, Any, Any]) -> bytes:
    try:
        fields = await request.form()
    except (ClientException, ValueError):
        raise Invalid("expected a form with a picture in it, got something else") from None
    forms.hold(request, str(fields.get(forms.FIELD, "")))
    picture = fields.get("picture")
    return await picture.read() if isinstance(picture, UploadFile) else b""


async def _told(services: Services, caller: Caller | None, matches: list[MatchInfo]) -> list[Found]:
    ids = {match.work: identifiers.to_uuid(match.work, "wrk") for match in matches}
    found = []
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        works = await shown(conn, list(ids.values()))
        for match in matches:
            work = works.get(ids[match.work])
            own = caller is not None and match.account == caller.id
            datasets = await conn.fetch(queries.DATASETS_OF, ids[match.work], caller.account) if own and caller else []
            here = [(identifiers.from_uuid("dst", each["id"]), each["name"], each["organisation"]) for each in datasets]
            found.append(Found(match, work, None if work is None else door_of(work), own, here))
    return found


def door_of(work: Shown) -> Door:
    """Return the door of a work as it stands, not only as its terms say."""
    if work.withdrawn:
        return WITHDRAWN
    return CONTESTED if work.closed else door(work.terms)


def _stranger(request: Request[Any, Any, Any], services: Services) -> UUID:
    """Return who takes turns at decoding: everybody behind one address together."""
    return uuid5(NAMESPACE_URL, address_of(request.scope, services.settings))
