"""What steps of disputes are called, on the pages of parties and of operators."""

from __future__ import annotations

from licet.statements.kinds import DisputeStep


def label_of(step: str, payload: DisputeStep | None) -> str:
    """Return which words say what was done: ``dispute_step_…`` of the room's; None: the document was erased."""
    if payload is None:
        return step
    decided = {"decide": payload.outcome, "review": f"review_{payload.outcome}"}
    return payload.position or decided.get(step) or step
