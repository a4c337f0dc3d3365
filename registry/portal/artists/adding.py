"""Adding pictures: a page whose script sends them one by one to the API, and without scripts a form of a few.

The script sends nothing that the form does not: uploads and works are idempotent by the file's digest, so a page that
is closed, a line that is lost and a form that is sent twice end in the same works.
"""

from __future__ import annotations

import asyncio
import functools
from hashlib import sha256
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import RawBody

from licet import identifiers
from licet.errors import InputError, PictureError
from licet.wire.metadata import title_from
from licet.wire.works import WorkIn
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.errors import Invalid, TooLarge
from registry.portal.artists.adding_words import SAID
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.frame.taking import takes_form
from registry.services import Services
from registry.works import service, uploads

MOST: Final = 500  # pictures in the list of a page
PLAIN: Final = 10  # pictures of a form without scripts
_AROUND: Final = 1 << 16  # bytes of a form beside the pictures in it
_SAYS: Final = sorted(name.removeprefix("say_") for name in SAID)


class Added(NamedTuple):
    """What became of one picture of a form: the name of the words for it, and its work where there is one."""

    name: str
    words: str
    work: str | None = None


class _Sent(NamedTuple):
    name: str
    work: WorkIn | None  # None: it could not be taken, as ``words`` say
    words: str = "add_refused"


@get(everywhere("/add"), include_in_schema=False, media_type=HTML, guards=[ARTISTS], sync_to_thread=False)
def add_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """The page: with scripts all of it happens here."""
    return _page(request, services)


@takes_form("/add", ARTISTS, most=uploads.BODY_LIMIT + _AROUND, body="multipart/form-data", seconds=300)
async def add(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    body: RawBody,
) -> Response[bytes]:
    """Register the pictures of the plain form, each for itself, and say what became of it."""
    pictures = await _pictures(request)
    if not pictures:
        return _page(request, services, status=400, wrong="add_wrong_none")
    if len(pictures) > PLAIN:
        return _page(request, services, status=400, wrong="add_wrong_many")
    await meter.spend("upload-bytes", len(body))
    sent = [await _sent(services, caller, meter, each) for each in pictures]
    works = [each.work for each in sent if each.work is not None]
    outcomes = iter((await service.register(services, caller, works)).items if works else [])
    added, to_sign = [], dict[str, None]()
    for each in sent:
        if each.work is None:
            added.append(Added(each.name, each.words))
            continue
        outcome = next(outcomes)
        if outcome.status == "refused":
            added.append(Added(each.name, "add_refused"))
            continue
        work = outcome.existing or outcome.work
        words = (
            ("add_met" if outcome.similar else "add_done")
            if outcome.status == "registered"
            else "add_yours"
            if outcome.signed
            else "add_open"
        )
        added.append(Added(each.name, words, work))
        if not outcome.signed:
            to_sign[work] = None
    return _page(request, services, added=added, to_sign=list(to_sign))


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    *,
    status: int = 200,
    wrong: str | None = None,
    added: list[Added] | None = None,
    to_sign: list[str] | None = None,
) -> Response[bytes]:
    size = min(uploads.BODY_LIMIT, services.settings.upload_bytes)
    return ROOM.page(
        request, "add", status=status, here="works", wrong=wrong, added=added, to_sign=to_sign, most=MOST, plain=PLAIN,
        bytes=size, largest=size // 1_000_000, says=_SAYS,
    )  # fmt: skip


async def _pictures(request: Request[Any, Any, Any]) -> list[UploadFile]:
    try:
        fields = await request.form()
    except (ClientException, ValueError):
        raise Invalid("expected a form with pictures in it, got something else") from None
    forms.hold(request, str(fields.get(forms.FIELD, "")))
    # A browser sends a file without a name where none was chosen.
    return [each for each in fields.getall("picture", []) if isinstance(each, UploadFile) and each.filename]


async def _sent(services: Services, caller: Caller, meter: Meter, picture: UploadFile) -> _Sent:
    data = await picture.read()
    name = picture.filename
    digest = (await asyncio.to_thread(sha256, data)).hexdigest()
    spend = functools.partial(meter.spend, "upload-pixels")
    try:
        seen = await uploads.keep_upload(services, caller.account, digest, data, spend)
    except TooLarge:
        return _Sent(name, None, "add_large")
    except (PictureError, InputError):
        return _Sent(name, None, "add_bad")
    finally:
        await picture.close()
    return _Sent(name, WorkIn(identifiers.new_id("wrk"), "upload", digest, title=_title(name), iscc=seen.iscc))


def _title(name: str) -> str | None:
    """Return what a picture is called after its file."""
    return title_from(name.rpartition(".")[0] or name)


ROUTES: Final = [add_page, add]
