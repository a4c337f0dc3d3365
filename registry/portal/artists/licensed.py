"""Licences on an artist's works: who may do what with which, and taking one back, with what follows said before.

Revoking is a statement that is shown word for word and byte for byte, and signed by a passkey: there is no way without.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers
from licet.errors import InputError
from licet.statements.kinds import LicenceRevoke
from licet.statements.kinds.agreements import MOST_TEXT
from licet.statements.revoking import draft_revocation
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.duties import revoking
from registry.duties import shown as duties
from registry.duties.revoking import Counted
from registry.errors import Invalid, NotAllowed, NotFound
from registry.http.paging import Asked, Cursor
from registry.licensing import licences
from registry.licensing.licences import Shown
from registry.portal.artists import queries
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import OTHER, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services

_A_PAGE: Final = 50
_SHOWN: Final = 100  # works of a licence that a page names
_BODY: Final = 8 << 20


@get(everywhere("/licences"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def licensed(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[bytes]:
    """The licences that teams hold on the artist's works, and what became of those that she took back."""
    asked = Asked.of(request, "-granted", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        page = await licences.listed(conn, caller, asked, licences.Wanted())
        names = await _names(conn, [each.organisation for each in page.items])
    owed = await duties.listed(services, caller, Asked("", "-revoked", _A_PAGE), None, None)
    return ROOM.page(
        request, "licences", here="earnings", tab="licences", licences=page.items, names=names, duties=owed.items,
        trusted=caller.level >= 2, more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/licences/{licence:str}"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def licence_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    cursor: Cursor = None,
) -> Response[bytes]:
    """One licence: what it covers of hers, and which of that can be taken back, with which notice and effect.

    Taking back is for every claim level, and so is what one has to know for it.
    """
    return await _page(request, services, caller, licence, cursor=cursor)


@takes_form("/licences/{licence:str}", ARTISTS, most=_BODY, kept=True)
async def draft(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """What would be signed to take back one group of works, and what follows from it; nothing is kept."""
    form = forms.read(request, body)
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    found = await revoking.revocable(services, caller, number)
    group = next((each for each in found.groups if f"{each.notice_days}-{each.effect}" == form.get("group")), None)
    if group is None:
        raise Invalid.field("group", "a condition on which works of this licence are revoked", form.get("group"))
    me = await profile.me(services, caller)
    reason = form.words("reason")
    try:
        payload = draft_revocation(
            registry=services.keys.ref, licence=licence, account=caller.id, genesis=me.genesis or "",
            works=group.works, reason=reason,
        )  # fmt: skip
    except InputError:
        return await _page(request, services, caller, licence, reason=reason, wrong=form.get("group"), status=400)
    shown = await signing.signable(services, caller, payload, "licence-revoke")
    other = f"/{OTHER[language_of(request)]}/licences/{licence}"
    return ROOM.page(
        request, "revoke", here="earnings", shown=shown, found=found, group=group, reason=reason, other_url=other
    )


@takes_form("/licences/{licence:str}/revoke", ARTISTS, most=_BODY, kept=True, seconds=300)
async def revoke(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    licence: FromPath[str],
    body: RawBody,
) -> Response[Any]:
    """Take the signed revocation that was on screen; sent twice, it has one effect."""
    form = forms.read(request, body)
    signing.read(form, LicenceRevoke)
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    await revoking.revoke(services, caller, number, signing.envelope_of(form, "licence-revoke"))
    return led(f"/{language_of(request)}/licences/{licence}", "revoked")


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    licence: str,
    *,
    cursor: str | None = None,
    reason: str = "",
    wrong: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    number = identifiers.to_uuid(licence, "lic", field="path:licence")
    found = await _shown(services, caller, number, Asked.of(request, "work", _SHOWN, cursor))
    revocable: Counted | None
    try:
        revocable = await revoking.counted(services, caller, number)
    except NotFound:  # no works of hers in it
        if found is None:
            raise
        revocable = None
    owed = await duties.listed(services, caller, Asked("", "-revoked", _A_PAGE), None, number)
    lines = [] if found is None else found.lines.items
    async with services.database.acquire() as conn:
        ids = [identifiers.to_uuid(each.work) for each in lines]
        titles = {row["id"]: row["title"] for row in await conn.fetch(queries.TITLES, ids, caller.account)}
        names = {} if found is None else await _names(conn, [found.signed.organisation])
    return ROOM.page(
        request, "licence", status=status, here="earnings", number=licence, licence=found, names=names,
        lines=[(each, titles.get(identifiers.to_uuid(each.work))) for each in lines],
        revocable=revocable, duties=owed.items, reason=reason, wrong=wrong, most=MOST_TEXT,
        more=following(request, found and found.lines.next), start=request.url.path if cursor else None,
    )  # fmt: skip


async def _shown(services: Services, caller: Caller, number: UUID, asked: Asked) -> Shown | None:
    """Return the licence; None below claim level 2, where she sees what she may take back, and nothing else."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        try:
            return await licences.shown(conn, caller, number, asked)
        except NotAllowed:
            return None


async def _names(conn: Connection, organisations: list[str]) -> dict[str, str]:
    numbers = sorted({identifiers.to_uuid(each) for each in organisations})
    rows = await conn.fetch(queries.ORGANISATIONS, numbers)
    return {identifiers.from_uuid("org", row["id"]): row["name"] for row in rows}


ROUTES: Final = [licensed, licence_page, draft, revoke]
