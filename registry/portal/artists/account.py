"""One's account: where one is signed in, which keys there are, and the codes that bring one back."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, RawBody
from litestar.response import Redirect

from licet import times
from licet.canonical import to_base64
from licet.statements.envelope import pae
from licet.statements.kinds import PAYLOAD_TYPE
from licet.statements.webauthn import to_base64url
from registry.accounts import profile, recovery, sessions
from registry.accounts import queries as account_queries
from registry.accounts.identity import Caller
from registry.errors import NotFound
from registry.portal.artists import queries
from registry.portal.artists.room import OWNERS, ROOM
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form, takes_json
from registry.services import Services

_BODY: Final = 1 << 16


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digests of recovery codes that a page has made."""

    digests: list[str]


class CodesDrafted(msgspec.Struct, frozen=True):
    """What a passkey has to sign for them."""

    payload: str
    payload_type: str
    challenge: str


@get(everywhere("/account"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def account(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Sessions, keys, recovery codes."""
    me = await profile.me(services, caller)
    async with services.database.acquire() as conn:
        opened = await sessions.listed(conn, caller)
        codes: int = await conn.fetchval(queries.CODES_LEFT, caller.account)
        passkeys = await conn.fetch(account_queries.PASSKEYS, caller.account)
    return ROOM.page(
        request,
        "account",
        here="account",
        account=me,
        sessions=[(each, times.to_text(each.opened), times.to_text(each.used)) for each in opened],
        codes=codes,
        passkeys=[(to_base64url(each["credential"]), each["keyid"]) for each in passkeys],
        site=services.settings.site.rp_id,
    )


@takes_form("/account/sessions/end", OWNERS, most=_BODY)
async def end_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Redirect:
    """Sign another device out."""
    form = forms.read(request, body)
    try:
        session = UUID(form.get("session"))
    except ValueError:
        raise NotFound("there is no such session of yours") from None
    async with services.database.transaction() as conn:
        await sessions.end_one(conn, caller, session)
    return led(f"/{language_of(request)}/account", "session_ended")


@takes_json("/account/codes", OWNERS, most=_BODY)
async def draft_codes(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[Codes]
) -> CodesDrafted:
    """What has to be signed for codes with these digests; nothing is kept."""
    body = await recovery.draft_codes(services, caller, data.digests)
    payload_type = PAYLOAD_TYPE.format(kind="recovery-codes")
    return CodesDrafted(to_base64(body), payload_type, to_base64url(sha256(pae(payload_type, body)).digest()))


ROUTES: Final = [account, end_session, draft_codes]
