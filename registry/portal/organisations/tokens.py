"""What a team's programs go in with: tokens, and how to begin with them."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, RawBody
from litestar.response import Redirect

from licet import identifiers
from licet.wire.accounts import KeyInfo
from registry.accounts import profile, tokens
from registry.accounts.identity import Caller
from registry.accounts.stepping import fresh
from registry.http.paging import Asked, Cursor
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.room import A_PAGE, ROOM, TEAMS
from registry.services import Services

DAYS: Final = (1, 7, 30, 90, 365)
#: What looking up, filtering, licensing and reporting take.
WORKING: Final = ("query", "license", "usage")
_BODY: Final = 1 << 14


@get(everywhere("/organisation/tokens"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def tokens_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    active: FromQuery[bool] = True,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Tokens without their secrets, and the form that makes one."""
    asked = Asked.of(request, "-created", A_PAGE, cursor)
    async with services.database.acquire() as conn:
        page = await tokens.listed(conn, caller.account, asked, active=True if active else None)
    return ROOM.page(
        request, "tokens", here="tokens", tokens=page.items, active=active,
        scopes=tokens.usual(caller.kind), working=WORKING, days=DAYS, url=services.settings.url,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@takes_form("/organisation/tokens/end", TEAMS, fresh, most=_BODY)
async def end_token(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Redirect:
    """Make a token worthless; asks for a passkey that was just used."""
    form = forms.read(request, body)
    async with services.database.transaction() as conn:
        await tokens.revoke(conn, identifiers.to_uuid(form.get("token"), "tok", field="token"), caller.account)
    return led(f"/{language_of(request)}/organisation/tokens", "token_ended")


@get(everywhere("/organisation/start"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def start(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """The first commands, with the values of this registry and this team."""
    me = await profile.me(services, caller)
    return ROOM.page(
        request,
        "start",
        here="tokens",
        url=services.settings.url,
        account=caller.id,
        signs=signs(me.keys),
        working=WORKING,
    )


def signs(keys: list[KeyInfo]) -> bool:
    """Whether a program can sign for the account: passkeys sign in browsers alone."""
    return any(each.alg != "webauthn" and each.revoked_from is None for each in keys)


ROUTES: Final = [tokens_page, end_token, start]
