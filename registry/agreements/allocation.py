"""What agreements owe at the close of a month, in the ledger: one transfer a payee and currency of each licence.

It is posted in the last millisecond of the month. Fees, splits and escrow are those of uses (`licensing.accrual`). All
that it follows from is of months that have ended, and reports that are before the close in the log; a licence whose
transfers are there is left alone: so a close that is taken up again posts the same.

A licence that cannot be charged is left out, never in the way of a close, and kept in `allocations_left_out`. Each
close that follows tries it again and posts what it owes for that month into its own: months do not open again, and the
key names the month that it is for, so it is posted once. The months of an agreement are charged in their order: what is
trued up of one that was never charged would be owed the other way.

What is trued up of earlier months is in the same transfers: a payee who was charged for too much is owed less, and may
owe what is left (a transfer the other way), at the standing and by the split of today. Nothing posted is changed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from licet import identifiers, money, times
from licet.audit.layout import period_of
from licet.errors import InputError, LicetError
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
from licet.statements.periods import ALLOCATION, LESS
from licet.statements.splits import divide
from registry import ledger
from registry.accounts import events
from registry.agreements import queries
from registry.database import FATAL, Connection, Row
from registry.errors import RegistryError
from registry.ledger import Transfer, periods
from registry.licensing.accrual import Group, Shares, account_of, transfer_of
from registry.licensing.licences import line_of
from registry.licensing.owing import AT_CLOSE, hold
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
    """Return how many transfers this call posted: what every agreement owes at the close of ``period`` is there, and
    what it owes for months before that were left out at theirs; or why not is kept.

    Whoever owes a report is told so. Whoever calls may post into ``period``, which has ended
    (`registry.ledger.periods.closing`).
    """
    end = periods.first_moment(period_of(period).end)
    already = {row["source"] for row in await conn.fetch(queries.ALREADY, period)}
    agreements = {row["id"]: agreement_of(row) for row in await conn.fetch(queries.ALLOCATING, end)}
    due = [(agreements[row["licence"]], row["period"]) for row in await conn.fetch(queries.LEFT_OUT_BEFORE, period)]
    due += [(found, period) for found in agreements.values() if found.name not in already]
    posted, first_left = 0, dict[UUID, str]()
    for found, month in due:
        earlier = first_left.get(found.licence)
        if earlier is not None:
            await _leave_out(conn, found, month, period, f"what it owes for {earlier} is to be charged before")
            continue
        count = await _charge(conn, found, month, period)
        if count is None:
            first_left[found.licence] = month
        posted += count or 0
    return posted


async def _charge(conn: Connection, found: Agreement, month: str, into: str) -> int | None:
    """Return how many transfers say ``into`` a month what ``found`` owes for ``month``; None where it is left out."""
    try:
        async with conn.transaction():  # a savepoint: what fails of one takes nothing from the others
            posted = await _post(conn, found, month, into)
    except FATAL:
        raise
    except Exception as error:
        if not isinstance(error, RegistryError | LicetError):  # not refused, but a fault of ours: where it is
            log.exception("allocation.failed", licence=found.name, period=month, closing=into)
        await _leave_out(conn, found, month, into, _reason(error))
        return None
    if month == into:
        await conn.execute(queries.IN_TIME, found.licence, month)
    else:
        await conn.execute(queries.POSTED_LATE, found.licence, month, into)
        log.info("allocation.posted_late", licence=found.name, period=month, closing=into)
    return posted


async def _post(conn: Connection, found: Agreement, month: str, into: str) -> int:
    basis = await basis_of(conn, found)
    charges = await _charges(conn, found, month, into, basis)
    posted = await ledger.post(conn, [each.transfer for each in charges])
    held = [(each.transfer.key, *part) for each in charges if each.escrow for part in each.works]
    if held:
        await conn.execute(queries.KEEP_ESCROWED, *map(list, zip(*held, strict=True)))
    ran = basis.term.of_last(line.work for line in basis.lines if line.model in REPORTED)
    number = month_number(found.term.since, month)
    if found.reported and month == into and missing_months(ran, number, 1, basis.divided.reports):
        detail = f"no revenue was reported of {month}: the least is owed, and the rest once it is reported"
        told = (found.organisation, "revenue-missing", found.name, detail)
        if not await conn.fetchval(queries.TOLD, *told):  # a close that was cut off comes by again
            await events.tell(conn, *told)
    return len(posted)


async def _leave_out(conn: Connection, found: Agreement, month: str, into: str, why: str) -> None:
    log.warning("allocation.left_out", licence=found.name, period=month, closing=into, reason=why)
    await conn.execute(queries.LEAVE_OUT, found.licence, month, why, times.now(), into)


def _reason(error: Exception) -> str:
    if isinstance(error, RegistryError):
        return error.detail
    return error.message if isinstance(error, LicetError) else f"{type(error).__name__}: {error}"


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

    What comes to nothing moves nothing, unless it waits in escrow: there works may turn out to be of different people,
    so what is owed and what is taken back are a charge each. Raises ``InputError`` for a sum that money cannot hold.
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
    for group, works, which in _apart(gross):
        amount = sum(works.values())
        if abs(amount) > money.LARGEST:
            raise InputError.field("totals", f"at most {money.to_decimal(money.LARGEST)} {group[1]}", amount)
        fee = fee_of(amount, fee_bps)
        split = by_name.get(group[0])
        parts = {group[0]: amount - fee} if split is None else divide(amount - fee, split.shares)
        key = f"{posting.source}/{period}/{account_of(group[0], escrow=group[2])}/{group[1]}{which}"
        made = transfer_of(posting, group, amount, fee, parts)
        transfer = msgspec.structs.replace(made, key=key, kind=ALLOCATION, memo=period)
        found.append(Charge(transfer, group[2], _spread(works, fee_bps)))
    return found


def _apart(gross: Mapping[Group, Mapping[UUID, int]]) -> Iterator[tuple[Group, Mapping[UUID, int], str]]:
    """Yield the works that are charged together, with what their key ends with."""
    for group, works in sorted(gross.items()):
        if sum(works.values()):
            yield group, works, ""
        elif group[2]:
            more = {work: amount for work, amount in works.items() if amount > 0}
            less = {work: amount for work, amount in works.items() if amount < 0}
            yield from ((group, part, which) for part, which in ((more, ""), (less, f"/{LESS}")) if part)


def _spread(works: Mapping[UUID, int], fee_bps: int) -> list[tuple[UUID, int, int]]:
    """Return each work with its amount and its part of the fee: in their order, what the running sum's fee grows by."""
    parts, before = [], 0
    for work, amount in sorted(works.items()):
        after = before + amount
        parts.append((work, amount, fee_of(after, fee_bps) - fee_of(before, fee_bps)))
        before = after
    return parts


async def _charges(conn: Connection, found: Agreement, month: str, into: str, basis: Basis) -> list[Charge]:
    owing = [each for each in await owed_in(found, month, basis) if each.amount]
    if not owing:
        return []
    shared = await in_force(conn, {identifiers.to_uuid(each.work) for each in owing})
    licensee = identifiers.from_uuid("org", found.organisation)
    end = periods.first_moment(period_of(into).end)
    posting = Posting(found.name, found.organisation, licensee, None, end - _MOMENT, AT_CLOSE)
    charges = charges_of(posting, month, owing, basis.escrow, found.fee_bps, shared)
    await hold(conn, posting, [each.transfer for each in charges])
    return charges
