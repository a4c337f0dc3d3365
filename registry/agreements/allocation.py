"""What agreements owe at the close of a month, in the ledger: one transfer a payee and currency of each licence.

It is posted in the last millisecond of the month. Fees, splits and escrow are those of uses (`licensing.accrual`). All
that it follows from is of months that have ended, and reports that are before the close in the log; a licence whose
transfers are there is left alone: so a close that is taken up again posts the same. A licence that cannot be priced is
told and left out, never in the way of a close; `licet-registry verify` names it.

What is trued up of earlier months is in the same transfers: a payee who was charged for too much is owed less, and may
owe what is left (a transfer the other way), at the standing and by the split of today. Nothing posted is changed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from licet import identifiers, money
from licet.audit.layout import period_of
from licet.errors import InputError
from licet.pricing import Owed
from licet.statements.agreed import REPORTED
from licet.statements.closes import (
    Divided,
    Outputs,
    Report,
    Term,
    missing_months,
    month_number,
    owed_at_close,
)
from licet.statements.kinds import LicenceLine, Weigh
from licet.statements.owed import fee_of
from licet.statements.periods import ALLOCATION
from licet.statements.splits import divide
from registry import ledger
from registry.accounts import events
from registry.agreements import queries
from registry.database import Connection, Row
from registry.ledger import Transfer, periods
from registry.licensing.accrual import Group, Shares, account_of, transfer_of
from registry.licensing.licences import line_of
from registry.licensing.owing import AT_CLOSE, OverLimit, hold
from registry.licensing.types import Posting
from registry.splits.sharing import awaiting, in_force

_MOMENT: Final = timedelta(milliseconds=1)  # a transfer's id begins with its millisecond

log = structlog.get_logger("registry.agreements")


class Agreement(NamedTuple):
    """A licence that owes at closes: whose it is, how long it runs, what its fee is, and what gives works weight.

    ``reported``: something that it owes follows from reports.
    """

    licence: UUID
    organisation: UUID
    fee_bps: int
    term: Term
    weigh: Weigh
    reported: bool

    @property
    def name(self) -> str:
        """The licence as statements name it."""
        return identifiers.from_uuid("lic", self.licence)


class Basis(NamedTuple):
    """All that what an agreement owes follows from, and which works earn into escrow now; ``term`` says, too, which
    works were revoked."""

    term: Term
    lines: list[LicenceLine]
    outputs: Outputs
    divided: Divided
    escrow: dict[str, bool]


class Charge(NamedTuple):
    """A transfer at a close, whether it goes into escrow, and each work's amount and part of the fee."""

    transfer: Transfer
    escrow: bool
    works: Sequence[tuple[UUID, int, int]]


async def allocate(conn: Connection, period: str) -> int:
    """Return how many transfers this call posted: what every agreement owes at the close of ``period`` is there.

    Whoever owes a report is told so. Whoever calls may post into ``period``, which has ended
    (`registry.ledger.periods.closing`).
    """
    end = periods.first_moment(period_of(period).end)
    already = {row["source"] for row in await conn.fetch(queries.ALREADY, period)}
    posted = 0
    for row in await conn.fetch(queries.ALLOCATING, end):
        found = agreement_of(row)
        if found.name in already:
            continue
        basis = await basis_of(conn, found)
        try:
            charges = await _charges(conn, found, period, basis)
        except InputError as error:
            log.exception("allocation.failed", licence=found.name, period=period, reason=error.message)
            continue
        except OverLimit as error:
            log.exception("allocation.over_limit", licence=found.name, period=period, reason=error.detail)
            continue
        posted += len(await ledger.post(conn, [each.transfer for each in charges]))
        held = [(each.transfer.key, *part) for each in charges if each.escrow for part in each.works]
        if held:
            await conn.execute(queries.KEEP_ESCROWED, *map(list, zip(*held, strict=True)))
        month = month_number(found.term.since, period)
        ran = basis.term.of_last(line.work for line in basis.lines if line.model in REPORTED)
        if found.reported and missing_months(ran, month, 1, basis.divided.reports):
            detail = f"no revenue was reported of {period}: the least is owed, and the rest once it is reported"
            await events.tell(conn, found.organisation, "revenue-missing", found.name, detail)
    return posted


