"""Decisions: by an operator who is no party, signed by the registry's office, carried out in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.disputes import ANSWERED_WITHIN, draft_decision
from licet.wire.common import Receipt
from registry import translog
from registry.accounts import events
from registry.consent.queries import LOCK_HEAD
from registry.disputes import queries, words
from registry.disputes.service import end, keep, opening_of
from registry.disputes.subjects import hold_evidence
from registry.errors import Conflict, Invalid, NotFound
from registry.services import Services
from registry.settlement import escrow
from registry.settlement.queries import LOCK


async def decide(
    services: Services,
    dispute: str,
    operator: str,
    outcome: Literal["upheld", "dismissed"],
    text: str,
    evidence: Sequence[str] = (),
) -> Receipt:
    """Return once the decision is in the published log, and what was held is where it says.

    The other party must have answered, or its 14 days be over. The same decision again has no second effect. Raises
    ``NotFound``, ``Invalid`` naming the field, and ``Conflict`` for one that was decided otherwise, or is not yet to be
    decided.
    """
    number = identifiers.to_uuid(dispute, "dsp", field="dispute")
    try:
        by = identifiers.to_uuid(operator, "opr", field="by")
    except InputError:
        raise Invalid.field("by", "an operator, opr_…, who is no party", operator) from None
    pending = await _decided(services, number, by, operator, outcome, text, evidence)
    receipt = await translog.wait(services.database, pending)
    await escrow.settle(services, times.now())  # else the loop does, within ten minutes
    return receipt


async def _decided(
    services: Services, number: UUID, by: UUID, operator: str, outcome: Literal["upheld", "dismissed"], text: str,
    evidence: Sequence[str],
) -> int:  # fmt: skip
    async with services.database.transaction() as conn:
        await conn.execute(LOCK)
        row = await conn.fetchrow(queries.SEEN, None, number)
        if row is None:
            raise NotFound(f"there is no dispute {identifiers.from_uuid('dsp', number)}")
        if await conn.fetchval(queries.OPERATOR, by) is None:
            raise NotFound(f"there is no operator {operator}")
        steps = {each["step"]: each["pending"] for each in await conn.fetch(queries.STEPS, number)}
        if row["outcome"] == outcome and "decide" in steps:
            known: int = steps["decide"]
            return known
        if row["outcome"] is not None:
            raise Conflict(f"the dispute has ended: {row['outcome']}")
        now = times.now()
        if "answer" not in steps and now < row["opened_at"] + ANSWERED_WITHIN:
            until = times.to_text(row["opened_at"] + ANSWERED_WITHIN)
            raise Conflict(f"the other party can answer until {until}: decide after that, or after its answer")
        opening = await opening_of(conn, row)
        if opening is None:
            raise Conflict("what opened the dispute was erased")
        payload = draft_decision(
            opening, row["digest"].hex(), operator=operator, outcome=outcome, text=text, evidence=evidence
        )
        await hold_evidence(conn, payload)
        if row["work"] is not None:
            await conn.fetchrow(LOCK_HEAD, row["against"])
        sealed = envelopes.seal(payload, await services.keys.hold(conn, "office"))
        statement, pending = await keep(conn, number, payload, sealed, None)
        digest = bytes.fromhex(sealed.payload_digest)
        await conn.execute(queries.KEEP_STEP, statement, number, "decide", None, digest, None, pending)
        await end(services, conn, row, outcome, now, by)
        for account in (row["account"], row["against"]):
            await events.tell(
                conn, account, "dispute-decided", payload.dispute, words.decided(payload.dispute, outcome)
            )
        return pending
