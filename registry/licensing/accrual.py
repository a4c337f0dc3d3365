"""From uses to money: every event is kept once, and one transfer per payee and currency says what it comes to.

Debit the licensee with the gross amount; credit the artist with what is left after the fee, or her escrow account
while the claim is below level 2 or contested, or co-owners have yet to sign their first split; credit the registry with
the fee. The fee of a transfer is floor(gross × fee_bps / 10,000); it is spread over the events so that their fees add
up to it exactly.

Works under one split have a transfer of their own, which credits every co-owner: what is left after its fee is divided
once, by largest remainder, so that nothing is lost and nobody gains by many small uses.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.kinds import Event
from licet.statements.owed import fee_of
from licet.statements.splits import divide
from registry import ledger
from registry.accounts import events
from registry.database import Connection
from registry.errors import Unavailable
from registry.ledger import Entry, Transfer, periods
from registry.licensing import owing, queries
from registry.licensing.types import Accrual, Posting, Reported
from registry.splits.sharing import Sharing, in_force

FEE: Final = "fee:registry"
_EARNED: Final = "money was charged for your works; the ledger has it line by line"

Group = tuple[str, str, bool]  # payee or split, currency, escrow
Shares = Mapping[UUID, Sharing]  # the split in force on a work, where there is one


async def post(conn: Connection, posting: Posting, accruals: Sequence[Accrual]) -> None:
    """Every accrual is a usage event, and the ledger holds what they owe; all of them must be new.

    Whoever calls holds the organisation's lock, so that nobody else can report the same events meanwhile, and from
    before the log's pending id was drawn a share of the consent heads of the artists: what is shared now stays so.
    Raises ``OverLimit``, ``OverSpendLimit`` before anything is written.
    """
    shared = await in_force(conn, {accrual.reported.work for accrual in accruals if accrual.amount})
    records, transfers = await asyncio.to_thread(_prepared, posting, accruals, shared)
    await owing.hold(conn, posting, transfers)
    await conn.copy_records_to_table("usage_events", records=records, columns=queries.USAGE_EVENTS)
    await enter(conn, transfers, posting.at)


async def enter(conn: Connection, transfers: Sequence[Transfer], at: datetime) -> None:
    """The transfers are in the ledger, of the moment ``at`` which their request began.

    Raises ``Unavailable`` where the month of that moment was closed while the request waited: sent again, it is of now.
    So it is, too, where nothing is owed: what a month owes at its close follows from all uses that were posted in it.
    """
    try:
        if transfers:
            await ledger.post(conn, transfers)
            # Dated as the transfers are: whoever is told of a day finds all of it in the ledger's lines of that day.
            told = _earners(transfers), "earned", transfers[0].source, _EARNED
            await events.tell_many(conn, *told, at=at, daily=True)
        else:
            await periods.hold_open(conn, at)
    except ledger.PeriodClosed:
        raise Unavailable("the month in which this request began was closed meanwhile; send it again") from None


def _earners(transfers: Sequence[Transfer]) -> set[UUID]:
    """Whom the transfers credit, be it in escrow: the registry's fee is nobody's alert."""
    names = {each.account for transfer in transfers for each in transfer.entries if each.amount < 0}
    owners = {owner for side, _, owner in (name.partition(":") for name in names) if side in ("payable", "escrow")}
    return {identifiers.to_uuid(each) for each in owners}


def read(event: Event) -> Reported:
    """Return ``event`` with its texts read; raises ``InputError`` that names the field of one that cannot be read."""
    if event.licence is not None:
        source = identifiers.to_uuid(event.licence, "lic", field="licence")
    else:
        source = identifiers.to_uuid(event.statement or "", "stm", field="statement")
    work = identifiers.to_uuid(event.work, "wrk", field="work")
    try:
        number = bytes.fromhex(event.id)
    except ValueError:
        raise InputError.field("id", "a digest in hex", event.id) from None
    return Reported(event, number, source, work, times.from_text(event.at, "at"))


def spread(accruals: Iterable[Accrual]) -> dict[bytes, int]:
    """Return each event's part of the fee, by event id: in the order of ids, what the running sum's floor grows by."""
    fees: dict[bytes, int] = {}
    gross: dict[int, int] = defaultdict(int)
    for accrual in sorted(accruals, key=lambda each: each.reported.id):
        before = gross[accrual.fee_bps]
        gross[accrual.fee_bps] = total = before + accrual.amount
        fees[accrual.reported.id] = fee_of(total, accrual.fee_bps) - fee_of(before, accrual.fee_bps)
    return fees


def _prepared(
    posting: Posting, accruals: Sequence[Accrual], shared: Shares
) -> tuple[list[tuple[Any, ...]], list[Transfer]]:
    groups: dict[Group, list[Accrual]] = defaultdict(list)
    named = {each.name: each for each in shared.values()}
    for accrual in accruals:
        if accrual.amount:
            sharing = shared.get(accrual.reported.work)
            payee = accrual.payee if sharing is None else sharing.name
            groups[payee, accrual.currency or "", accrual.escrow].append(accrual)
    fees: dict[bytes, int] = {}
    transfers = []
    for group in sorted(groups):
        fees |= spread(groups[group])
        gross = sum(accrual.amount for accrual in groups[group])
        fee = sum(fees[accrual.reported.id] for accrual in groups[group])
        sharing = named.get(group[0])
        parts = {group[0]: gross - fee} if sharing is None else divide(gross - fee, sharing.shares)
        if gross:
            transfers.append(transfer_of(posting, group, gross, fee, parts))
    return [
        _record(posting, accrual, fees.get(accrual.reported.id, 0), shared.get(accrual.reported.work))
        for accrual in accruals
    ], transfers


def account_of(payee: str, *, escrow: bool) -> str:
    """Return the ledger account in which ``payee`` is owed."""
    return f"{'escrow' if escrow else 'payable'}:{payee}"


def transfer_of(posting: Posting, group: Group, gross: int, fee: int, parts: Mapping[str, int]) -> Transfer:
    """Return the transfer of all that one payee, or the co-owners of one split, earn by a posting."""
    payee, currency, escrow = group
    credited = account_of(payee, escrow=escrow)
    entries = (
        Entry(f"receivable:{posting.licensee}", currency, gross),
        *(Entry(account_of(each, escrow=escrow), currency, -amount) for each, amount in sorted(parts.items())),
        Entry(FEE, currency, -fee),
    )
    return Transfer(
        key=f"{posting.source}/{credited}/{currency}",
        kind="licence" if posting.batch is None else "usage",
        at=posting.at,
        source=posting.source,
        entries=tuple(entry for entry in entries if entry.amount),
    )


def _record(posting: Posting, accrual: Accrual, fee: int, sharing: Sharing | None) -> tuple[Any, ...]:
    event, number, source, work, at = accrual.reported
    return (
        number,
        posting.organisation,
        source if event.licence is not None else None,
        source if event.licence is None else None,
        work,
        event.atom,
        event.run,
        event.unit,
        event.seq,
        event.quantity,
        at,
        event.match,
        posting.batch,
        accrual.artist,
        accrual.currency,
        accrual.amount,
        fee,
        accrual.escrow,
        accrual.memorandum,
        posting.at,
        None if sharing is None or not accrual.amount else sharing.split,
        None if event.corrects is msgspec.UNSET else bytes.fromhex(event.corrects),
        None if event.was is msgspec.UNSET else event.was,
    )
