"""How auditors and operators come in: an invitation, used once to keep a passkey, which opens sessions from then on.

Nothing of it is in the log: no consent rests on such a key, and it signs no statement. Whoever lost it is invited
again, and the new passkey ends the one before, with its sessions.
"""

from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from licet import canonical, identifiers, times
from licet.statements.keys import KeySet
from licet.statements.webauthn import from_base64url, to_base64url
from licet.wire.accounts import PasskeyCreated
from registry.accounts import challenges, events, passkeys, queries, sessions
from registry.accounts.staff_keys import KINDS
from registry.database import Connection, Database, Row
from registry.errors import Conflict, NotAllowed, NotFound
from registry.services import Services

__all__ = ["KINDS", "LASTS", "Somebody", "dismiss", "invited", "join", "link", "listed", "options"]

LASTS: Final = timedelta(days=7)
_LONGEST: Final = 100
_NONE: Final = "expected an invitation of the last 7 days that was not used: ask whoever invited you for a new one"


async def invited(database: Database, account: UUID) -> str:
    """Return the secret of a new invitation for ``account``, this once; earlier ones that wait open nothing any more.

    Raises ``NotFound`` where there is no such account of an auditor or operator.
    """
    secret = to_base64url(os.urandom(32))
    async with database.transaction() as conn:
        row = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
        if row is None or row["kind"] not in KINDS:
            raise NotFound("there is no such account of an auditor or operator")
        await conn.execute(queries.FORGET_INVITATIONS, account)
        await conn.execute(queries.INVITE, _digest(secret), account, times.now() + LASTS)
    return secret


def link(services: Services, secret: str, language: str = "en") -> str:
    """Return where the invitation is opened: its secret stands behind the ``#``, which browsers send to nobody."""
    return f"{services.settings.url}/{language}/invited#{secret}"


async def options(services: Services, secret: str) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` takes for whoever was invited; the invitation can be used still."""
    async with services.database.transaction() as conn:
        row = _open(await conn.fetchrow(queries.INVITATION, _digest(secret)))
        challenge = await challenges.issue(conn, "register", row["account"], row["kind"])
    return passkeys.creation(services, row["account"], row["name"], challenge, [])


async def join(services: Services, secret: str, created: PasskeyCreated) -> tuple[str, str]:
    """Return kind of account and cookie of a session once the new passkey is kept and the invitation used up.

    Passkeys that the account had before are ended. Raises ``NotAllowed`` for an invitation that opens nothing, and
    ``Invalid`` for what is no passkey.
    """
    client_data = from_base64url(created.client_data, "client_data")
    taken = await challenges.take(services.database, "register", client_data)
    passkey = passkeys.verified(services, taken.challenge, created)
    keyid = KeySet().learn(passkey)
    async with services.database.transaction() as conn:
        row = _open(await conn.fetchrow(queries.INVITATION + " for update of i", _digest(secret)))
        if (taken.account, taken.kind) != (row["account"], row["kind"]):
            raise NotAllowed("expected an answer to a challenge for this account")
        await conn.execute(queries.USE_INVITATION, _digest(secret))
        await conn.execute(queries.END_STAFF_KEYS, row["account"])
        credential = bytes.fromhex(passkey.credential)
        kept = await conn.fetchval(
            queries.KEEP_STAFF_KEY, keyid, row["account"], credential, canonical.encode(passkey).decode()
        )
        if kept is None:
            raise Conflict("this passkey is somebody's already: make a new one")
        cookie, _ = await sessions.begin(conn, row["account"], keyid, staff=True)
        await events.tell(conn, row["account"], "key-added", None, f"passkey {keyid} was kept by invitation")
    return row["kind"], cookie


async def dismiss(database: Database, account: UUID, *, by: UUID | None = None) -> None:
    """End every way in of ``account``: passkeys with their sessions, invitations and tokens.

    Raises ``NotFound`` where there is no such account of an auditor or operator, and ``NotAllowed`` where ``by``, who
    dismisses at the portal, has been dismissed meanwhile: of two that dismiss each other at once one stays.
    """
    async with database.transaction() as conn:
        if by is not None:
            for each in sorted((account, by)):  # in one order, so that two at once do not wait for each other
                await conn.fetchrow(queries.LOCK_ACCOUNT, each)
            if not await conn.fetch(queries.STAFF_CREDENTIALS, by):
                raise NotAllowed("expected an operator with a passkey, got one who has been dismissed meanwhile")
        row = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
        if row is None or row["kind"] not in KINDS:
            raise NotFound("there is no such account of an auditor or operator")
        await conn.execute(queries.FORGET_INVITATIONS, account)
        await conn.execute(queries.END_STAFF_KEYS, account)
        await conn.execute(queries.REVOKE_ALL, account)


class Somebody(NamedTuple):
    """An auditor's or operator's account, and what opens it: when its passkey was made, until when it is invited."""

    account: str
    name: str
    kind: str
    since: str
    passkey: str | None
    invited: str | None
    tokens: int


async def listed(conn: Connection) -> list[Somebody]:
    """Return everybody of the staff, the newest first."""
    return [
        Somebody(
            identifiers.from_uuid(row["kind"], row["id"]),
            row["name"],
            row["kind"],
            times.to_text(row["created_at"]),
            row["passkey"] and times.to_text(row["passkey"]),
            row["invited"] and times.to_text(row["invited"]),
            row["tokens"],
        )
        for row in await conn.fetch(queries.STAFF)
    ]


def _digest(secret: str) -> bytes:
    return sha256(b"licet/invitation/v1\n" + secret[:_LONGEST].encode()).digest()


def _open(row: Row | None) -> Row:
    if row is None:
        raise NotAllowed(_NONE)
    return row
