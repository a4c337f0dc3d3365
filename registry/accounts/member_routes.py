"""HTTP of invitations into a team: made, listed and withdrawn by it; opened and answered by whoever holds the link."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from licet import identifiers
from licet.wire.accounts import (
    InvitationAnswer,
    InvitationCreate,
    InvitationCreated,
    InvitationInfo,
    InvitationSecret,
    InvitationSeen,
    InvitationState,
)
from licet.wire.common import Page
from registry.accounts import members
from registry.accounts.idempotency import HEADER, READS, SECRET, key_of
from registry.accounts.identity import Caller, require
from registry.accounts.stepping import fresh
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, linked
from registry.services import Services

_TEAMS: Final = require("account", kinds=("org",))
_BODY: Final = 65_536
InState = Annotated[InvitationState | None, QueryParameter(name="state")]


@post(
    "/v1/invitations",
    operation_id="createInvitation",
    tags=["accounts"],
    guards=[_TEAMS, fresh],
    opt=SECRET,
    request_max_body_size=_BODY,
)
async def create_invitation(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    data: JSONBody[InvitationCreate],
    idempotency_key: Annotated[str, HeaderParameter(name=HEADER)],
) -> InvitationCreated:
    """Invite somebody into the team by a link, which is shown this once and works once.

    Whoever opens it asks with a key of their own; nothing follows before a root key of the team lets that key in
    (``POST /v1/keys``).
    """
    return await members.invite(services, caller, data, sha256(key_of(idempotency_key).encode()).digest())


@get("/v1/invitations", operation_id="listInvitations", tags=["accounts"], guards=[_TEAMS])
async def list_invitations(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    in_state: InState = None,
    sort: FromQuery[Literal["-created", "created"]] = "-created",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[InvitationInfo]]:
    """The team's invitations, without their secrets, and the keys that ask by them."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await members.listed(conn, caller.account, asked, in_state))


@delete(
    "/v1/invitations/{invitation:str}",
    operation_id="withdrawInvitation",
    tags=["accounts"],
    status_code=200,
    guards=[_TEAMS, fresh],
    opt={"problems": (409,)},
)
async def withdraw_invitation(
    services: NamedDependency[Services], caller: NamedDependency[Caller], invitation: FromPath[str]
) -> InvitationInfo:
    """Take an invitation back: its link opens nothing, and who asked by it is forgotten. Again is no error."""
    number = identifiers.to_uuid(invitation, "ivt", field="path:invitation")
    async with services.database.transaction() as conn:
        return await members.withdraw(conn, caller.account, number)


@post(
    "/v1/invitations/open",
    operation_id="openInvitation",
    tags=["accounts"],
    opt={**READS, "problems": (404,)},
    status_code=200,
    request_max_body_size=_BODY,
)
async def open_invitation(services: NamedDependency[Services], data: JSONBody[InvitationSecret]) -> InvitationSeen:
    """Into which team the secret of a link invites, and what became of the invitation."""
    return await members.opened(services, data.secret)


@post(
    "/v1/invitations/ask",
    operation_id="askToJoin",
    tags=["accounts"],
    opt={**SECRET, "problems": (403, 404)},
    request_max_body_size=_BODY,
)
async def ask_to_join(services: NamedDependency[Services], data: JSONBody[InvitationAnswer]) -> InvitationSeen:
    """Ask to be let in with a new key, whose ``key-register`` that key alone has signed; it uses the invitation up.

    The same key may ask again, as it has to where the team's keys have changed meanwhile.
    """
    return await members.ask(services, data.secret, data.envelope)


ROUTES: Final = [create_invitation, list_invitations, withdraw_invitation, open_invitation, ask_to_join]
