"""What is so at this moment about some works: their records, whose they are, and which licences the caller holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from licet import identifiers
from licet.errors import InputError
from licet.index import WorkRecord
from licet.statements.kinds import LicenceLine, Use
from licet.wire.licensing import LeftOut, WorkWanted
from registry import consent
from registry.database import Connection
from registry.licensing import queries
from registry.licensing.offers import AS_STATED, Offers, Taking, covering_keys, request_of, terms_hash, use_key
from registry.splits.sharing import awaiting


@dataclass(frozen=True)
class Standing:
    """Everything that decides whether wanted works can be licensed, read in one transaction.

    ``held`` are licences of the organisation for exactly this use, by (work, terms hash); ``rivals`` are the records
    of works that contest a wanted one, by that one. Works that are ``awaiting`` a first split earn into escrow.
    """

    organisation: str
    use: Use
    at: datetime
    records: Mapping[UUID, WorkRecord]
    kinds: Mapping[UUID, str]
    held: Mapping[tuple[UUID, str], str]
    rivals: Mapping[UUID, Sequence[WorkRecord]]
    awaiting: Collection[UUID]

    def lines(
        self, wanted: Iterable[WorkWanted], taking: Taking = AS_STATED
    ) -> tuple[list[LicenceLine], list[LeftOut], datetime | None]:
        """Return what can be licensed, what not and why, and when the licence must end; in the order of ``wanted``."""
        offers = Offers(request_of(self.use, self.organisation, self.at), self.kinds, taking)
        lines: list[LicenceLine] = []
        left: list[LeftOut] = []
        ends: list[datetime] = []
        for each in wanted:
            work = identifiers.to_uuid(each.work, "wrk", field="work")
            record = self.records.get(work)
            offered = self._offered(offers, work, record, each)
            if record is None or isinstance(offered, str):
                left.append(LeftOut(each.work, offered if isinstance(offered, str) else "unknown"))
                continue
            lines.append(offered)
            end = offers.end(record, self.at)
            if end is not None:
                ends.append(end)
        return lines, left, min(ends, default=None)

    def _offered(self, offers: Offers, work: UUID, record: WorkRecord | None, wanted: WorkWanted) -> LicenceLine | str:
        if record is None:
            return "unknown"
        held = self.held.get((work, terms_hash(record)))
        if held is not None:
            return f"licensed:{held}"
        if identifiers.from_uuid("stm", UUID(bytes=record.statement)) != wanted.statement:
            return "changed"
        for rival in self.rivals.get(work, ()):
            stricter = offers.refusal(rival, wanted.match)
            if stricter is not None:  # between two claims to one picture the strictest applies (semantics 6)
                return stricter
        line = offers.line(record, wanted.match)
        if work in self.awaiting and not isinstance(line, str):
            return msgspec.structs.replace(line, escrow=True)
        return line


async def standing(
    conn: Connection, organisation: UUID, licensee: str, use: Use, works: Sequence[UUID], at: datetime
) -> Standing:
    """Return how ``works`` stand now for an organisation that would use them in this way."""
    records = await consent.current(conn, works)
    pairs = await consent.rivals(conn, [work for work, record in records.items() if record.contested])
    others = await consent.current(conn, {pair.rival for pair in pairs}) if pairs else {}
    rivals: dict[UUID, list[WorkRecord]] = {}
    for pair in pairs:
        rivals.setdefault(pair.work, []).append(others[pair.rival])
    owners = {UUID(bytes=record.account) for record in records.values()}
    rows = await conn.fetch(queries.HELD, organisation, list(works), use_key(use), covering_keys(use), at)
    held = {(row["work"], row["terms_hash"].hex()): identifiers.from_uuid("lic", row["id"]) for row in rows}
    unsigned = await awaiting(conn, owners, records)
    return Standing(licensee, use, at, records, await account_kinds(conn, owners), held, rivals, unsigned)


async def account_kinds(conn: Connection, accounts: Collection[UUID]) -> dict[UUID, str]:
    """Return the kind (``art``, ``org``) of each account that exists: how its identifier begins."""
    rows = await conn.fetch(queries.KINDS, list(accounts)) if accounts else []
    return {row["id"]: row["kind"] for row in rows}


def work_ids(wanted: Sequence[WorkWanted]) -> list[UUID]:
    """Return the works that are wanted, each once; raises ``InputError`` for one twice, or for what is no work."""
    works = [identifiers.to_uuid(each.work, "wrk", field=f"works[{place}].work") for place, each in enumerate(wanted)]
    if len(set(works)) != len(works):
        raise InputError.field("works", "each work once", "one of them twice")
    return works
