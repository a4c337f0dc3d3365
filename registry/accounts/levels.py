"""Claim levels (semantics 4): stated by the registry's office, on evidence, in the log.

Each statement has one ground: what the operator attests, or the domains that the account has proven. The level of an
account is that of its best ground, and the newest statement says it: when a ground goes, the level falls.

``on_level_change`` holds what must happen in the same transaction, because domains above this one decide by level:
each is called with (connection, account) after the row has its new level. The application fills it once.
``on_domain_change`` is called likewise where a proof of a domain came or went and the level stays as it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Claim
from licet.wire.common import Receipt
from registry import translog
from registry.accounts import events, queries
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.services import Services

LEVELS: Final = range(5)
MAX_EVIDENCE: Final = 1000


class Ground(NamedTuple):
    """What a level is stated for: ``backed`` is the level that all of this basis back together, 0 once it is gone."""

    basis: Literal["attested", "domain"]
    backed: int
    evidence: str


on_level_change: list[Callable[[Connection, UUID], Awaitable[None]]] = []
on_domain_change: list[Callable[[Connection, UUID], Awaitable[None]]] = []


async def raise_level(services: Services, account: UUID, level: int, evidence: str) -> Receipt:
    """Return the receipt of the ``claim`` statement that attests ``level`` of ``account``, in force from COMMIT on.

    Raises ``NotFound``, ``Invalid``, and ``Conflict`` for a level that is not above the one attested before; that one,
    with the same evidence, is no error and has no second effect.
    """
    if level not in LEVELS[1:]:
        raise Invalid.field("level", f"1 to {LEVELS[-1]}", level)
    if not evidence.strip() or len(evidence) > MAX_EVIDENCE or not evidence.isprintable():
        raise Invalid.field("evidence", f"1 to {MAX_EVIDENCE} printable characters", evidence)
    async with services.database.transaction() as conn:
        row = await locked(conn, account)
        before = await conn.fetchrow(queries.ATTESTED, account)
        if before is None or level > before["backed"]:
            pending = await state(services, conn, row, Ground("attested", level, evidence))
            await events.tell(
                conn, account, "claim-level", None, f"the registry attests claim level {level}: {evidence}"
            )
        elif level == before["backed"] and before["evidence"] == evidence:
            pending = before["pending"]
        else:
            raise Conflict(f"expected a level above {before['backed']}, got {level}")
    return await translog.wait(services.database, pending)


async def locked(conn: Connection, account: UUID) -> Row:
    """Return the row of ``account``, whose level stands still until COMMIT; raises ``NotFound``."""
    row = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
    if row is None or row["genesis"] is None:
        raise NotFound("there is no such artist or organisation")
    return row


async def state(services: Services, conn: Connection, row: Row, ground: Ground) -> int:
    """Return the pending id of the ``claim`` statement that says what ``ground`` makes of the locked account ``row``.

    The level is that of its best ground, so one that goes lowers it to the next best.
    """
    account, level = row["id"], ground.backed
    if ground.basis != "attested":
        level = max(level, await conn.fetchval(queries.ATTESTED_LEVEL, account))
    else:
        level = max(level, await conn.fetchval(queries.PROVEN_LEVEL, account))
    subject = identifiers.from_uuid(row["kind"], account)
    claim = Claim(services.keys.ref, subject, row["genesis"], level, ground.evidence, times.to_text(times.now()))
    sealed = envelopes.encode(envelopes.seal(claim, await services.keys.hold(conn, "office")))
    pending = await translog.submit(conn, "claim", identifiers.new_id("stm"), sealed, account)
    await conn.execute(queries.ADD_LEVEL, account, level, ground.evidence, pending, ground.basis, ground.backed)
    if level != row["level"]:
        await conn.execute(queries.SET_LEVEL, account, level)
        for changed in on_level_change:
            await changed(conn, account)
    elif ground.basis == "domain":
        for changed in on_domain_change:
            await changed(conn, account)
    return pending
