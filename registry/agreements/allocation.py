"""What agreements owe at the close of a month, in the ledger: one transfer a payee and currency of each licence.

It is posted in the last millisecond of the month. Fees, splits and escrow are those of uses (`licensing.accrual`). All
that it follows from is of months that have ended, and a licence whose transfers are there is left alone: so a close
that is taken up again posts the same. A licence that cannot be priced is told and left out, never in the way of a
close; `licet-registry verify` names it.
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
from licet.statements.closes import Outputs, Term, month_number, owed_at_close
from licet.statements.owed import fee_of
from licet.statements.periods import ALLOCATION
from licet.statements.splits import divide
from registry import ledger
from registry.agreements import queries
from registry.database import Connection, Row
from registry.ledger import Transfer, periods
from registry.licensing.accrual import Group, Shares, account_of, transfer_of
from registry.licensing.licences import line_of
from registry.licensing.types import Posting
from registry.splits.sharing import in_force

_MOMENT: Final = timedelta(milliseconds=1)  # a transfer's id begins with its millisecond

log = structlog.get_logger("registry.agreements")


class Agreement(NamedTuple):
    """A licence that owes at closes: whose it is, how long it runs, and what its fee is."""

    licence: UUID
    organisation: UUID
    fee_bps: int
    term: Term

    @property
    def name(self) -> str:
        """The licence as statements name it."""
        return identifiers.from_uuid("lic", self.licence)


async def allocate(conn: Connection, period: str) -> int:
    """Return how many transfers this call posted: what every agreement owes at the close of ``period`` is there.

    Whoever calls may post into ``period``, which has ended (`registry.ledger.periods.closing`).
    """
    end = periods.first_moment(period_of(period).end)
    already = {row["source"] for row in await conn.fetch(queries.ALREADY, period)}
    posted = 0
    for row in await conn.fetch(queries.ALLOCATING, end):
        found = agreement_of(row)
        if found.name in already:
            continue
        try:
            transfers = await _transfers(conn, found, period, end)
        except InputError as error:
            log.exception("allocation.failed", licence=found.name, period=period, reason=error.message)
            continue
        posted += len(await ledger.post(conn, transfers))
    return posted


async def owed_in(conn: Connection, found: Agreement, period: str) -> tuple[list[Owed], dict[str, bool]]:
    """Return what ``found`` owes at the close of ``period``, and which works earn into escrow now.

    Raises ``InputError`` where that cannot be computed.
    """
    month = month_number(found.term.since, period)
    rows = await conn.fetch(queries.ALLOCATED, found.licence)
    end = periods.first_moment(period_of(period).end)
    outputs: dict[str, dict[int, int]] = defaultdict(dict)
    for each in await conn.fetch(queries.OUTPUTS, found.licence, end):
        work = identifiers.from_uuid("wrk", each["work"])
        outputs[work][month_number(found.term.since, each["month"])] = int(each["quantity"])
    owed = await asyncio.to_thread(_owed, rows, found.term, month, outputs)
    return owed, {identifiers.from_uuid("wrk", row["work"]): row["held_back"] for row in rows}


def agreement_of(row: Row) -> Agreement:
    """Return the agreement of a row of `queries.ALLOCATING`."""
    term = Term(row["since"], row["granted_at"], row["valid_until"])
    return Agreement(row["id"], row["organisation"], row["fee_bps"], term)


def transfers_of(posting: Posting, period: str, owed: Iterable[Owed], escrow: Mapping[str, bool], fee_bps: int,
                 shared: Shares) -> list[Transfer]:  # fmt: skip
    """Return the transfers of all that ``owed`` come to: one a payee or split, currency and standing.

    Raises ``InputError`` for a sum that money cannot hold.
    """
    gross: dict[Group, int] = defaultdict(int)
    by_name = {each.name: each for each in shared.values()}
    for each in owed:
        if not each.amount or each.currency is None:
            continue
        sharing = shared.get(identifiers.to_uuid(each.work))
        gross[each.payee if sharing is None else sharing.name, each.currency, escrow[each.work]] += each.amount
    found = []
    for group, amount in sorted(gross.items()):
        if amount > money.LARGEST:
            raise InputError.field("totals", f"at most {money.to_decimal(money.LARGEST)} {group[1]}", amount)
        fee = fee_of(amount, fee_bps)
        split = by_name.get(group[0])
        parts = {group[0]: amount - fee} if split is None else divide(amount - fee, split.shares)
        key = f"{posting.source}/{period}/{account_of(group[0], escrow=group[2])}/{group[1]}"
        made = transfer_of(posting, group, amount, fee, parts)
        found.append(msgspec.structs.replace(made, key=key, kind=ALLOCATION, memo=period))
    return found


async def _transfers(conn: Connection, found: Agreement, period: str, end: datetime) -> list[Transfer]:
    owed, escrow = await owed_in(conn, found, period)
    owing = [each for each in owed if each.amount]
    if not owing:
        return []
    shared = await in_force(conn, {identifiers.to_uuid(each.work) for each in owing})
    licensee = identifiers.from_uuid("org", found.organisation)
    posting = Posting(found.name, found.organisation, licensee, None, end - _MOMENT)
    return transfers_of(posting, period, owing, escrow, found.fee_bps, shared)


def _owed(rows: Sequence[Row], term: Term, month: int, outputs: Outputs) -> list[Owed]:
    return owed_at_close([line_of(row) for row in rows], term, month, outputs)
