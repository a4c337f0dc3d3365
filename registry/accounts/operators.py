"""What operators do from the command line: invite staff, hand out and take back tokens, attest claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

from licet import identifiers
from licet.wire.accounts import TokenCreated
from licet.wire.common import Receipt
from registry.accounts import queries, tokens
from registry.accounts.levels import raise_level
from registry.accounts.registration import display_name
from registry.database import Database
from registry.errors import NotFound
from registry.services import Services

ROLES: Final[dict[str, str]] = {"auditor": "aud", "operator": "opr"}


async def invite(
    database: Database,
    role: Literal["auditor", "operator"],
    *,
    name: str | None = None,
    scopes: Sequence[str] = (),
    lifetime: timedelta = timedelta(days=90),
) -> tuple[str, TokenCreated]:
    """Return the id of a new staff account and its token, by default with every scope of the role."""
    kind = ROLES[role]
    account = identifiers.new_uuid()
    allowed = tokens.SCOPES_OF[kind]
    wanted = tokens.narrowed(scopes, allowed) if scopes else list(allowed)
    async with database.transaction() as conn:
        await conn.fetchval(queries.CREATE_ACCOUNT, account, kind, display_name(name or role), None)
        return identifiers.from_uuid(kind, account), await tokens.create(conn, account, wanted, lifetime)


async def create_token(
    database: Database, account: str, *, scopes: Sequence[str] = (), lifetime: timedelta = timedelta(days=90)
) -> TokenCreated:
    """Return a new token of any existing ``account``, by default with every scope of its kind; never ``erase``."""
    async with database.transaction() as conn:
        row = await conn.fetchrow(queries.ACCOUNT, identifiers.to_uuid(account, field="account"))
        if row is None or row["kind"] != identifiers.kind_of(account):
            raise NotFound(f"there is no account {account}")
        allowed = tokens.usual(row["kind"])
        wanted = tokens.narrowed(scopes, allowed) if scopes else list(allowed)
        return await tokens.create(conn, row["id"], wanted, lifetime)


async def revoke_token(database: Database, token: str) -> None:
    """Make the token with id ``token`` (``tok_…``) worthless from now on."""
    async with database.transaction() as conn:
        await tokens.revoke(conn, identifiers.to_uuid(token, "tok", field="token"))


async def attest(services: Services, account: str, level: int, evidence: str) -> Receipt:
    """Return the receipt of the claim that raises ``account`` to ``level``; needs a running sequencer."""
    return await raise_level(services, identifiers.to_uuid(account, "art", "org", field="account"), level, evidence)
