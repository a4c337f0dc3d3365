"""Claim levels (semantics 4): raised by the registry's office, on evidence, in the log.

``on_level_change`` holds what must happen in the same transaction, because domains above this one decide by level:
each is called with (connection, account) after the row has its new level. The application fills it once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Claim
from licet.wire.common import Receipt
from registry import translog
from registry.accounts import queries
from registry.database import Connection
from registry.errors import Conflict, Invalid, NotFound
from registry.services import Services

LEVELS: Final = range(5)
MAX_EVIDENCE: Final = 1000

on_level_change: list[Callable[[Connection, UUID], Awaitable[None]]] = []


async def raise_level(services: Services, account: UUID, level: int, evidence: str) -> Receipt:
    """Return the receipt of the ``claim`` statement that gives ``account`` its new ``level``, in force from COMMIT on.

    Raises ``NotFound``, ``Invalid``, and ``Conflict`` for a level that is not above the present one; the level it
    has, with the same evidence, is no error and has no second effect.
    """
    if level not in LEVELS[1:]:
        raise Invalid.field("level", f"1 to {LEVELS[-1]}", level)
    if not evidence.strip() or len(evidence) > MAX_EVIDENCE or not evidence.isprintable():
        raise Invalid.field("evidence", f"1 to {MAX_EVIDENCE} printable characters", evidence)
    async with services.database.transaction() as conn:
        row = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
        if row is None or row["genesis"] is None:
            raise NotFound("there is no such artist or organisation")
        pending = await _raise(services, conn, account, level, evidence, row["kind"], row["genesis"], row["level"])
    return await translog.wait(services.database, pending)


async def _raise(
    services: Services,
    conn: Connection,
    account: UUID,
    level: int,
    evidence: str,
    kind: str,
    genesis: str,
    present: int,
) -> int:
    if level <= present:
        before = await conn.fetchrow(queries.LEVEL, account, level)
        if level == present and before is not None and before["evidence"] == evidence:
            known: int = before["pending"]
            return known
        raise Conflict(f"expected a level above {present}, got {level}")
    subject = identifiers.from_uuid(kind, account)
    claim = Claim(services.keys.ref, subject, genesis, level, evidence, times.to_text(times.now()))
    sealed = envelopes.encode(envelopes.seal(claim, services.keys.office))
    pending = await translog.submit(conn, "claim", subject, sealed, account)
    await conn.execute(queries.SET_LEVEL, account, level)
    await conn.execute(queries.ADD_LEVEL, account, level, evidence, pending)
    for changed in on_level_change:
        await changed(conn, account)
    return pending
