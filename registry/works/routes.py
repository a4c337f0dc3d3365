"""HTTP: uploads in, works in. What one owns is listed where its state is known: ``registry.consent.routes``."""

from __future__ import annotations

import functools
from typing import Any, Final

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, RawBody

from licet.fingerprints.picture import Fingerprint
from licet.wire.works import WorksChange, WorksChanged, WorksRegister, WorksRegistered
from registry.accounts.identity import Caller, require
from registry.accounts.metering import Meter
from registry.services import Services
from registry.works import changing, service, thumbnails, uploads
from registry.works.above import ABOVE
from registry.works.intake import work_id

_OWNERS: Final = require("register", kinds=("art", "org"))
_BATCH_LIMIT: Final = 16 << 20
_PRIVATE: Final = "private, max-age=86400"
# Nothing in a thumbnail is of the sender's making; a browser is told to take it for a picture and nothing else all
# the same.
_INERT: Final = {
    "Cache-Control": _PRIVATE,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@put(
    "/v1/uploads/{sha256:str}",
    operation_id="uploadPicture",
    tags=["works"],
    guards=[_OWNERS],
    request_max_body_size=uploads.BODY_LIMIT,
    opt={"body": "application/octet-stream, image/*, text/plain, text/markdown", "seconds": 120},
)
async def upload(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    services: NamedDependency[Services],
    meter: NamedDependency[Meter],
    sha256: FromPath[str],
    body: RawBody,
) -> Fingerprint:
    """Fingerprint a picture (JPEG, PNG, WEBP, GIF, TIFF, BMP or AVIF) or a text as it is, not as a form.

    The file is not kept: its fingerprints and a thumbnail wait a day for the work. What a picture is, its bytes say;
    UTF-8 of text/plain or text/markdown, 1 MiB at most, is a text, which has no thumbnail.
    """
    await meter.spend("upload-bytes", len(body))
    outcome = "refused"
    try:
        kept = await uploads.keep_upload(
            services,
            caller.account,
            sha256,
            body,
            functools.partial(meter.spend, "upload-pixels"),
            text=request.headers.get("content-type", "").lower().startswith("text/"),
        )
        outcome = "accepted"
    finally:
        services.meters.count("licet_uploads_total", outcome)
    return kept


@get(
    "/v1/works/{work:str}/thumbnail",
    operation_id="getThumbnail",
    tags=["works"],
    guards=[_OWNERS],
    media_type=thumbnails.MEDIA_TYPE,
    opt={"partly": (304,)},
)
async def thumbnail(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    services: NamedDependency[Services],
    work: FromPath[str],
) -> Response[bytes]:
    """A small picture (WEBP, at most 512 pixels a side) of one's own work whose file was sent; ``ETag`` names it.

    Its headers say what may be done with it, as those of the work's documents do (`/works/{work}/terms.json`).
    """
    found = await thumbnails.thumbnail_of(services, caller.account, work_id(work))
    tag = f'"{found.tag}"'
    said = dict(await ABOVE.preview(services, work_id(work)))
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers={"ETag": tag, "Cache-Control": _PRIVATE, **said})
    return Response(found.content, media_type=thumbnails.MEDIA_TYPE, headers={"ETag": tag, **_INERT, **said})


@post(
    "/v1/works",
    operation_id="registerWorks",
    tags=["works"],
    guards=[_OWNERS],
    request_max_body_size=_BATCH_LIMIT,
)
async def register_works(
    caller: NamedDependency[Caller], services: NamedDependency[Services], data: JSONBody[WorksRegister]
) -> WorksRegistered:
    """Register up to 1,000 works; each is answered for itself, and sending one again has no second effect."""
    return await service.register(services, caller, data.works)


@post(
    "/v1/works/changes",
    operation_id="changeWorks",
    tags=["works"],
    guards=[_OWNERS],
    status_code=200,
    request_max_body_size=_BATCH_LIMIT,
)
async def change_works(
    caller: NamedDependency[Caller], services: NamedDependency[Services], data: JSONBody[WorksChange]
) -> WorksChanged:
    """Change the metadata of up to 1,000 works; each is answered for itself: all of its change is made, or nothing."""
    return await changing.change(services, caller.account, data.changes)


ROUTES: Final = [upload, thumbnail, register_works, change_works]
