"""Disputes, compared with what was signed: each step, how it ended, and what its charge came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import OF_OFFICE
from registry import translog
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
    wrong += await _lasted(conn)
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


async def _lasted(conn: Connection) -> list[str]:
    """Whoever lost had the time to appeal that was signed, and what the service was off meanwhile; no more, no less."""
    rows = await conn.fetch(queries.APPEALABLE)
    now = times.now()
    silences = await translog.silences(conn, rows[0]["index"], now) if rows else []
    wrong = []
    for row in rows:
        signed = envelopes.read_as(DisputeStep, envelopes.parse(row["envelope"])).appeal_until
        if signed is msgspec.UNSET:
            continue  # `_step` says so
        off = [(began, end) for began, end in silences if began >= row["at"] and began < (row["ended"] or now)]
        most = times.from_text(signed) + sum((end - began for began, end in off), timedelta(0))
        until = row["appeal_until"]
        if not times.from_text(signed) <= until <= most or (row["ended"] is not None and row["ended"] < most):
            wrong.append(
                f"dispute {identifiers.from_uuid('dsp', row['id'])}: expected a time to appeal until {signed}, or "
                f"{times.to_text(most)} as the service was off, got {times.to_text(until)}"
            )
    return wrong


def _step(row: Row) -> list[str]:
    sealed = envelopes.parse(row["envelope"])
    payload = envelopes.read_as(DisputeStep, sealed)
    work = row["work"] is not None
    step, decided = row["step"], row["step"] == "decide"
    office = row["ended_by"] if step == "review" or row["decided"] is None else row["decided_by"]
    by = ("opr", office) if step in OF_OFFICE else (row["step_kind"], row["account"])
    outcome = row["decided"] or row["outcome"] if decided else row["outcome"] if step in _ENDS else None
    appealable = payload.appeal_until is not msgspec.UNSET  # until when: `_lasted`
    position = row["position"] and payload.position  # null where a service of a release before took the answer
    signed = (
        payload.step, payload.dispute, payload.subject, payload.document, payload.account, payload.outcome, position,
        appealable,
    )  # fmt: skip
    kept = (
        step,
        identifiers.from_uuid("dsp", row["dispute"]),
        identifiers.from_uuid("wrk" if work else "tra", row["work"] if work else row["transfer"]),
        None if step == "open" else row["opening"].hex(),
        identifiers.from_uuid(*by),
        outcome,
        row["position"],
        decided and row["appeal_until"] is not None,
    )
    if (kept, row["digest"].hex()) == (signed, sealed.payload_digest):
        return []
    return [f"dispute step {identifiers.from_uuid('stm', row['id'])}: expected what was signed, got {kept}"]
