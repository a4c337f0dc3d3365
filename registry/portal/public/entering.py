"""In and out: an account opened with a passkey, signing in, signing out, and back with a recovery code.

The ceremonies themselves are the API's (``/v1/passkeys``, ``/v1/sessions``), which the scripts of these pages call;
here is what only people need: a session at once with the new account.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, RawBody
from litestar.response import Redirect

from licet import identifiers
from licet.wire.accounts import AccountCreate, PasskeyCreated, PasskeyDrafted, PasskeyOptions, Recovery
from registry.accounts import passkeys, recovery, registration, sessions, staff, tokens
from registry.accounts.identity import Caller, not_foreign
from registry.accounts.passkey_routes import session_cookie
from registry.portal.frame import forms
from registry.portal.frame.ceremonies import embedded
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led, left
from registry.portal.frame.pages import HTML, Room, language_of, signed_in
from registry.portal.frame.people import HOMES, home_of, onward
from registry.portal.frame.taking import takes_form, takes_json
from registry.portal.public.words import WORDS
from registry.services import Services

ROOM = Room("public", WORDS)
_BODY: Final = 1 << 16
As = Annotated[Literal["artist", "team"], QueryParameter(name="as")]
To = Annotated[str | None, QueryParameter(name="to", max_length=2_000)]


class Led(msgspec.Struct, frozen=True):
    """Where a script leads the browser next."""

    to: str


class Recovering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey that was just made, for an account whose passkeys are lost; as ``PasskeyCreated``."""

    account: str
    credential: str
    attestation_object: str
    client_data: str


class Invited(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of an invitation."""

    secret: str


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same, with a passkey that was just made; as ``PasskeyCreated``."""

    secret: str
    credential: str
    attestation_object: str
    client_data: str


@get(everywhere("/join"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def join_page(request: Request[Any, Any, Any], as_: As = "artist") -> Response[Any]:
    """Open an account, an artist's or a team's: a name, and a passkey."""
    caller = signed_in(request)
    if caller is not None and caller.session is not None:
        return Redirect(home_of(caller, language_of(request)), status_code=303)
    return ROOM.page(request, "join", here="join", team=as_ == "team", embedded=embedded(request))


@takes_json("/join", most=_BODY, quota="accounts")
async def join(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[AccountCreate]
) -> Response[Led]:
    """Open the account that the passkey's ``key-register`` names, and a session in it."""
    not_foreign(request, services.settings.site.origins)
    _, secret = await registration.join(services, data)
    answer = Response(Led(f"/{language_of(request)}/home"), status_code=201, cookies=[session_cookie(secret)])
    answer.set_cookie(led("/", "joined").cookies[0])
    return answer


@get(everywhere("/sign-in"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def sign_in_page(request: Request[Any, Any, Any], to: To = None) -> Response[Any]:
    """Sign in, and go on to where one was led away from."""
    language = language_of(request)
    goal = onward(to, language, f"/{language}/home")
    return ROOM.page(request, "sign_in", here="sign-in", to=goal, led=to is not None, embedded=embedded(request))


@takes_form("/sign-out", most=_BODY)
async def sign_out(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    body: RawBody,
) -> Redirect:
    """End the session; where there is none any more, that is what was wanted. Nothing of it stays in the browser."""
    forms.read(request, body)
    if optional_caller is not None:
        await sessions.end(services, optional_caller)
    return left(led(f"/{language_of(request)}", "signed_out", cookies=[session_cookie(None)]))


@get(everywhere("/invited"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def invited_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where an auditor or operator makes a passkey; the invitation's secret stands behind the ``#`` of the address."""
    return ROOM.page(request, "invited", here="sign-in", embedded=embedded(request))


@takes_json("/invited/options", most=_BODY)
async def invited_options(services: NamedDependency[Services], data: JSONBody[Invited]) -> PasskeyOptions:
    """What the browser needs to make the passkey; the invitation is not used up by it."""
    return PasskeyOptions(await staff.options(services, data.secret))


@takes_json("/invited", most=_BODY)
async def invited(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[Joining]
) -> Response[Led]:
    """Keep the passkey, use the invitation up, and open a session."""
    not_foreign(request, services.settings.site.origins)
    made = PasskeyCreated(data.credential, data.attestation_object, data.client_data)
    kind, secret = await staff.join(services, data.secret, made)
    to = Led(f"/{language_of(request)}/{HOMES[kind]}")
    return Response(to, status_code=201, cookies=[session_cookie(secret)])


@get(everywhere("/recover"), include_in_schema=False, media_type=HTML, sync_to_thread=False)
def recover_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Back into an account whose passkeys are lost."""
    return ROOM.page(request, "recover", here="sign-in", embedded=embedded(request))


@takes_json("/recover/draft", most=_BODY)
async def recover_draft(services: NamedDependency[Services], data: JSONBody[Recovering]) -> PasskeyDrafted:
    """What the new passkey has to sign to come to the account; nothing is kept."""
    made = PasskeyCreated(data.credential, data.attestation_object, data.client_data)
    return await passkeys.recovering(services, data.account, made)


@takes_json("/recover", most=_BODY, status_code=201)
async def recover(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[Recovery]
) -> Led:
    """Use the code up and let the new passkey in; signing in with it comes next, as for everybody.

    People have no token, so the one that programs get here ends before anybody has seen it.
    """
    not_foreign(request, services.settings.site.origins)
    done = await recovery.recover(services, data)
    token, account = identifiers.to_uuid(done.token.id, "tok"), identifiers.to_uuid(done.account)
    async with services.database.transaction() as conn:
        await tokens.revoke(conn, token, account)
    return Led(f"/{language_of(request)}/sign-in")
