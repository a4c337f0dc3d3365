"""What a bundle needs so that whoever has it computes again what agreements owe at the close of its month.

Those that run in the month are in it, also where they were granted before. Outputs within bounds are owed for a while
of months: those of earlier ones come with proofs of their own. What corrections took back beyond a while is taken from
later ones, so where that happened all outputs since the grant come along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import UNSET

from licet import identifiers
from licet.statements.agreed import REPORTED, months_of
from licet.statements.closes import month_after, month_number
from licet.statements.kinds import LicenceLine
from licet.statements.owed import allocated
from registry.agreements import queries as agreement_queries
from registry.auditing import queries
from registry.auditing.types import Part, Span
from registry.database import Connection, Row
from registry.licensing.licences import line_of

_OUTPUT: Final = "per-output"


@dataclass
class Allotted:
    """Agreements of which something may be owed at the close of a month.

    ``licences`` are their rows, ``works`` those that they earn for, ``shared`` (licence, work) the account's whose
    part it is by a share alone, ``earlier`` (batch, use) the uses of earlier months that count, ``reports`` the
    rows of what was reported, ``revocations`` of what took works of them back, ``left_out`` those of charges that
    closes left out (`queries.LEFT_OUT`).
    """

    licences: list[Row] = field(default_factory=list)
    works: set[UUID] = field(default_factory=set)
    shared: set[tuple[UUID, UUID]] = field(default_factory=set)
    earlier: set[tuple[UUID, bytes]] = field(default_factory=set)
    reports: list[Row] = field(default_factory=list)
    revocations: list[Row] = field(default_factory=list)
    left_out: list[Row] = field(default_factory=list)


async def allotted_in(conn: Connection, span: Span, part: Part) -> Allotted:
    """Return what of the agreements of ``span`` belongs into the bundle of ``part``."""
    found, seen = Allotted(), (part.account, part.uses)
    charged = [
        identifiers.to_uuid(row["source"], "lic")
        for row in await conn.fetch(agreement_queries.CHARGED_IN, span.period.name)
    ]
    waiting = [row["licence"] for row in await conn.fetch(agreement_queries.LEFT_OUT, None)]
    found.licences = await conn.fetch(
        queries.AGREEMENTS, *seen, span.start, span.until, charged + waiting, span.published
    )
    found.left_out = await conn.fetch(queries.LEFT_OUT, [each["id"] for each in found.licences], span.period.name)
    for licence in found.licences:
        months = [span.period.name, *(row["period"] for row in found.left_out if row["licence"] == licence["id"])]
        rows = await conn.fetch(queries.AGREED_LINES, *seen, licence["id"])
        lines = [line_of(row) for row in rows]
        if not any(allocated(line) for line in lines):
            continue
        works = [row["work"] for row in rows]
        found.works |= {*works}
        found.revocations += await conn.fetch(queries.REVOCATIONS, licence["id"], works, span.published)
        if part.id is not None and licence["organisation"] != part.account:
            found.shared |= {(licence["id"], row["work"]) for row in rows if row["account"] != part.account}
        reports = await conn.fetch(queries.REPORTS, [licence["id"]], span.published)
        if any(line.model in REPORTED for line in lines):
            found.reports += reports
        weighs = _weighs_from(months, licence, lines, reports)
        for start, uses in ((await _counts_from(conn, months, licence, lines), False), (weighs, True)):
            if start is not None and start < span.start:
                earlier = await conn.fetch(queries.EARLIER_USES, *seen, licence["id"], start, span.start, uses)
                found.earlier |= {(row["batch"], row["id"]) for row in earlier}
    return found


def _weighs_from(
    closes: Collection[str], licence: Row, lines: Iterable[LicenceLine], reports: Iterable[Row]
) -> datetime | None:
    """Return since when uses give works weight in what is divided at the closes of months; None where they do not.

    What is reported late of a window that has ended is divided by the uses of that window.
    """
    lengths = {_months(line) for line in lines if line.model in REPORTED}
    if licence["weigh"] != "use" or not lengths:
        return None
    since: datetime = licence["since"]
    told = {month_number(since, row["period"]) for row in reports if row["counts_at"] in closes}
    months = {*(month_number(since, close) for close in closes), *told}
    return month_after(since, min(month // length * length for month in months for length in lengths))


async def _counts_from(
    conn: Connection, closes: Iterable[str], licence: Row, lines: Iterable[LicenceLine]
) -> datetime | None:
    """Return since when outputs count at the closes of months; None where none do."""
    lengths = {_months(line) for line in lines if allocated(line) and line.model == _OUTPUT}
    since: datetime = licence["since"]
    months = [month_number(since, close) for close in closes]
    starts = [month + 1 - length for month in months for length in lengths if not (month + 1) % length]
    if not starts:
        return None
    start = month_after(since, min(starts))
    if await conn.fetchval(queries.OUTPUTS_TAKEN_BACK, licence["id"], start):
        return since
    return start


def _months(line: LicenceLine) -> int:
    period = None if line.agreed is UNSET else line.agreed.period
    return 1 if period is None else months_of(period)
