"""Decisions by operators who are no party, signed by the registry's office: the first, and the review after an appeal.

A first decision moves nothing: whoever lost can appeal it. A work that is decided for whoever opened a dispute is held
from then on, whatever the claim levels. A review is by another operator, and carried out in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.disputes import APPEALED_WITHIN, draft_decision, draft_review
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import Outcome
from licet.wire.common import Receipt
from registry import translog
from registry.consent.conflicts import disputes_changed
from registry.consent.queries.statements import LOCK_HEAD
from registry.database import Connection, Row
from registry.disputes import queries, words
from registry.disputes.lasting import answer_times
from registry.disputes.service import end, keep, opening_of
from registry.disputes.subjects import hold_evidence
from registry.disputes.telling import tell_both
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from registry.services import Services
from registry.settlement import escrow
from registry.settlement.queries import LOCK


class _Asked(NamedTuple):
    """What an operator decides."""

    dispute: UUID
    operator: UUID
    outcome: Outcome
    text: str
    evidence: Sequence[str]

    @property
    def by(self) -> str:
        return identifiers.from_uuid("opr", self.operator)


async def decide(
    services: Services, dispute: str, operator: str, outcome: Outcome, text: str, evidence: Sequence[str] = ()
) -> Receipt:
    """Return once the decision is in the published log; what is held stays held until the dispute ends.

    The other party must have answered, or its 14 days be over (`answer_times`). Whoever loses by it can appeal for 14
    days from now on (`appeal_until`). The same decision again has no second effect. Raises ``NotFound``, ``Invalid``
    naming the field, and ``Conflict`` for one that was decided otherwise, or is not yet to be decided.
    """
    asked = _asked(dispute, operator, outcome, text, evidence)
    return await translog.wait(services.database, await _decided(services, asked))


async def review(
    services: Services, dispute: str, operator: str, outcome: Outcome, text: str, evidence: Sequence[str] = ()
) -> Receipt:
    """Return once the review of an appealed decision is in the published log, and what was held is where it says.

    The same review again has no second effect. Raises ``NotFound``, ``Invalid`` naming the field, ``NotAllowed`` for
    the operator who decided, and ``Conflict`` for what was not appealed, or has ended otherwise.
    """
    asked = _asked(dispute, operator, outcome, text, evidence)
    receipt = await translog.wait(services.database, await _reviewed(services, asked))
    await escrow.settle(services, times.now())  # else the loop does, within ten minutes
    return receipt


def _asked(dispute: str, operator: str, outcome: Outcome, text: str, evidence: Sequence[str]) -> _Asked:
    number = identifiers.to_uuid(dispute, "dsp", field="dispute")
    try:
        by = identifiers.to_uuid(operator, "opr", field="by")
    except InputError:
        raise Invalid.field("by", "an operator, opr_…, who is no party", operator) from None
    return _Asked(number, by, outcome, text, evidence)


async def _decided(services: Services, asked: _Asked) -> int:
    async with services.database.transaction() as conn:
        row, steps = await _locked(conn, asked)
        if (row["decided"] or row["outcome"]) == asked.outcome and "decide" in steps:
            return steps["decide"]
        if row["outcome"] is not None:
            raise Conflict(f"the dispute has ended: {row['outcome']}")
        if row["decided"] is not None:
            raise Conflict(f"it was decided already: {row['decided']}; whoever lost can appeal")
        now = times.now()
        if "answer" not in steps and now < (until := (await answer_times(conn, [row], now))[row["id"]]):
            raise Conflict(
                f"the other party can answer until {times.to_text(until)}: decide after that, or after its answer"
            )
        payload = draft_decision(
            await _opening(conn, row),
            row["digest"].hex(),
            operator=asked.by,
            outcome=asked.outcome,
            text=asked.text,
            evidence=asked.evidence,
            appeal_until=now + APPEALED_WITHIN,
        )
        if row["work"] is not None:
            await conn.fetchrow(LOCK_HEAD, row["against"])
        pending = await office_step(services, conn, row, payload)
        appeal_until = times.from_text(str(payload.appeal_until))  # as it was signed, to the millisecond
        await conn.execute(queries.DECIDE, asked.dispute, asked.outcome, now, asked.operator, appeal_until)
        if row["work"] is not None:
            await disputes_changed(conn, row["against"], [row["work"]])
        told = words.decided(payload.dispute, asked.outcome, appeal_until)
        await tell_both(conn, row, "dispute-decided", payload.dispute, told)
        return pending


async def _reviewed(services: Services, asked: _Asked) -> int:
    async with services.database.transaction() as conn:
        row, steps = await _locked(conn, asked)
        if row["outcome"] == asked.outcome and "review" in steps:
            return steps["review"]
        if row["outcome"] is not None:
            raise Conflict(f"the dispute has ended: {row['outcome']}")
        if row["appealed_at"] is None:
            raise Conflict("expected a decision that was appealed, got none")
        if not await conn.fetchval(queries.MAY_REVIEW, asked.dispute, asked.operator):
            raise NotAllowed("whoever decided does not review it: expected another operator")
        payload = draft_review(
            await _opening(conn, row),
            row["digest"].hex(),
            operator=asked.by,
            outcome=asked.outcome,
            text=asked.text,
            evidence=asked.evidence,
        )
        if row["work"] is not None:
            await conn.fetchrow(LOCK_HEAD, row["against"])
        pending = await office_step(services, conn, row, payload)
        await end(services, conn, row, asked.outcome, times.now(), asked.operator)
        told = words.reviewed(payload.dispute, asked.outcome, stands=row["decided"] == asked.outcome)
        await tell_both(conn, row, "dispute-reviewed", payload.dispute, told)
        return pending


async def office_step(services: Services, conn: Connection, row: Row, payload: DisputeStep) -> int:
    """Return the pending id of a step that the registry's office signs; raises ``Invalid`` for its evidence."""
    await hold_evidence(conn, payload)
    sealed = envelopes.seal(payload, await services.keys.hold(conn, "office"))
    statement, pending = await keep(conn, row["id"], payload, sealed, None)
    digest = bytes.fromhex(sealed.payload_digest)
    await conn.execute(queries.KEEP_STEP, statement, row["id"], payload.step, None, digest, None, pending)
    return pending


async def _locked(conn: Connection, asked: _Asked) -> tuple[Row, dict[str, int]]:
    """Return the dispute and the pending ids of its steps, under the lock of settlement; raises ``NotFound``."""
    await conn.execute(LOCK)
    row = await conn.fetchrow(queries.SEEN, None, asked.dispute)
    if row is None:
        raise NotFound(f"there is no dispute {identifiers.from_uuid('dsp', asked.dispute)}")
    if await conn.fetchval(queries.OPERATOR, asked.operator) is None:
        raise NotFound(f"there is no operator {asked.by}")
    return row, {each["step"]: each["pending"] for each in await conn.fetch(queries.STEPS, asked.dispute)}


async def _opening(conn: Connection, row: Row) -> DisputeStep:
    opening = await opening_of(conn, row)
    if opening is None:
        raise Conflict("what opened the dispute was erased")
    return opening
