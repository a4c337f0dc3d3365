"""HTTP of an account's keys: further ones, rotation, revocation, delegation, recovery, what the account is told of."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from licet.statements.keyring import KEY_KINDS
from licet.wire.accounts import (
    Alerts,
    AlertsSet,
    DelegationInfo,
    EventInfo,
    KeyAccepted,
    KeyInfo,
    KeyStatement,
    Recovered,
    Recovery,
    RecoveryCodes,
)
from licet.wire.common import Page
from registry.accounts import delegations, events, keys, profile, recovery
from registry.accounts.idempotency import SECRET
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import fresh
from registry.errors import Invalid
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_OWNERS: Final = require("account", kinds=("art", "org"))
_ARTISTS: Final = require("account", kinds=("art",))
_BODY: Final = 65_536
KeyId = Annotated[str | None, QueryParameter(name="key", pattern=r"^[0-9a-f]{64}$")]
EventKind = Annotated[str | None, QueryParameter(name="kind", pattern=r"^[a-z-]{3,40}$")]


@get("/v1/keys", operation_id="listKeys", tags=["accounts"], guards=[require("account")])
async def list_keys(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    key_class: FromQuery[Literal["root", "delegate", "recovered"] | None] = None,
    active: FromQuery[bool | None] = None,
    sort: FromQuery[Literal["-registered", "registered"]] = "-registered",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[KeyInfo]]:
    """The keys of the account that are in the log; ``active`` ones may sign."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await profile.keys(conn, caller, asked, key_class=key_class, active=active))


@post("/v1/keys", operation_id="addKey", tags=["accounts"], guards=[_OWNERS, fresh], request_max_body_size=_BODY)
async def add_key(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[KeyStatement]
) -> KeyAccepted:
    """A further key: a ``key-register`` signed by the new key, then by a live root key of the account."""
    return await keys.accept(services, caller.account, _of_kind(data, "key-register"))


@post(
    "/v1/keys/{keyid:str}/rotate",
    operation_id="rotateKey",
    tags=["accounts"],
    guards=[_OWNERS, fresh],
    request_max_body_size=_BODY,
)
async def rotate_key(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    keyid: FromPath[str],
    data: JSONBody[KeyStatement],
) -> KeyAccepted:
    """Put a new root key in the place of key ``keyid``: a ``key-rotate`` signed by the new key, then by a root key."""
    return await keys.accept(services, caller.account, _of_kind(data, "key-rotate"), replaces=keyid)


@post(
    "/v1/keys/{keyid:str}/revoke",
    operation_id="revokeKey",
    tags=["accounts"],
    guards=[_OWNERS, fresh],
    request_max_body_size=_BODY,
)
async def revoke_key(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    keyid: FromPath[str],
    data: JSONBody[KeyStatement],
) -> KeyAccepted:
    """End key ``keyid``: a ``key-revoke`` signed by a live root key.

    What the key signs later counts only where it tightens.
    """
    return await keys.accept(services, caller.account, _of_kind(data, "key-revoke"), keyid=keyid)


@post(
    "/v1/delegations", operation_id="delegate", tags=["accounts"], guards=[_OWNERS, fresh], request_max_body_size=_BODY
)
async def delegate(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[KeyStatement]
) -> KeyAccepted:
    """Let a delegate key sign for the account: a ``delegation`` signed by a live root key, for at most 90 days."""
    return await keys.accept(services, caller.account, _of_kind(data, "delegation"))


@get("/v1/delegations", operation_id="listDelegations", tags=["accounts"], guards=[_OWNERS])
async def list_delegations(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    key: KeyId = None,
    sort: FromQuery[Literal["-given", "given"]] = "-given",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[DelegationInfo]]:
    """The delegations that the account has given; the last one for a key is the one in force."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await delegations.listed(conn, caller.account, asked, key))


@post(
    "/v1/recovery-codes",
    operation_id="keepRecoveryCodes",
    tags=["accounts"],
    guards=[_OWNERS, fresh],
    request_max_body_size=_BODY,
)
async def keep_recovery_codes(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[KeyStatement]
) -> RecoveryCodes:
    """Keep the digests of recovery codes, which a live root key has signed; those kept before are worthless."""
    return RecoveryCodes(await recovery.keep_codes(services, caller.account, _of_kind(data, "recovery-codes")))


@post(
    "/v1/recoveries",
    operation_id="recoverAccount",
    tags=["accounts"],
    opt={**SECRET, "quota": "accounts", "problems": (403, 404)},
    request_max_body_size=_BODY,
)
async def recover_account(services: NamedDependency[Services], data: JSONBody[Recovery]) -> Recovered:
    """Bring a new key to an account with one of its recovery codes; for 7 days that key may only tighten."""
    return await recovery.recover(services, data)


@get("/v1/events", operation_id="listEvents", tags=["accounts"], guards=[_OWNERS])
async def list_events(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    kind: EventKind = None,
    sort: FromQuery[Literal["-told", "told"]] = "-told",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[EventInfo]]:
    """What the account is told of: keys that came and went, delegations, what a delegate loosened, recoveries."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await events.listed(conn, caller.account, asked, kind))


@get("/v1/me/alerts", operation_id="getAlerts", tags=["accounts"], guards=[_ARTISTS])
async def get_alerts(services: NamedDependency[Services], caller: NamedDependency[Caller]) -> Alerts:
    """Which topics the artist is alerted of at the portal; what is off is kept, and listed by ``/v1/events``."""
    async with services.database.acquire() as conn:
        return await events.alerts(conn, caller.account)


@put("/v1/me/alerts", operation_id="setAlerts", tags=["accounts"], guards=[_ARTISTS], request_max_body_size=_BODY)
async def set_alerts(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[AlertsSet]
) -> Alerts:
    """Switch topics off, and all others on; sign-ins, keys and changes of where one is paid are always told."""
    async with services.database.transaction() as conn:
        return await events.set_alerts(conn, caller.account, data.off)


def _of_kind(data: KeyStatement, kind: str) -> Any:
    if data.envelope.kind != kind:
        known = kind if kind in KEY_KINDS else "recovery-codes"
        raise Invalid.field("envelope.payloadType", f"application/vnd.licet.{known}+json", data.envelope.payload_type)
    return data.envelope


ROUTES = [
    list_keys,
    add_key,
    rotate_key,
    revoke_key,
    delegate,
    list_delegations,
    keep_recovery_codes,
    recover_account,
    list_events,
    get_alerts,
    set_alerts,
]
