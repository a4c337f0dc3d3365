"""Challenges of passkey ceremonies: for one purpose, for five minutes, answered once; only their digests are kept.

A challenge is the digest of its purpose and 32 random bytes, so none of ours is ever the digest of a statement's PAE,
and one purpose's answer is no answer for another.
"""

from __future__ import annotations

import os
from datetime import timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple
from uuid import UUID

from licet import times
from licet.statements.webauthn import parse_client_data
from registry.accounts import queries
from registry.database import Connection, Database
from registry.errors import NotAllowed

Purpose = Literal["register", "sign-in", "step-up"]
LASTS: Final = timedelta(minutes=5)
MILLISECONDS: Final = int(LASTS.total_seconds() * 1000)


class Taken(NamedTuple):
    """A challenge of ours that was just answered and will not be taken again."""

    challenge: bytes
    account: UUID | None
    kind: str | None


async def issue(conn: Connection, purpose: Purpose, account: UUID | None = None, kind: str | None = None) -> bytes:
    """Return a fresh challenge for ``purpose``; some that ran out are forgotten."""
    challenge = sha256(f"licet/{purpose}/v1\n".encode() + os.urandom(32)).digest()
    await conn.execute(queries.FORGET_CHALLENGES)
    digest = sha256(challenge).digest()
    await conn.execute(queries.KEEP_CHALLENGE, digest, purpose, account, kind, times.now() + LASTS)
    return challenge


async def take(database: Database, purpose: Purpose, client_data: bytes) -> Taken:
    """Return the challenge that ``client_data`` answers; from now on it is used up, whatever becomes of the answer.

    Raises ``MalformedError`` for client data that do not parse and ``NotAllowed`` for a challenge that is none of ours,
    for another purpose, too old, or answered before.
    """
    challenge = parse_client_data(client_data).challenge
    async with database.acquire() as conn:
        row = await conn.fetchrow(queries.TAKE_CHALLENGE, sha256(challenge).digest(), purpose)
    if row is None:
        raise NotAllowed(f"expected an answer to a challenge to {purpose} of the last 5 minutes, not answered before")
    return Taken(challenge, row["account"], row["kind"])
