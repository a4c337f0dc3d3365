"""Somebody joins a team by a link: invited, asked with a key of their own, let in by a key that may do everything.

Nothing follows from the link but a request. The key that asks has signed its own ``key-register``, and only a live root
key of the team brings that into the log, where the API takes any other (``POST /v1/keys``). So an invitation is over
once its key is one of the account's, whichever way that came about.
"""

from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keyring import RECOVERED_FOR
from licet.statements.keys import keyid_of
from licet.statements.kinds import KeyRegister
from licet.statements.webauthn import Passkey, to_base64url
from licet.wire.accounts import (
    InvitationCreate,
    InvitationCreated,
    InvitationInfo,
    InvitationSeen,
    PasskeyCreated,
    PasskeyDrafted,
)
from licet.wire.common import Page
from registry.accounts import challenges, events, letting_in, passkeys, queries
from registry.accounts.identity import Caller
from registry.accounts.keyring import ring_of
from registry.accounts.letting_in import ToSign
from registry.accounts.naming import line_of
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, KeyReused, NotAllowed, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services

DAYS: Final = range(1, 31)
LONGEST_NOTE: Final = 100
MOST_WAITING: Final = 20  # of one team
LONGEST_SECRET: Final = 100
_OVER: Final = {
    "asked": "this invitation was used by another key: ask whoever invited you for a new one",
    "joined": "this invitation was used, and its key was let in: sign in with it",
    "expired": "this invitation has run out: ask whoever invited you for a new one",
    "withdrawn": "this invitation was taken back by the team: ask whoever invited you",
}


async def invite(
    services: Services, caller: Caller, wanted: InvitationCreate, request: bytes, language: str = "en"
) -> InvitationCreated:
    """Return a new invitation into the team of ``caller`` with its link, which is shown this once.

    ``request`` is the digest of what asks; asked again while nobody has used the link, it gives a new secret and a new
    end, and the link before opens nothing. Raises ``Invalid``, ``NotAllowed`` for a session whose key may not do
    everything, and ``Conflict`` for too many that wait.
    """
    note = line_of("note", wanted.note, LONGEST_NOTE)
    if wanted.expires_in_days not in DAYS:
        raise Invalid.field("expires_in_days", f"{DAYS[0]} to {DAYS[-1]}", wanted.expires_in_days)
    secret, until = to_base64url(os.urandom(32)), times.now() + timedelta(days=wanted.expires_in_days)
    async with services.database.transaction() as conn:
        await conn.fetchrow(queries.LOCK_ACCOUNT, caller.account)
        if caller.session is not None and not await conn.fetchval(queries.MAY_ALL, caller.session, RECOVERED_FOR):
            raise NotAllowed("expected a passkey that may do everything, got one that was recovered in the last 7 days")
        if await conn.fetchval(queries.WAITING_INVITATIONS, caller.account, request) >= MOST_WAITING:
            raise Conflict(f"expected at most {MOST_WAITING} invitations that wait: withdraw one that nobody needs")
        made = await conn.fetchval(
            queries.INVITE_MEMBER, identifiers.new_uuid(), caller.account, wanted.key_class, note, _digest(secret),
            request, until,
        )  # fmt: skip
        if made is None:
            raise KeyReused("this Idempotency-Key was used for another invitation, or for one that is in use")
        row = await conn.fetchrow(queries.INVITATION_OF, made, caller.account)
        assert row is not None
        info = _info(row)
        said = f"invitation {info.invitation} for a {info.key_class} key was made, until {info.expires_at}"
        await events.tell(conn, caller.account, "member-invited", None, said)
    return InvitationCreated(info, f"{services.settings.url}/{language}/join-team#{secret}")


async def listed(conn: Connection, account: UUID, asked: Asked, state: str | None = None) -> Page[InvitationInfo]:
    """Return one page of the invitations of ``account``; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.MEMBER_INVITATIONS, asked, account, state)
    return Page([_info(row) for row in rows], more)


async def withdraw(conn: Connection, account: UUID, invitation: UUID) -> InvitationInfo:
    """Return the invitation of ``account`` once its link opens nothing, and who asked by it is forgotten.

    Raises ``NotFound``, and ``Conflict`` where its key was let in: that key is ended instead.
    """
    if await conn.fetchrow(queries.INVITATION_OF, invitation, account) is None:
        raise NotFound("there is no such invitation of yours")
    if await conn.fetchval(queries.WITHDRAW_INVITATION, invitation, account) is None:
        raise Conflict("the key of this invitation was let in: end that key instead")
    row = await conn.fetchrow(queries.INVITATION_OF, invitation, account)
    assert row is not None
    return _info(row)


async def asking(services: Services, caller: Caller, invitation: UUID) -> tuple[InvitationInfo, ToSign]:
    """Return the invitation, and what a passkey of the team signs to let in whoever asked by it.

    Raises ``NotFound`` where nobody asks by it, and as ``letting_in.asked`` does.
    """
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.INVITATION_OF, invitation, caller.account)
    if row is None or row["state"] != "asked":
        raise NotFound("there is no such invitation of yours by which somebody asks")
    return _info(row), await letting_in.asked(services, caller, _envelope(row))


# -- whoever holds the link ----------------------------------------------------------------------------------------


async def opened(services: Services, secret: str) -> InvitationSeen:
    """Return what ``secret`` invites into, and what became of it; raises ``NotFound`` for none of ours."""
    async with services.database.acquire() as conn:
        return await _seen(services, conn, await _row(conn, secret))


async def options(services: Services, secret: str) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` takes for whoever was invited; the invitation can be used still.

    Raises ``NotAllowed`` for one that is over, or for a program's key.
    """
    async with services.database.transaction() as conn:
        row = _free(await _row(conn, secret))
        if row["class"] != "root":
            raise NotAllowed("expected the key of a program: `licet account join` with this link")
        challenge = await challenges.issue(conn, "register", row["account"], "org")
        known = [each["credential"] for each in await conn.fetch(queries.CREDENTIALS, row["account"])]
    return passkeys.creation(services, row["account"], row["name"], challenge, known)


