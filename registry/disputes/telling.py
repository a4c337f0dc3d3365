"""A dispute as it is told: to whoever asks, and to both parties when the office did something."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from licet import identifiers, times
from licet.wire.disputes import DisputeInfo
from registry.accounts import events
from registry.database import Connection, Row


async def tell_both(conn: Connection, row: Row, kind: str, dispute: str, told: str) -> None:
    """Let both parties read of what the office did."""
    for account in (row["account"], row["against"]):
        await events.tell(conn, account, kind, dispute, told)


class Named(NamedTuple):
    """A dispute, what it is about, and the document that opened it, as each step names them."""

    dispute: str
    subject: str
    document: str


def named(row: Row) -> Named:
    """Return how the steps of a dispute name it."""
    kind, about = ("tra", row["transfer"]) if row["work"] is None else ("wrk", row["work"])
    return Named(identifiers.from_uuid("dsp", row["id"]), identifiers.from_uuid(kind, about), row["digest"].hex())


def info_of(row: Row, answered_until: datetime) -> DisputeInfo:
    """Return a dispute as it is told; it is decided from ``answered_until`` on, or once it was answered."""
    dispute, subject, document = named(row)
    return DisputeInfo(
        dispute=dispute,
        account=identifiers.from_uuid(row["kind"], row["account"]),
        against=identifiers.from_uuid(row["against_kind"], row["against"]),
        subject=subject,
        state=row["state"],
        document=document,
        holds=row["holds"],
        opened_at=times.to_text(row["opened_at"]),
        decided_after=times.to_text(answered_until),
        ended_at=_text(row["ended_at"]),
        log_index=row["index"],
        decided=row["decided"],
        decided_at=_text(row["decided_at"]),
        decided_by=None if row["decided_by"] is None else identifiers.from_uuid("opr", row["decided_by"]),
        appeal_until=_text(row["appeal_until"]),
        appealed_at=_text(row["appealed_at"]),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else times.to_text(at)
