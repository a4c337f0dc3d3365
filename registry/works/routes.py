"""HTTP: uploads in, works in. What one owns is listed where its state is known: ``registry.consent.routes``."""

from __future__ import annotations

from typing import Final

from litestar import post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, RawBody

from licet.fingerprints.picture import Fingerprint
from licet.wire.works import WorksChange, WorksChanged, WorksRegister, WorksRegistered
from registry.accounts.identity import Caller, require
from registry.accounts.metering import Meter
from registry.services import Services
from registry.works import changing, service, uploads

_OWNERS: Final = require("register", kinds=("art", "org"))
_BATCH_LIMIT: Final = 16 << 20


@put(
    "/v1/uploads/{sha256:str}",
    operation_id="uploadPicture",
    tags=["works"],
    guards=[_OWNERS],
    request_max_body_size=uploads.BODY_LIMIT,
    opt={"body": "application/octet-stream, image/*", "seconds": 120},
)
async def upload(
    caller: NamedDependency[Caller],
    services: NamedDependency[Services],
    meter: NamedDependency[Meter],
    sha256: FromPath[str],
    body: RawBody,
) -> Fingerprint:
    """Fingerprint a picture (JPEG, PNG, WEBP, GIF, TIFF, BMP or AVIF). It is not kept; its fingerprints wait a day."""
    await meter.spend("upload-bytes", len(body))
    outcome = "refused"
    try:
        kept = await uploads.keep_upload(services, caller.account, sha256, body)
        outcome = "accepted"
    finally:
        services.meters.count("licet_uploads_total", outcome)
    return kept


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


ROUTES: Final = [upload, register_works, change_works]