async def drafted(services: Services, secret: str, created: PasskeyCreated) -> PasskeyDrafted:
    """Return the ``key-register`` that the new passkey signs to ask; nothing is kept."""
    async with services.database.acquire() as conn:
        row = _free(await _row(conn, secret))
    return await passkeys.joining(services, row["account"], "org", created)


class Again(NamedTuple):
    """A ``key-register`` that a passkey which has asked signs anew, and how the browser finds that passkey."""

    draft: PasskeyDrafted
    credential: str


async def again(services: Services, secret: str) -> Again:
    """Return what the passkey that asked by ``secret`` signs once the team's keys have changed meanwhile."""
    async with services.database.acquire() as conn:
        row = await _row(conn, secret)
    if row["state"] != "asked":
        raise NotAllowed(_OVER.get(row["state"], "nobody has asked by this invitation yet"))
    key = envelopes.read_as(KeyRegister, _envelope(row)).key
    if not isinstance(key, Passkey):
        raise NotAllowed("expected an invitation by which a passkey asks, got one of a program's key")
    draft = await passkeys.once_more(services, row["account"], "org", key)
    return Again(draft, to_base64url(bytes.fromhex(key.credential)))


async def ask(services: Services, secret: str, envelope: Envelope) -> InvitationSeen:
    """Return the invitation once the team can let in the key whose ``key-register`` is in ``envelope``.

    It is used by that key: the same may ask again while it waits, another one may not. Raises ``NotAllowed`` for an
    invitation that is over, ``Invalid`` for what does not ask as it invites, and ``Conflict``.
    """
    async with services.database.transaction() as conn:
        row = await _row(conn, secret, hold=True)
        ring, _ = await ring_of(conn, services.keys.ref, row["account"])
        payload = letting_in.proven(services, ring, envelope)
        keyid = keyid_of(payload.key)
        if row["state"] != "asked" or row["keyid"] != keyid:
            _free(row)
        if payload.key_class != row["class"]:
            raise Invalid.field("key_class", row["class"], payload.key_class)
        await conn.execute(queries.ANSWER_INVITATION, _digest(secret), keyid, envelopes.encode(envelope).decode())
        if row["state"] == "open":
            said = f"key {keyid} asks to be let in by invitation {identifiers.from_uuid('ivt', row['id'])}"
            await events.tell(conn, row["account"], "member-asked", None, said)
        return await _seen(services, conn, await _row(conn, secret))


async def _row(conn: Connection, secret: str, *, hold: bool = False) -> Row:
    digest = _digest(secret)
    if hold:
        await conn.fetchval(queries.HOLD_INVITATION, digest)
    row = await conn.fetchrow(queries.MEMBER_INVITATION, digest)
    if row is None:
        raise NotFound("there is no such invitation: is the link whole?")
    return row


def _free(row: Row) -> Row:
    if row["state"] != "open":
        raise NotAllowed(_OVER[row["state"]])
    return row


async def _seen(services: Services, conn: Connection, row: Row) -> InvitationSeen:
    stale = False
    if row["state"] == "asked":
        ring, _ = await ring_of(conn, services.keys.ref, row["account"])
        stale = envelopes.read_as(KeyRegister, _envelope(row)).prev != ring.head
    return InvitationSeen(
        account=identifiers.from_uuid("org", row["account"]),
        team=row["name"],
        genesis=row["genesis"],
        key_class=row["class"],
        state=row["state"],
        expires_at=times.to_text(row["expires_at"]),
        keyid=row["keyid"],
        stale=stale,
    )


def _info(row: Row) -> InvitationInfo:
    return InvitationInfo(
        invitation=identifiers.from_uuid("ivt", row["id"]),
        key_class=row["class"],
        note=row["note"],
        state=row["state"],
        created_at=times.to_text(row["created_at"]),
        expires_at=times.to_text(row["expires_at"]),
        keyid=row["keyid"],
        asked_at=row["asked_at"] and times.to_text(row["asked_at"]),
        envelope=None if row["envelope"] is None else _envelope(row),
    )


def _envelope(row: Row) -> Envelope:
    return envelopes.parse(row["envelope"].encode())


def _digest(secret: str) -> bytes:
    return sha256(b"licet/member-invitation/v1\n" + secret[:LONGEST_SECRET].encode()).digest()
