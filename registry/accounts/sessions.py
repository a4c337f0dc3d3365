"""Sessions of browsers: opened with a passkey, carried by a cookie that no script reads, raised again by a passkey.

The cookie is random and only its digest is kept. A request that changes something counts only if the browser says that
a page of ours made it (``Sec-Fetch-Site``, or else ``Origin``): a cookie travels with requests of other pages too.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.canonical import to_base64
from licet.errors import LicetError
from licet.statements.webauthn import Assertion, Passkey, PasskeyVerifier, from_base64url, to_base64url
from licet.wire.accounts import PasskeyAnswer, SessionInfo
from registry.accounts import challenges, events, queries, staff_keys
from registry.accounts.identity import Caller, session_digest
from registry.accounts.keyring import ring_of
from registry.database import Connection
from registry.errors import NotAllowed, NotFound
from registry.services import Services

LASTS: Final = timedelta(days=14)


async def sign_in_options(services: Services) -> dict[str, Any]:
    """Return what ``navigator.credentials.get`` takes to sign in with whatever passkey of ours the user has."""
    async with services.database.transaction() as conn:
        challenge = await challenges.issue(conn, "sign-in")
    return _request(services, challenge, [])


async def step_up_options(services: Services, caller: Caller) -> dict[str, Any]:
    """Return the same to raise the caller's session, with the passkeys of its account."""
    async with services.database.transaction() as conn:
        challenge = await challenges.issue(conn, "step-up", caller.account)
        owned = queries.STAFF_CREDENTIALS if caller.kind in staff_keys.KINDS else queries.CREDENTIALS
        known = [row["credential"] for row in await conn.fetch(owned, caller.account)]
    return _request(services, challenge, known)


async def sign_in(services: Services, answer: PasskeyAnswer) -> tuple[SessionInfo, str]:
    """Return the new session and its cookie; raises ``NotAllowed`` for an answer that opens nothing."""
    account, kind, keyid = await _answered(services, "sign-in", answer)
    async with services.database.transaction() as conn:
        secret, expires = await begin(conn, account, keyid, staff=kind in staff_keys.KINDS)
        await events.tell(conn, account, "signed-in", None, f"passkey {keyid} opened a session")
    return SessionInfo(identifiers.from_uuid(kind, account), keyid, times.to_text(expires)), secret


async def begin(conn: Connection, account: UUID, keyid: str, *, staff: bool = False) -> tuple[str, datetime]:
    """Return the cookie of a new session and when it ends; whoever calls has just seen the key sign.

    ``staff``: the key is an auditor's or operator's (``registry.accounts.staff``).
    """
    secret = to_base64url(os.urandom(32))
    expires = times.now() + LASTS
    await conn.execute(
        queries.OPEN_SESSION, identifiers.new_uuid(), session_digest(secret), account, keyid, expires, staff
    )
    return secret, expires


class Session(NamedTuple):
    """A session as its account sees it; ``current``: the one that asks."""

    id: UUID
    opened: datetime
    used: datetime  # its passkey, last
    expires: datetime
    current: bool


async def listed(conn: Connection, caller: Caller) -> list[Session]:
    """Return the live sessions of the caller's account, the newest first."""
    rows = await conn.fetch(queries.SESSIONS, caller.account)
    return [
        Session(row["id"], row["created_at"], row["stepped_up_at"], row["expires_at"], row["id"] == caller.session)
        for row in rows
    ]


async def end_one(conn: Connection, caller: Caller, session: UUID) -> None:
    """Make a session of the caller's account worthless; raises ``NotFound`` where it has no such one."""
    if await conn.fetchval(queries.END_SESSION_OF, session, caller.account) is None:
        raise NotFound("there is no such session of yours")


async def step_up(services: Services, caller: Caller, answer: PasskeyAnswer) -> SessionInfo:
    """Return the caller's session, fresh again; raises ``NotAllowed``."""
    if caller.session is None:
        raise NotAllowed("expected a session, got a token: it needs no step up")
    account, _, keyid = await _answered(services, "step-up", answer, caller.account)
    async with services.database.transaction() as conn:
        await conn.execute(queries.RAISE_SESSION, caller.session, account)
    return SessionInfo(caller.id, keyid, times.to_text(caller.expires_at))


async def end(services: Services, caller: Caller) -> None:
    """Make the caller's session worthless from now on."""
    if caller.session is not None:
        async with services.database.transaction() as conn:
            await conn.execute(queries.END_SESSION, caller.session)


async def _answered(
    services: Services, purpose: challenges.Purpose, answer: PasskeyAnswer, account: UUID | None = None
) -> tuple[UUID, str, str]:
    """Return whose live passkey gave ``answer``: account, its kind, key id; staff's are in no log."""
    client_data = from_base64url(answer.client_data, "client_data")
    taken = await challenges.take(services.database, purpose, client_data)
    if account is not None and taken.account != account:
        raise NotAllowed("expected an answer to a challenge for this account")
    credential = from_base64url(answer.credential, "credential")
    authenticator = from_base64url(answer.authenticator_data, "authenticator_data")
    signature = from_base64url(answer.signature, "signature")
    assertion = Assertion(to_base64(authenticator), to_base64(client_data))
    async with services.database.transaction() as conn:
        # First: a stranger's account could have a passkey that calls itself the same.
        own = await staff_keys.key_of(conn, credential)
        row = None if own else await conn.fetchrow(queries.PASSKEY, credential)
        if own and (account is None or own.account == account):
            _holds(own.passkey, assertion, signature, taken.challenge)
            return own.account, own.kind, own.keyid
        if row is None or (account is not None and row["account"] != account):
            raise NotAllowed("expected a passkey of an account here, got an unknown one")
        ring, _ = await ring_of(conn, services.keys.ref, row["account"])
    key = ring[row["keyid"]]
    if key.key_class == "delegate" or key.revoked_from is not None or not isinstance(key.key, Passkey):
        raise NotAllowed(f"expected a live passkey, got {key.keyid}, which is revoked or a delegate's")
    _holds(key.key, assertion, signature, taken.challenge)
    return row["account"], row["kind"], key.keyid


def _holds(passkey: Passkey, assertion: Assertion, signature: bytes, challenge: bytes) -> None:
    """Return if ``passkey`` gave this answer to ``challenge``; raises ``NotAllowed``."""
    try:
        PasskeyVerifier(passkey).verify_challenge(assertion, signature, challenge)
    except LicetError as error:
        raise NotAllowed(error.message) from None


def _request(services: Services, challenge: bytes, credentials: list[bytes]) -> dict[str, Any]:
    allowed = [{"type": "public-key", "id": to_base64url(each)} for each in credentials]
    return {
        "challenge": to_base64url(challenge),
        "timeout": challenges.MILLISECONDS,
        "rpId": services.settings.site.rp_id,
        "allowCredentials": allowed,
        "userVerification": "required",
    }
