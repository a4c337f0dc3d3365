"""Which works a picture matches: asked as every trainer asks, from fingerprints made where pictures are confined.

The same code and the same quotas as for programs; nothing of the picture is kept.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException

from licet import identifiers
from licet.decisions import Request as Asked
from licet.derivative.asking import packed
from licet.wire.licensing import Answer, Answers, MatchInfo, Query, RowKeys
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.consent.shown import Shown, shown
from registry.database import Connection
from registry.derivatives.answering import look_up
from registry.errors import Invalid
from registry.licensing import asking
from registry.portal.frame import forms, queries
from registry.portal.frame.doors import CONTESTED, DISPUTED, LOST, WITHDRAWN, Door, door
from registry.services import Services
from registry.works import uploads

#: What a handler of a form with a picture in it says of itself (``takes_form``).
FORM: Final[dict[str, Any]] = {"body": "multipart/form-data", "seconds": 120}
BODY: Final = uploads.BODY_LIMIT + (1 << 16)
_REQUEST: Final = Asked(uses=("train-gen",), purpose=("commercial",))
_MOST: Final = 10  # matches that are shown


class Use(NamedTuple):
    """A licence that a team took on a work: for which model, and from which dataset, where it named one."""

    licence: str
    organisation: str
    model: str
    at: datetime
    dataset: str | None
    name: str | None


class Found(NamedTuple):
    """A work that a picture matches: what is public of it, None before it is; uses for its own artist."""

    match: MatchInfo
    work: Shown | None
    door: Door | None
    own: bool
    uses: list[Use]

    @property
    def datasets(self) -> list[tuple[str, str, str]]:
        """The datasets among the uses, each once: identifier, name, team."""
        found = [(each.dataset, each.name or "", each.organisation) for each in self.uses if each.dataset is not None]
        return list(dict.fromkeys(found))


def largest(services: Services) -> int:
    """Return how many megabytes a picture may have."""
    return min(uploads.BODY_LIMIT, services.settings.upload_bytes) // 1_000_000


async def picture_of(request: Request[Any, Any, Any]) -> bytes:
    """Return the picture in a form that a page of ours sent, empty without one; raises ``Invalid`` for no form."""
    try:
        fields = await request.form()
    except (ClientException, ValueError):
        raise Invalid("expected a form with a picture in it, got something else") from None
    forms.hold(request, str(fields.get(forms.FIELD, "")))
    picture = fields.get("picture")
    return await picture.read() if isinstance(picture, UploadFile) else b""


async def matched(
    services: Services, caller: Caller | None, meter: Meter, picture: bytes, who: UUID
) -> tuple[int, list[Found]]:
    """Return how many works ``picture`` matches, and the first of them; ``who`` takes turns at decoding.

    Raises ``PictureError`` and ``InputError`` for what is no picture, ``QuotaExceeded``.
    """
    seen, features = await uploads.looked_at(services, who, picture, functools.partial(meter.spend, "upload-pixels"))
    await meter.spend("keys")
    row = RowKeys(seen.sha256, seen.pixels, None, seen.pdq, seen.quality, seen.iscc)
    said = await asking.query(services, caller, Query(_REQUEST.to_json(), [row]))
    matches = msgspec.json.decode(said, type=Answers).results[0].matches
    if not matches:
        await meter.spend("parts")
        parts: list[Answer] = (await look_up(services, caller, packed([features]), _REQUEST)).results
        matches = parts[0].matches
    return len(matches), await _told(services, caller, matches[:_MOST])


async def uses_of(conn: Connection, account: UUID, work: UUID) -> list[Use]:
    """Return the newest licences on a work, for its own account from claim level 2 on; else none."""
    return [
        Use(
            identifiers.from_uuid("lic", each["licence"]),
            each["organisation"],
            f"{each['model']}@{each['version']}",
            each["granted_at"],
            None if each["dataset"] is None else identifiers.from_uuid("dst", each["dataset"]),
            each["name"],
        )
        for each in await conn.fetch(queries.USES_OF, work, account)
    ]


def door_of(work: Shown) -> Door:
    """Return the door of a work as it stands, not only as its terms say."""
    if work.withdrawn:
        return WITHDRAWN
    if work.lost_at is not None:
        return LOST
    if work.disputed:
        return DISPUTED
    return CONTESTED if work.closed else door(work.terms)


async def _told(services: Services, caller: Caller | None, matches: list[MatchInfo]) -> list[Found]:
    ids = {match.work: identifiers.to_uuid(match.work, "wrk") for match in matches}
    found = []
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        works = await shown(conn, list(ids.values()))
        for match in matches:
            work = works.get(ids[match.work])
            own = caller is not None and match.account == caller.id
            uses = await uses_of(conn, caller.account, ids[match.work]) if own and caller else []
            found.append(Found(match, work, None if work is None else door_of(work), own, uses))
    return found
