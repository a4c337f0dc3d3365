"""HTTP of accounts: registration, the caller itself, tokens, the registry, statement files."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from licet import identifiers
from licet.exports.receipt import MEDIA_TYPE as RECEIPT
from licet.wire.accounts import (
    AccountCreate,
    AccountCreated,
    Me,
    RegistryInfo,
    TokenCreate,
    TokenCreated,
    TokenInfo,
)
from licet.wire.common import Page, StatementFile
from registry.accounts import profile, registration, spending, statements, stepping, tokens
from registry.accounts.idempotency import HEADER, SECRET, key_of
from registry.accounts.identity import Caller, require
from registry.accounts.key_routes import ROUTES as KEY_ROUTES
from registry.accounts.member_routes import ROUTES as MEMBER_ROUTES
from registry.accounts.passkey_routes import ROUTES as PASSKEY_ROUTES
from registry.accounts.stepping import fresh
from registry.errors import Invalid
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services
from registry.translog import RegistryKeys

Allows = Annotated[
    Literal["account", "query", "register", "license", "usage", "audit", "payout", "erase"] | None,
    QueryParameter(name="scope"),
]


@post(
    "/v1/accounts",
    operation_id="createAccount",
    tags=["accounts"],
    opt={**SECRET, "quota": "accounts"},
    request_max_body_size=65_536,
)
async def create_account(services: NamedDependency[Services], data: JSONBody[AccountCreate]) -> AccountCreated:
    """Open an account: its first key, signed by that key itself, and the token that opens it."""
    return await registration.register(services, data)


@get("/v1/me", operation_id="getMe", tags=["accounts"])
async def get_me(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Me:
    """The account behind the token: keys, claim level, head of its consents."""
    return await profile.me(services, caller)


@get("/v1/registry", operation_id="getRegistry", tags=["accounts"])
async def get_registry(services: NamedDependency[Services]) -> RegistryInfo:
    """Who this registry is: its root key, and the logged statements of its working keys."""
    return await profile.registry_info(services)


@post(
    "/v1/tokens",
    operation_id="createToken",
    tags=["accounts"],
    opt=SECRET,
    guards=[require("account"), fresh],
    request_max_body_size=65_536,
)
async def create_token(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    data: JSONBody[TokenCreate],
    idempotency_key: Annotated[str, HeaderParameter(name=HEADER)],
) -> TokenCreated:
    """Make a further token; it is shown this once.

    It may do what the present one may, and more for an ``envelope`` in which a live root key of the account asked for
    just these scopes in the last five minutes. One with scope ``erase`` or ``payout`` lasts for a day: nothing
    else erases the account, or says where it is paid, but a session whose passkey was just used.

    With a ``spend_limit`` whatever would charge more in a calendar month (UTC) is 409 `over-spend-limit`, and the token
    makes none with scope ``license`` or ``usage``.
    """
    longest = 1 if tokens.STEPPED_UP.intersection(data.scopes) else tokens.LONGEST.days
    if not 1 <= data.expires_in_days <= longest:
        expected = f"1 to {longest}" if longest > 1 else "1, where erase or payout is among the scopes"
        raise Invalid.field("expires_in_days", expected, data.expires_in_days)
    allowed = await stepping.granted(services, caller, data.scopes, data.envelope)
    scopes = tokens.narrowed(data.scopes, allowed)
    if data.envelope is None:
        spending.hold_unlimited(caller, scopes)
    asked = sha256(key_of(idempotency_key).encode()).digest()
    if data.envelope is not None:
        asked = bytes.fromhex(data.envelope.payload_digest)  # it counts once, under whatever key it comes
    async with services.database.transaction() as conn:
        lifetime = timedelta(days=data.expires_in_days)
        return await tokens.create(conn, caller.account, scopes, lifetime, request=asked, limit=data.spend_limit)


@get("/v1/tokens", operation_id="listTokens", tags=["accounts"], guards=[require("account")])
async def list_tokens(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    active: FromQuery[bool | None] = None,
    allows: Allows = None,
    sort: FromQuery[Literal["-created", "created", "expires", "-expires"]] = "-created",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[TokenInfo]]:
    """The tokens of the account, without their secrets."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await tokens.listed(conn, caller.account, asked, active=active, scope=allows))


@delete("/v1/tokens/{token:str}", operation_id="revokeToken", tags=["accounts"], guards=[require("account"), fresh])
async def revoke_token(
    services: NamedDependency[Services], caller: NamedDependency[Caller], token: FromPath[str]
) -> None:
    """Make a token of the account worthless from now on."""
    async with services.database.transaction() as conn:
        await tokens.revoke(conn, identifiers.to_uuid(token, "tok", field="path:token"), caller.account)


@get(
    "/v1/statements/{statement:str}",
    operation_id="getStatementFile",
    tags=["statements"],
    opt={"problems": (410,)},
)
async def get_statement_file(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    statement: FromPath[str],
) -> StatementFile:
    """Everything that proves one logged statement to somebody who knows the registry's root key.

    Consents, withdrawals, keys and the registry's own statements are public; a licence, dataset, run or usage batch
    is for the account that signed it and for auditors.
    """
    identifiers.to_uuid(statement, field="path:statement")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        return await statements.statement_file(conn, statement, optional_caller)


@get(
    "/v1/statements/{statement:str}/receipt.cose",
    operation_id="getStatementReceipt",
    media_type=RECEIPT,
    tags=["statements"],
    opt={"problems": (410,)},
)
async def get_statement_receipt(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    keys: NamedDependency[RegistryKeys],
    statement: FromPath[str],
) -> Response[bytes]:
    """A COSE receipt (RFC 9942, RFC9162_SHA256) that the statement's log entry is in the log; seen by whom the file is.

    The payload is detached: it is the root of the newest published checkpoint, which the verifier computes.
    """
    identifiers.to_uuid(statement, field="path:statement")
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        receipt = await statements.statement_receipt(conn, statement, optional_caller, keys)
    return Response(receipt, media_type=RECEIPT)


ROUTES = [
    create_account,
    get_me,
    get_registry,
    create_token,
    list_tokens,
    revoke_token,
    get_statement_file,
    get_statement_receipt,
    *KEY_ROUTES,
    *MEMBER_ROUTES,
    *PASSKEY_ROUTES,
]
