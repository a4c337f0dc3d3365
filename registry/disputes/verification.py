"""Disputes, compared with what was signed: each step, how it ended, and what its charge came to."""

from __future__ import annotations

from typing import Final

import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import OF_OFFICE
from registry.database import Connection, Row
from registry.disputes import queries

_PREFETCH: Final = 500
_ENDS: Final = ("accept", "review", "end")


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words; an empty list when every step is as it was signed and carried out."""
    wrong = []
    async for row in conn.cursor(queries.ALL_STEPS, prefetch=_PREFETCH):
        if row["envelope"] is not None:  # else erased
            wrong += _step(row)
    wrong += [
        f"dispute {identifiers.from_uuid('dsp', row['id'])}: expected what opened it, and what ended it"
        for row in await conn.fetch(queries.WITHOUT)
    ]
    wrong += [
        f"dispute {identifiers.from_uuid('dsp', row['id'])}: expected what it holds to be kept as held until it ends"
        for row in await conn.fetch(queries.UNLATCHED)
    ]
    return wrong + [
        f"dispute {identifiers.from_uuid('dsp', row['id'])}: {row['outcome'] or 'open'}: expected a charge that is "
        f"contested and decided alike, got {row['charge']}"
        for row in await conn.fetch(queries.UNHELD)
    ]


def _step(row: Row) -> list[str]:
    sealed = envelopes.parse(row["envelope"])
    payload = envelopes.read_as(DisputeStep, sealed)
    work = row["work"] is not None
    step, decided = row["step"], row["step"] == "decide"
    office = row["ended_by"] if step == "review" or row["decided"] is None else row["decided_by"]
    by = ("opr", office) if step in OF_OFFICE else (row["step_kind"], row["account"])
    outcome = row["decided"] or row["outcome"] if decided else row["outcome"] if step in _ENDS else None
    until = None if payload.appeal_until is msgspec.UNSET else payload.appeal_until
    position = row["position"] and payload.position  # null where a service of a release before took the answer
    signed = (
        payload.step, payload.dispute, payload.subject, payload.document, payload.account, payload.outcome, position,
        until,
    )  # fmt: skip
    kept = (
        step,
        identifiers.from_uuid("dsp", row["dispute"]),
        identifiers.from_uuid("wrk" if work else "tra", row["work"] if work else row["transfer"]),
        None if step == "open" else row["opening"].hex(),
        identifiers.from_uuid(*by),
        outcome,
        row["position"],
        times.to_text(row["appeal_until"]) if decided and row["appeal_until"] else None,
    )
    if (kept, row["digest"].hex()) == (signed, sealed.payload_digest):
        return []
    return [f"dispute step {identifiers.from_uuid('stm', row['id'])}: expected what was signed, got {kept}"]
