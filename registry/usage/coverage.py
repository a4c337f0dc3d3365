"""What each reported use is owed: its licence's line says, or nothing covers it and it is a memorandum.

Use outside a licence is recorded, never dropped and never charged: what it costs is for people to settle
(semantics 20).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from licet import identifiers, money
from licet.errors import MalformedError
from licet.statements.kinds import LicenceLine
from licet.statements.owed import begins, owed
from licet.terms import intern
from registry.database import Connection, Row
from registry.licensing.licences import line_of
from registry.licensing.types import Accrual, Reported
from registry.usage import queries
from registry.usage.outside import Outside, outside
from registry.usage.refusals import InvalidEvents

Pair = tuple[UUID, UUID]  # licence or statement, work


@dataclass(frozen=True, slots=True)
class Cover:
    """A line of a licence that the organisation holds, and how its work stands now."""

    line: LicenceLine
    artist: UUID
    atoms: frozenset[str]
    first_run: str
    fee_bps: int
    begins: datetime
    ends: datetime | None
    escrow: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known about the works, licences and statements that events name."""

    covers: Mapping[Pair, Cover]
    stated: Mapping[Pair, bytes]  # terms
    owners: Mapping[UUID, tuple[UUID, str]]  # of works used without a licence
    outside: Outside

    def accruals(self, events: Sequence[Reported]) -> list[Accrual]:
        """Return what ``events`` come to; raises ``InvalidEvents`` for an amount beyond 2^53 micro-units."""
        found = [self._accrual(each) for each in events]
        for place, each in enumerate(found):
            if abs(each.amount) > money.LARGEST:
                quantity = events[place].event.quantity
                raise InvalidEvents.field(f"events[{place}].quantity", "an amount that money can hold", quantity)
        return found

    def claims(self, events: Sequence[Reported]) -> Iterator[tuple[str | None, str, int]]:
        """Yield currency, work and micro-units of what the licences' lines alone say: what an organisation signs for.

        A line says nothing of whether its licence has ended, so a late use is signed for and then recorded without
        charge.
        """
        for event, _, source, work, _ in events:
            cover = None if event.licence is None else self.covers.get((source, work))
            amount = None if cover is None else owed(cover.line, event, cover.first_run)
            if cover is not None and amount is not None:
                yield cover.line.currency, event.work, amount

    def _accrual(self, reported: Reported) -> Accrual:
        event = reported.event
        if event.licence is None:
            return self._free(reported, self._permission(reported))
        cover = self.covers.get((reported.source, reported.work))
        if cover is None:
            return self._free(reported, "not-covered")
        amount = owed(cover.line, event, cover.first_run)
        memorandum = None
        if event.atom not in cover.atoms:
            memorandum = "use"
        elif cover.ends is not None and reported.at >= cover.ends:
            memorandum = "ended"
        elif reported.at < cover.begins:
            memorandum = "early"
        elif amount is None:
            memorandum = "unit"
        memorandum = memorandum or self.outside.why(reported)
        charged = 0 if memorandum is not None or amount is None else amount
        return Accrual(
            reported,
            cover.artist,
            cover.line.account,
            None if memorandum is not None else cover.line.currency,
            charged,
            cover.fee_bps,
            cover.escrow,
            memorandum,
        )

    def _permission(self, reported: Reported) -> str | None:
        """Return None where the statement lets anybody use the work in this way, else why it is a memorandum."""
        return permission(self.stated.get((reported.source, reported.work)), reported.event.atom)

    def _free(self, reported: Reported, memorandum: str | None) -> Accrual:
        artist, payee = self.owners.get(reported.work, (None, ""))
        if artist is None and memorandum is not None:
            memorandum = "unknown-work"
        return Accrual(reported, artist, payee, None, 0, 0, escrow=False, memorandum=memorandum)


def permission(encoded: bytes | None, atom: str) -> str | None:
    """Return None where the terms, if there are any, let anybody use a work in this way, else why they do not."""
    try:
        rule = None if encoded is None else intern(encoded).rules.get(atom)
    except MalformedError:
        rule = None
    if rule is None:
        return "not-covered"
    return None if rule.permission == "allow" else "use"


async def coverage(conn: Connection, organisation: UUID, events: Sequence[Reported]) -> Coverage:
    """Return what the organisation's licences, and the statements that events name, say about the works used."""
    licensed = {(each.source, each.work) for each in events if each.event.licence is not None}
    stated = {(each.source, each.work) for each in events if each.event.licence is None}
    named = {each.source for each in events if each.event.licence is not None}
    beyond = await outside(conn, organisation, named, {each.event.run for each in events})
    covers = await asyncio.to_thread(_covers, await conn.fetch(queries.COVERED, organisation, *_columns(licensed)))
    terms = await conn.fetch(queries.STATED, *_columns(stated)) if stated else []
    others = {work for _, work in (licensed - covers.keys()) | stated}
    owners = await conn.fetch(queries.OWNERS, list(others)) if others else []
    return Coverage(
        covers,
        {(row["statement"], row["work"]): row["encoded"] for row in terms},
        {row["id"]: (row["account"], identifiers.from_uuid(row["kind"], row["account"])) for row in owners},
        beyond,
    )


def _columns(pairs: set[Pair]) -> tuple[list[UUID], list[UUID]]:
    return [source for source, _ in pairs], [work for _, work in pairs]


def _covers(rows: Sequence[Row]) -> dict[Pair, Cover]:
    return {
        (row["licence"], row["work"]): Cover(
            line=line_of(row),
            artist=row["account"],
            atoms=frozenset(row["atoms"]),
            first_run=row["run"],
            fee_bps=row["fee_bps"],
            begins=begins(row["issued_at"]),
            ends=row["valid_until"],
            escrow=row["held_back"],
        )
        for row in rows
    }
