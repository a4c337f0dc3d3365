"""What operators do from the command line: invite staff, hand out and take back tokens, attest claims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from licet import identifiers
from licet.wire.accounts import TokenCreated
from licet.wire.common import Receipt
from registry.accounts import queries, tokens
from registry.accounts.levels import raise_level
from registry.accounts.registration import display_name
from registry.database import Connection, Database
from registry.errors import Invalid, NotFound
from registry.services import Services

ROLES: Final[dict[str, str]] = {"auditor": "aud", "operator": "opr"}


_SPAN: Final = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))?(?:(\.\.)(\d{4}-(?:0[1-9]|1[0-2]))?)?", re.ASCII)


class AuditScope(NamedTuple):
    """What an auditor may see: of each of ``subjects`` (none: of everybody), from month ``since`` to ``until``."""

    subjects: tuple[UUID, ...] = ()
    since: str | None = None
    until: str | None = None


def told_apart(scopes: Sequence[str]) -> tuple[list[str], AuditScope]:
    """Return which of ``scopes`` a token has, and what the rest let an auditor see.

    ``org_…`` and ``art_…`` are whose part it is; ``2026-10``, ``2026-01..2026-12``, ``2026-01..`` which months. Raises
    ``Invalid``.
    """
    plain: list[str] = []
    subjects: list[UUID] = []
    span: tuple[str | None, str | None] | None = None
    for scope in scopes:
        match = _SPAN.fullmatch(scope)
        if scope[:4] in ("org_", "art_"):
            subjects.append(identifiers.to_uuid(scope, "org", "art", field="--scope"))
        elif match and scope:
            if span is not None:
                raise Invalid.field("--scope", "one span of months", scope)
            span = (match[1], match[3] if match[2] else match[1])
            if None not in span and str(span[0]) > str(span[1]):
                raise Invalid.field("--scope", "months in their order, such as 2026-01..2026-12", scope)
        else:
            plain.append(scope)
    return plain, AuditScope(tuple(dict.fromkeys(subjects)), *(span or (None, None)))


async def invite(
    database: Database,
    role: Literal["auditor", "operator"],
    *,
    name: str | None = None,
    scopes: Sequence[str] = (),
    lifetime: timedelta = timedelta(days=90),
) -> tuple[str, TokenCreated]:
    """Return the id of a new staff account and its token, by default with every scope of the role.

    For an auditor, accounts and months among ``scopes`` are all that is shown (`told_apart`), by default everything.
    Raises ``Invalid``, and ``NotFound`` for an account that there is not.
    """
    allowed = tokens.SCOPES_OF[ROLES[role]]
    plain, audited = told_apart(scopes)
    wanted = tokens.narrowed(plain, allowed) if plain else list(allowed)
    async with database.transaction() as conn:
        account = await _opened(conn, role, name or role, audited)
        return identifiers.from_uuid(ROLES[role], account), await tokens.create(conn, account, wanted, lifetime)


async def enrol(database: Database, role: str, *, name: str, scopes: Sequence[str] = ()) -> str:
    """Return the id of a new staff account without a token, for who comes in by passkey; raises as `invite`."""
    if role not in ROLES:
        raise Invalid.field("role", " or ".join(ROLES), role)
    plain, audited = told_apart(scopes)
    if plain:
        raise Invalid.field("scope", "accounts (org_…, art_…) and months (2026-01..2026-12)", " ".join(plain))
    async with database.transaction() as conn:
        return identifiers.from_uuid(ROLES[role], await _opened(conn, role, name, audited))


async def _opened(conn: Connection, role: str, name: str, audited: AuditScope) -> UUID:
    if audited != AuditScope() and role != "auditor":
        raise Invalid.field("--scope", "accounts and months for auditors alone", role)
    account = identifiers.new_uuid()
    await conn.fetchval(queries.CREATE_ACCOUNT, account, ROLES[role], display_name(name), None)
    if role == "auditor":
        for subject in audited.subjects:
            if await conn.fetchrow(queries.ACCOUNT, subject) is None:
                raise NotFound(f"--scope: there is no account {subject}")
        subjects: list[UUID | None] = [*audited.subjects] or [None]
        await conn.execute(queries.ADD_SCOPE, account, subjects, audited.since, audited.until)
    return account


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
