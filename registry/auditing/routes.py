"""HTTP of auditing: the evidence of a month, put together on the spot."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from typing import IO, Annotated, Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from licet import identifiers
from registry.accounts.identity import Caller, require
from registry.auditing.columns import MEDIA, Format
from registry.auditing.contents import part_of, span_of
from registry.auditing.export import Table, exported
from registry.auditing.turns import begun, bundled
from registry.auditing.types import Subject
from registry.database import Database
from registry.errors import Invalid, QuotaExceeded
from registry.http.months import MONTH
from registry.services import Services

_BLOCK: Final = 1 << 20
_READING: Final = 8  # exports that are read at a time
Month = Annotated[str, QueryParameter(pattern=rf"^{MONTH}$", description="A month, such as 2026-11.")]
Organisation = Annotated[
    str | None,
    QueryParameter(pattern=r"^org_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="An organisation's identifier."),
]

Artist = Annotated[
    str | None,
    QueryParameter(pattern=r"^art_[0-7][0-9a-hjkmnp-tv-z]{25}$", description="An artist's identifier."),
]


_reading: weakref.WeakKeyDictionary[Database, set[UUID]] = weakref.WeakKeyDictionary()


@get(
    "/v1/audit/bundle",
    operation_id="getAuditBundle",
    tags=["audit"],
    guards=[require("audit")],
    media_type="application/zip",
    opt={"problems": (404, 410, 413), "seconds": 900},
)
async def bundle(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: Month,
    organisation: Organisation = None,
    artist: Artist = None,
) -> Stream:
    """The evidence bundle of a month: all that an auditor may see, else the part of the account itself.

    An auditor may ask for the part of one organisation or one artist. The bundle is signed; `licet audit verify` checks
    it offline.
    """
    month = begun(period, "?period")
    file = await bundled(services, caller, month, _subject(organisation, artist))
    try:
        size = await asyncio.to_thread(file.seek, 0, os.SEEK_END)
    except BaseException:
        file.close()
        raise
    name = f"licet-{month.name}.zip"
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Stream(_blocks(file), media_type="application/zip", headers=headers)


def _subject(organisation: str | None, artist: str | None) -> Subject | None:
    """Return whose part is asked for; raises ``Invalid`` for two at once."""
    if organisation is not None and artist is not None:
        raise Invalid.field("?artist", "an organisation or an artist", "both")
    if organisation is not None:
        return Subject("org", identifiers.to_uuid(organisation, "org", field="?organisation"))
    return None if artist is None else Subject("art", identifiers.to_uuid(artist, "art", field="?artist"))


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        await asyncio.to_thread(file.seek, 0)
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


@get(
    "/v1/audit/export",
    operation_id="exportAudit",
    tags=["audit"],
    guards=[require("audit")],
    media_type="application/octet-stream",
    opt={"problems": (404, 429), "seconds": 900},
)
async def export(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    period: Month,
    table: Annotated[Table, QueryParameter(description="Uses, transfers of the ledger, or their entries.")],
    format: Annotated[Format, QueryParameter(description="What the file is.")] = "parquet",  # noqa: A002
    organisation: Organisation = None,
    artist: Artist = None,
) -> Stream:
    """Uses, transfers or entries of a month as one file: of all that an auditor may see, else of the account itself.

    Uses come by source and id, postings in their order. What is not in the published log yet is left out. The answer is
    streamed, one at a time to an account; one that is cut off has to be asked for again.
    """
    month = begun(period, "?period")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        part = await part_of(conn, caller, month, _subject(organisation, artist))
        span = await span_of(conn, month)
    reading = _reading.setdefault(services.database, set())
    if caller.account in reading or len(reading) >= _READING:
        raise QuotaExceeded("an export is under way; ask again when it has ended", retry_after=60)
    name = f"licet-{table}-{month.name}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    blocks = _held(reading, caller.account, exported(services.database, table, format, span, part))
    return Stream(blocks, media_type=MEDIA[format], headers=headers)


async def _held(reading: set[UUID], account: UUID, blocks: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """Yield ``blocks``, as long as nobody else reads for ``account``."""
    if account in reading:
        raise QuotaExceeded("an export is under way; ask again when it has ended", retry_after=60)
    reading.add(account)
    try:
        async for block in blocks:
            yield block
    finally:
        reading.discard(account)
        await blocks.aclose()


ROUTES = [bundle, export]