async def basis_of(conn: Connection, found: Agreement, more: Sequence[Report] = ()) -> Basis:
    """Return what every close follows from, with reports that are not there yet after all others.

    What was used or reported after a close changes nothing of what it owes.
    """
    since = found.term.since
    rows = await conn.fetch(queries.ALLOCATED, found.licence)
    outputs: dict[str, dict[int, int]] = defaultdict(dict)
    uses: dict[str, dict[int, int]] = defaultdict(dict)
    for each in await conn.fetch(queries.USED, found.licence):
        to = outputs if each["unit"] == "output" else uses
        to[identifiers.from_uuid("wrk", each["work"])][month_number(since, each["month"])] = int(each["quantity"])
    reports = [report_of(each, since) for each in await conn.fetch(queries.REPORTS, found.licence)]
    revoked = await conn.fetch(queries.REVOKED, found.licence)
    waiting = await awaiting(conn, {row["account"] for row in rows}, {row["work"] for row in rows})
    return Basis(
        found.term._replace(revoked={identifiers.from_uuid("wrk", each["work"]): each["over_at"] for each in revoked}),
        await asyncio.to_thread(lambda: [line_of(row) for row in rows]),
        outputs,
        Divided([*reports, *more], uses, found.weigh),
        {identifiers.from_uuid("wrk", row["work"]): row["held_back"] or row["work"] in waiting for row in rows},
    )


async def owed_in(found: Agreement, period: str, basis: Basis) -> list[Owed]:
    """Return what ``found`` owes at the close of ``period``; raises ``InputError`` where that cannot be computed."""
    month = month_number(found.term.since, period)
    return await asyncio.to_thread(owed_at_close, basis.lines, basis.term, month, basis.outputs, basis.divided)


def agreement_of(row: Row) -> Agreement:
    """Return the agreement of a row of `queries.ALLOCATING`."""
    term = Term(row["since"], row["granted_at"], row["valid_until"])
    return Agreement(row["id"], row["organisation"], row["fee_bps"], term, row["weigh"], row["reported"])


def report_of(row: Row, since: datetime) -> Report:
    """Return the report of a row of `queries.REPORTS`, with months counted from ``since``."""
    return Report(
        month_number(since, row["period"]),
        month_number(since, row["counts_at"]),
        *(msgspec.json.decode(row[name], type=dict[str, int]) for name in ("revenue", "pool", "weights")),
    )


def charges_of(posting: Posting, period: str, owed: Iterable[Owed], escrow: Mapping[str, bool], fee_bps: int,
               shared: Shares) -> list[Charge]:  # fmt: skip
    """Return the charges of all that ``owed`` come to: one a payee or split, currency and standing.

    Raises ``InputError`` for a sum that money cannot hold.
    """
    gross: dict[Group, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    by_name = {each.name: each for each in shared.values()}
    for each in owed:
        if not each.amount or each.currency is None:
            continue
        work = identifiers.to_uuid(each.work)
        sharing = shared.get(work)
        gross[each.payee if sharing is None else sharing.name, each.currency, escrow[each.work]][work] += each.amount
    found = []
    for group, works in sorted(gross.items()):
        amount = sum(works.values())
        if not amount:
            continue
        if abs(amount) > money.LARGEST:
            raise InputError.field("totals", f"at most {money.to_decimal(money.LARGEST)} {group[1]}", amount)
        fee = fee_of(amount, fee_bps)
        split = by_name.get(group[0])
        parts = {group[0]: amount - fee} if split is None else divide(amount - fee, split.shares)
        key = f"{posting.source}/{period}/{account_of(group[0], escrow=group[2])}/{group[1]}"
        made = transfer_of(posting, group, amount, fee, parts)
        transfer = msgspec.structs.replace(made, key=key, kind=ALLOCATION, memo=period)
        found.append(Charge(transfer, group[2], _spread(works, fee_bps)))
    return found


def _spread(works: Mapping[UUID, int], fee_bps: int) -> list[tuple[UUID, int, int]]:
    """Return each work with its amount and its part of the fee: in their order, what the running sum's fee grows by."""
    parts, before = [], 0
    for work, amount in sorted(works.items()):
        after = before + amount
        parts.append((work, amount, fee_of(after, fee_bps) - fee_of(before, fee_bps)))
        before = after
    return parts


async def _charges(conn: Connection, found: Agreement, period: str, basis: Basis) -> list[Charge]:
    owing = [each for each in await owed_in(found, period, basis) if each.amount]
    if not owing:
        return []
    shared = await in_force(conn, {identifiers.to_uuid(each.work) for each in owing})
    licensee = identifiers.from_uuid("org", found.organisation)
    end = periods.first_moment(period_of(period).end)
    posting = Posting(found.name, found.organisation, licensee, None, end - _MOMENT, AT_CLOSE)
    charges = charges_of(posting, period, owing, basis.escrow, found.fee_bps, shared)
    await hold(conn, licensee, [each.transfer for each in charges], posting.limit)
    return charges
