"""Who is calling: the account behind the bearer token, looked up once a request.

Handlers say what they need and get it::

    @get("/v1/works", guards=[require("register")])
    async def list_works(caller: NamedDependency[Caller], services: NamedDependency[Services]) -> Page[Work]: ...

``caller`` answers 401 without a valid token; ``optional_caller`` is None without a token (a wrong one is 401 all the
same: a client whose token has expired should hear of it). ``require(scope)`` is the guard that answers 403.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection, Request
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from licet import identifiers
from registry.accounts import queries
from registry.accounts.tokens import SCOPES_OF, digest_of
from registry.errors import NotAllowed, NotAuthenticated
from registry.observing.requests import CALLER
from registry.services import Services

COOKIE: Final = "__Host-sid"
CHALLENGE: Final = 'License error="invalid_client", Basic realm="licet"'  # to clients of OAuth
_LONGEST_COOKIE: Final = 100
_OURS: Final = frozenset({"same-origin", "none"})
_FOREIGN: Final = "expected a request by a page of this registry, got one by another site's"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


class Caller(msgspec.Struct, frozen=True):
    """The account that a request speaks for, and what its token allows."""

    account: UUID
    kind: str  # art, org, aud, opr
    name: str
    level: int
    scopes: frozenset[str]
    token: UUID
    expires_at: datetime  # of the token or session
    session: UUID | None = None
    stepped_up_at: datetime | None = None  # when a passkey was last used in the session
    limited: bool = False  # the token may charge so much in a month, and no more

    @property
    def id(self) -> str:
        """The account's identifier as text, such as ``art_…``."""
        return identifiers.from_uuid(self.kind, self.account)


async def authenticated(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller | None:
    """Return the caller, None without a token or session; raises ``NotAuthenticated`` for a token that is none.

    Raises ``NotAllowed`` where a session's cookie comes with a request that another site's page made.
    """
    state = connection.scope["state"]
    if CALLER not in state:
        state[CALLER] = await _look_up(connection)
    found: Caller | None = state[CALLER]
    return found


# They name ``services`` because nearly every handler does: of dependencies that do not need each other the framework
# makes tasks, which take longer than all of them.
async def caller(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Caller:
    """Dependency ``caller``."""
    found = await authenticated(request)
    if found is None:
        raise NotAuthenticated
    return found


async def optional_caller(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
) -> Caller | None:
    """Dependency ``optional_caller``."""
    return await authenticated(request)


def require(*scopes: str, kinds: tuple[str, ...] = ()) -> Guard:
    """Return the guard that lets in only tokens with one of ``scopes`` (and accounts of ``kinds``, if any)."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        found = await authenticated(connection)
        if found is None:
            raise NotAuthenticated
        if not found.scopes.intersection(scopes):
            wanted, own = " or ".join(scopes), ", ".join(sorted(found.scopes))
            # RFC 6750 §3: what the token lacks, for programs.
            challenge = f'Bearer realm="licet", error="insufficient_scope", scope="{" ".join(scopes)}"'
            raise NotAllowed(
                f"expected a token with scope {wanted}, got one with {own}", headers={"WWW-Authenticate": challenge}
            )
        if kinds and found.kind not in kinds:
            names = " or ".join(identifiers.KINDS[kind] for kind in kinds)
            raise NotAllowed(f"expected an account of kind {names}, got {identifiers.KINDS[found.kind]}")

    guard.scopes = scopes  # type: ignore[attr-defined]  # read by registry.openapi
    return guard


async def _look_up(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller | None:
    header = connection.headers.get("authorization")
    if header is None:
        return await _session(connection)
    scheme, _, token = header.partition(" ")
    # Clients of another API send their key under another name; what they ask says so.
    handler = connection.scope.get("route_handler")
    opt = {} if handler is None else handler.opt
    services: Services = connection.app.state.services
    if opt.get("client"):
        return await _client(services, scheme.lower(), token.strip())
    if scheme.lower() not in ({"bearer", "api"} if opt.get("api_key") else {"bearer"}):
        raise NotAuthenticated
    return await holder(services, token.strip())


async def holder(services: Services, token: str) -> Caller:
    """Return the account that ``token`` speaks for; raises ``NotAuthenticated`` for one that is none."""
    digest = digest_of(token)
    if digest is None:
        raise NotAuthenticated
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.AUTHENTICATE, digest)
        if row is None:
            raise NotAuthenticated
        if row["stale"]:
            await conn.execute(queries.TOUCH, row["token"])
    return Caller(
        account=row["account"],
        kind=row["kind"],
        name=row["name"],
        level=row["level"],
        scopes=frozenset(row["scopes"]),
        token=row["token"],
        expires_at=row["expires_at"],
        limited=row["limited"],
    )


class InvalidClient(NotAuthenticated):
    """A client of OAuth whose credentials are missing or wrong; it is told in the scheme that it knows."""

    def __init__(self) -> None:
        super().__init__("expected an account's identifier as client_id and a token of it as client_secret")
        self.headers = {"WWW-Authenticate": CHALLENGE}


async def client(services: Services, account: str, secret: str) -> Caller:
    """Return the caller behind OAuth's client credentials: an account and a token of it; raises ``InvalidClient``."""
    try:
        found = await holder(services, secret)
    except NotAuthenticated:
        raise InvalidClient from None
    if found.id != account:
        raise InvalidClient
    return found


async def _client(services: Services, scheme: str, given: str) -> Caller:
    """The caller behind the header of a client of OAuth (RFC 6749, section 2.3.1), or behind a token alone."""
    if scheme == "bearer":
        try:
            return await holder(services, given)
        except NotAuthenticated:
            raise InvalidClient from None
    try:
        account, _, secret = base64.b64decode(given, validate=True).decode("ascii").partition(":")
    except ValueError:
        raise InvalidClient from None
    if scheme != "basic":
        raise InvalidClient
    return await client(services, unquote_plus(account), unquote_plus(secret))


async def _session(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller | None:
    """The caller behind a session's cookie; a cookie that is none, or ran out, stands for nobody."""
    secret = connection.cookies.get(COOKIE)
    if not secret or len(secret) > _LONGEST_COOKIE:
        return None
    services: Services = connection.app.state.services
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.SESSION, session_digest(secret))
    if row is None:
        return None
    _same_site(connection, services.settings.site.origins)
    return Caller(
        account=row["account"],
        kind=row["kind"],
        name=row["name"],
        level=row["level"],
        scopes=frozenset(SCOPES_OF[row["kind"]]),
        token=row["id"],
        expires_at=row["expires_at"],
        session=row["id"],
        stepped_up_at=row["stepped_up_at"],
    )


def session_digest(secret: str) -> bytes:
    """Return the digest under which a session's cookie is kept."""
    return sha256(b"licet/session/v1\n" + secret.encode()).digest()


def _same_site(connection: ASGIConnection[Any, Any, Any, Any], origins: tuple[str, ...]) -> None:
    """Refuse what would change something and was not made by a page of ours, or by the user in person."""
    if connection.scope.get("method") in _SAFE:
        return
    site = connection.headers.get("sec-fetch-site")
    ours = site in _OURS if site is not None else connection.headers.get("origin") in origins
    if not ours:
        raise NotAllowed(_FOREIGN)


def not_foreign(connection: ASGIConnection[Any, Any, Any, Any], origins: tuple[str, ...]) -> None:
    """Refuse what a page of another site made, where a session would begin: nobody is led into another's account.

    Programs, which say neither, pass.
    """
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if (site not in _OURS) if site is not None else (origin is not None and origin not in origins):
        raise NotAllowed(_FOREIGN)
