"""Passkeys of auditors and operators, as signing in finds them; how they come about is ``registry.accounts.staff``."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet.statements.webauthn import Passkey
from registry.accounts import queries
from registry.database import Connection

KINDS: Final = ("aud", "opr")


class StaffKey(NamedTuple):
    """A live passkey of an auditor or operator."""

    account: UUID
    kind: str
    keyid: str
    passkey: Passkey


async def key_of(conn: Connection, credential: bytes) -> StaffKey | None:
    """Return the live passkey with this credential id, None where staff have no such one."""
    row = await conn.fetchrow(queries.STAFF_KEY, credential)
    if row is None:
        return None
    passkey = msgspec.json.decode(row["passkey"], type=Passkey)
    return StaffKey(row["account"], row["kind"], row["keyid"], passkey)
