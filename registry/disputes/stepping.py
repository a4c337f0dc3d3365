"""What the parties do in a dispute that is open: answer, take back; once it is decided, appeal or accept.

Each step once, and signed by whoever may take it: whoever opened the dispute takes it back, the other party answers,
whoever lost appeals or accepts. What was decided is not taken back; who lost accepts it, also after an appeal.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.statements.disputes import REVIEWED_WITHIN
from licet.statements.envelope import Envelope
from licet.statements.kinds import DisputeStep
from licet.wire.disputes import DisputeAccepted
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.consent.queries.statements import LOCK_HEAD
from registry.database import Connection, Row
from registry.disputes import queries, words
from registry.disputes.lasting import appeal_until
from registry.disputes.service import Kept, accepted, end, keep, seen, taken
from registry.disputes.subjects import hold_evidence
from registry.disputes.telling import named
from registry.errors import Conflict, Invalid, NotAllowed
from registry.services import Services
from registry.settlement.queries import LOCK
from registry.splits.intake import opened

STEPS: Final = ("answer", "withdraw", "appeal", "accept")
_WHOSE: Final = {
    "answer": "the other party answers",
    "withdraw": "whoever opened it takes a dispute back",
    "appeal": "whoever lost appeals a decision",
    "accept": "whoever lost accepts a decision",
}
_ENDS: Final = ("withdraw", "accept")


async def take_step(services: Services, caller: Caller, dispute: UUID, envelope: Envelope) -> DisputeAccepted:
    """Return once the step of a party is in the published log; the same step again has no second effect.

    Raises ``NotFound``, ``MalformedError`` and ``Invalid`` naming the field, ``NotAllowed`` for the other party's step,
    and ``Conflict`` for one that comes too early or too late, or twice.
    """
    kept = await services.database.run(partial(_step, services, caller, dispute, envelope))
    return await accepted(services, caller, kept)


async def _step(services: Services, caller: Caller, dispute: UUID, envelope: Envelope, conn: Connection) -> Kept:
    await conn.execute(LOCK)
    digest = bytes.fromhex(envelope.payload_digest)
    known = await taken(conn, caller, digest)
    row = await seen(conn, caller.account, dispute)
    if known is not None and known.dispute == dispute:
        return known
    payload = await opened(conn, DisputeStep, envelope, caller, services.keys.ref)
    _hold_to(payload, row)
    await hold_evidence(conn, payload)
    if payload.step not in STEPS:
        raise Invalid.field("step", f"{', '.join(STEPS[:-1])} or {STEPS[-1]}", payload.step)
    now = times.now()
    if payload.step == "appeal" and row["state"] == "decided":
        await appeal_until(conn, row, now)
        row = await seen(conn, caller.account, dispute)
    _hold_allowed(payload, row, caller, now)
    if row["work"] is not None and payload.step in _ENDS:
        await conn.fetchrow(LOCK_HEAD, row["against"])
    statement, pending = await keep(conn, dispute, payload, envelope, caller.account)
    kept = (statement, dispute, payload.step, payload.position, digest, caller.account, pending)
    await conn.execute(queries.KEEP_STEP, *kept)
    if payload.step == "withdraw":
        await end(services, conn, row, "withdrawn", now)
    elif payload.step == "accept":
        await end(services, conn, row, row["decided"], now, row["decided_by"])
    elif payload.step == "appeal":
        await conn.execute(queries.APPEAL, dispute, now)
    other = row["against"] if caller.account == row["account"] else row["account"]
    kind, told = _told(payload, caller.id, now)
    await events.tell(conn, other, kind, payload.dispute, told)
    return Kept(dispute, identifiers.from_uuid("stm", statement), pending)


def _hold_to(payload: DisputeStep, row: Row) -> None:
    for field, expected in named(row)._asdict().items():
        if getattr(payload, field) != expected:
            raise Invalid.field(field, expected, getattr(payload, field))
    if payload.step == "accept" and row["decided"] is not None and payload.outcome != row["decided"]:
        raise Invalid.field("outcome", f"what was decided, {row['decided']}", payload.outcome)


def _hold_allowed(payload: DisputeStep, row: Row, caller: Caller, now: datetime) -> None:
    if payload.step in ("appeal", "accept"):
        if row["outcome"] is None and row["decided"] is None:
            raise Conflict("nothing was decided yet")
        by = row["against"] if (row["decided"] or row["outcome"]) == "upheld" else row["account"]
    else:
        by = row["account"] if payload.step == "withdraw" else row["against"]
    if caller.account != by:
        raise NotAllowed(f"only {_WHOSE[payload.step]}")
    if row["outcome"] is not None:
        raise Conflict(f"the dispute has ended: {row['outcome']}")
    if payload.step == "answer" and row["state"] == "answered":
        raise Conflict("the dispute was answered already")
    if payload.step in ("answer", "withdraw") and row["decided"] is not None:
        raise Conflict(f"it was decided already: {row['decided']}; whoever lost appeals or accepts")
    if payload.step == "appeal" and row["appealed_at"] is not None:
        raise Conflict("the decision was appealed already")
    if payload.step == "appeal" and now >= row["appeal_until"]:
        raise Conflict(f"the decision could be appealed until {times.to_text(row['appeal_until'])}")


def _told(payload: DisputeStep, who: str, now: datetime) -> tuple[str, str]:
    """Return of which kind an event is that tells the other party, and what it says."""
    if payload.step == "withdraw":
        return "dispute-withdrawn", words.withdrawn(who, payload.dispute)
    if payload.step == "appeal":
        return "dispute-appealed", words.appealed(who, payload.dispute, now + REVIEWED_WITHIN)
    if payload.step == "accept":
        return "dispute-accepted", words.accepted(who, payload.dispute)
    return "dispute-answered", words.answered(who, payload.dispute, payload.position or "contest")
