"""Disputes, compared with what was signed: each step, how it ended, and what its charge came to."""

from __future__ import annotations

from typing import Final

from licet import identifiers
from licet.statements import envelope as envelopes
from licet.statements.kinds import DisputeStep
from registry.database import Connection, Row
from registry.disputes import queries

_PREFETCH: Final = 500


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
    return wrong + [
        f"dispute {identifiers.from_uuid('dsp', row['id'])}: {row['outcome'] or 'open'}: expected a charge that is "
        f"contested and decided alike, got {row['charge']}"
        for row in await conn.fetch(queries.UNHELD)
    ]


def _step(row: Row) -> list[str]:
    sealed = envelopes.parse(row["envelope"])
    payload = envelopes.read_as(DisputeStep, sealed)
    work = row["work"] is not None
    decided = row["step"] == "decide"
    by = ("opr", row["ended_by"]) if decided else (row["step_kind"], row["account"])
    position = row["position"] and payload.position  # null where a service of a release before took the answer
    signed = (
        payload.step, payload.dispute, payload.subject, payload.document, payload.account, payload.outcome, position,
    )  # fmt: skip
    kept = (
        row["step"],
        identifiers.from_uuid("dsp", row["dispute"]),
        identifiers.from_uuid("wrk" if work else "tra", row["work"] if work else row["transfer"]),
        None if row["step"] == "open" else row["opening"].hex(),
        identifiers.from_uuid(*by),
        row["outcome"] if decided else None,
        row["position"],
    )
    if (kept, row["digest"].hex()) == (signed, sealed.payload_digest):
        return []
    return [f"dispute step {identifiers.from_uuid('stm', row['id'])}: expected what was signed, got {kept}"]
