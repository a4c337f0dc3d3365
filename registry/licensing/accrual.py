"""From uses to money: every event is kept once, and one transfer per payee and currency says what it comes to.

Debit the licensee with the gross amount; credit the artist with what is left after the fee, or her escrow account
while the claim is below level 2 or contested; credit the registry with the fee. The fee of a transfer is
floor(gross × fee_bps / 10,000); it is spread over the events so that their fees add up to it exactly.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.kinds import Event
from registry import ledger
from registry.database import Connection
from registry.ledger import Entry, Transfer
from registry.licensing import queries
from registry.licensing.types import Accrual, Posting, Reported

FEE: Final = "fee:registry"
BPS: Final = 10_000

Group = tuple[str, str, bool]  # payee, currency, escrow


async def post(conn: Connection, posting: Posting, accruals: Sequence[Accrual]) -> None:
    """Every accrual is a usage event, and the ledger holds what they owe; all of them must be new.

    Whoever calls holds the organisation's lock, so that nobody else can report the same events meanwhile.
    """
    records, transfers = await asyncio.to_thread(_prepared, posting, accruals)
    await conn.copy_records_to_table("usage_events", records=records, columns=queries.USAGE_EVENTS)
    await ledger.post(conn, transfers)


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
        fees[accrual.reported.id] = total * accrual.fee_bps // BPS - before * accrual.fee_bps // BPS
    return fees


def _prepared(posting: Posting, accruals: Sequence[Accrual]) -> tuple[list[tuple[Any, ...]], list[Transfer]]:
    groups: dict[Group, list[Accrual]] = defaultdict(list)
    for accrual in accruals:
        if accrual.amount:
            groups[accrual.payee, accrual.currency or "", accrual.escrow].append(accrual)
    fees: dict[bytes, int] = {}
    transfers = []
    for group in sorted(groups):
        fees |= spread(groups[group])
        gross = sum(accrual.amount for accrual in groups[group])
        fee = sum(fees[accrual.reported.id] for accrual in groups[group])
        transfers.append(_transfer(posting, group, gross, fee))
    return [_record(posting, accrual, fees.get(accrual.reported.id, 0)) for accrual in accruals], transfers


def account_of(payee: str, *, escrow: bool) -> str:
    """Return the ledger account in which ``payee`` is owed."""
    return f"{'escrow' if escrow else 'payable'}:{payee}"


def _transfer(posting: Posting, group: Group, gross: int, fee: int) -> Transfer:
    payee, currency, escrow = group
    credited = account_of(payee, escrow=escrow)
    entries = (
        Entry(f"receivable:{posting.licensee}", currency, gross),
        Entry(credited, currency, fee - gross),
        Entry(FEE, currency, -fee),
    )
    return Transfer(
        key=f"{posting.source}/{credited}/{currency}",
        kind="licence" if posting.batch is None else "usage",
        at=posting.at,
        source=posting.source,
        entries=tuple(entry for entry in entries if entry.amount),
    )


def _record(posting: Posting, accrual: Accrual, fee: int) -> tuple[Any, ...]:
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
    )
