"""HTTP of passkeys: make one, sign in, step up, sign out; what they sign goes where other signed statements go."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, delete, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from licet.wire.accounts import (
    PasskeyAnswer,
    PasskeyCreated,
    PasskeyDrafted,
    PasskeyOptions,
    PasskeyWanted,
    SessionInfo,
)
from registry.accounts import passkeys, sessions
from registry.accounts.idempotency import READS, SECRET
from registry.accounts.identity import COOKIE, Caller, not_foreign, require
from registry.accounts.registration import display_name
from registry.services import Services

_BODY: Final = 65_536
_OWNERS: Final = require("account", kinds=("art", "org"))
_SIGNED_IN: Final = require("account", "audit")  # staff, too, use their passkey once more


@post(
    "/v1/passkeys/options",
    operation_id="passkeyOptions",
    tags=["passkeys"],
    opt={**READS, "problems": (403,)},
    status_code=200,
    request_max_body_size=_BODY,
)
async def passkey_options(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    data: JSONBody[PasskeyWanted],
) -> PasskeyOptions:
    """What a browser needs to make a passkey: for a new account, or, with a session or token, for one's own."""
    return PasskeyOptions(await passkeys.options(services, optional_caller, display_name(data.name), data.kind))


@post(
    "/v1/passkeys",
    operation_id="draftPasskey",
    tags=["passkeys"],
    opt={**READS, "problems": (403,)},
    status_code=200,
    request_max_body_size=_BODY,
)
async def draft_passkey(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    data: JSONBody[PasskeyCreated],
) -> PasskeyDrafted:
    """The ``key-register`` for a passkey that was just made; nothing is kept.

    The passkey signs ``challenge`` next; the envelope then opens an account (``/v1/accounts``), or, signed by a live
    root key as well, becomes a further key of one's own (``/v1/keys``).
    """
    return await passkeys.drafted(services, optional_caller, data)


@post("/v1/sessions/options", operation_id="signInOptions", tags=["passkeys"], opt=READS, status_code=200)
async def sign_in_options(services: NamedDependency[Services]) -> PasskeyOptions:
    """What a browser needs to sign in with a passkey; the answer is due within five minutes."""
    return PasskeyOptions(await sessions.sign_in_options(services))


@post(
    "/v1/sessions",
    operation_id="signIn",
    tags=["passkeys"],
    opt={**SECRET, "problems": (403,)},
    request_max_body_size=_BODY,
)
async def sign_in(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[PasskeyAnswer]
) -> Response[SessionInfo]:
    """Open a session with a passkey's answer: it comes as the cookie ``__Host-sid``, which no script can read.

    A page of another site cannot: its browser says so in ``Sec-Fetch-Site`` or ``Origin``, and is refused.
    """
    not_foreign(request, services.settings.site.origins)
    opened, secret = await sessions.sign_in(services, data)
    return Response(opened, status_code=201, cookies=[session_cookie(secret)])


@post(
    "/v1/sessions/step-up/options",
    operation_id="stepUpOptions",
    tags=["passkeys"],
    guards=[_SIGNED_IN],
    opt=READS,
    status_code=200,
)
async def step_up_options(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> PasskeyOptions:
    """What a browser needs to use a passkey once more, before keys, tokens or attested statements."""
    return PasskeyOptions(await sessions.step_up_options(services, caller))


@post(
    "/v1/sessions/step-up",
    operation_id="stepUp",
    tags=["passkeys"],
    guards=[_SIGNED_IN],
    opt=SECRET,
    request_max_body_size=_BODY,
)
async def step_up(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[PasskeyAnswer]
) -> SessionInfo:
    """Make the session fresh for five minutes with a passkey of its account."""
    return await sessions.step_up(services, caller, data)


@delete("/v1/sessions/current", operation_id="signOut", tags=["passkeys"], guards=[_OWNERS])
async def sign_out(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Response[None]:
    """End the session; with a token nothing happens."""
    await sessions.end(services, caller)
    return Response(None, status_code=204, cookies=[session_cookie(None)])


def session_cookie(secret: str | None) -> Cookie:
    """Return the cookie that carries a session, or, for None, the one that takes it away."""
    seconds = 0 if secret is None else int(sessions.LASTS.total_seconds())
    return Cookie(key=COOKIE, value=secret or "", path="/", max_age=seconds, secure=True, httponly=True, samesite="lax")


ROUTES: Final[list[Any]] = [
    passkey_options,
    draft_passkey,
    sign_in_options,
    sign_in,
    step_up_options,
    step_up,
    sign_out,
]
