"""Remittances: what is payable to an artist is paid, to where she said, once it can no longer be contested.

A remittance pays whole lines of the ledger. What she was credited is paid after the hold, what she was debited is taken
into account at once: so no more is ever paid than she is owed. Escrow is not payable. What comes back is payable again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, money, times
from licet.wire.common import Page
from licet.wire.settlement import Payout, PayoutNow, PayoutSet, RemittanceInfo, RemittanceLine
from registry import ledger
from registry.accounts import events
from registry.accounts.identity import Caller
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotFound
from registry.http.paging import Asked, page_of
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settlement import pain, queries, remittance_queries
from registry.settlement.invoicing import due_of
from registry.settlement.payees import payee_of
from registry.settlement.references import is_iban
from registry.settlement.sealing import Payee, seal, unseal

KIND: Final = "remittance"
_PREFIX: Final = "payable:"


class Prepared(NamedTuple):
    """What was prepared: the file's id, its payments, and who waits, with why."""

    file: UUID | None
    paid: list[tuple[UUID, str, str, int]]  # remittance, account, currency, amount
    waiting: list[tuple[str, str, int, str]]  # account, currency, what is payable, why


# -- where to --------------------------------------------------------------------------------------------------------


async def set_payout(services: Services, caller: Caller, data: PayoutSet) -> Payout:
    """The caller is paid to another account from now on, after the hold; every key holder of it is told.

    Who may do so was asked before. Raises ``InputError`` naming the field.
    """
    payee = payee_of(data)
    ends = payee.ends
    now, row = times.now(), identifiers.new_uuid()
    sealed = await asyncio.to_thread(seal, services.settings.data / "keys", caller.account, row, payee)
    usable = now + services.settings.payout_change_hold
    async with services.database.transaction() as conn:
        await conn.execute(remittance_queries.ADD_PAYOUT, row, caller.account, sealed, ends, now, usable)
        said = f"paid to an account that ends in {ends} from {times.to_text(usable)[:16]} on"
        await events.tell(conn, caller.account, "payout-changed", None, said)
    return _payout(payee, ends, now, usable)


async def payout_of(services: Services, caller: Caller) -> PayoutNow:
    """Return where the caller is paid, if anything was said of it; of the account number its end alone."""
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(remittance_queries.PAYOUT, caller.account)
    if row is None:
        return PayoutNow(None)
    payee = await asyncio.to_thread(_unsealed, services, row)
    return PayoutNow(_payout(payee, row["ends"], row["given_at"], row["usable_at"]))


def _payout(payee: Payee, ends: str, given: datetime, usable: datetime) -> Payout:
    told = times.to_text(given), times.to_text(usable)
    return Payout(payee.name, payee.country, payee.place, ends, payee.bic or None, *told)


# -- out -------------------------------------------------------------------------------------------------------------


async def prepare(services: Services, period: str) -> Prepared:
    """What is payable by lines up to the end of ``period`` is on its way to the artists: one file for the bank.

    Doing it again prepares what has become payable since. Raises ``Invalid``.
    """
    from registry.settlement.billing import is_month

    now = times.now()
    if not is_month(period) or period > times.to_text(now)[:7]:
        raise Invalid.field("period", "a month that has begun, such as 2026-11", period)
    bank = _bank(services)
    prepared = Prepared(identifiers.new_uuid(), [], [])
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        for row in await conn.fetch(remittance_queries.CREDITORS):
            await _prepare(services, conn, row["name"], period, bank, prepared, now)
    return prepared if prepared.paid else prepared._replace(file=None)


async def order(services: Services, file: UUID) -> bytes:
    """Return the payment order of what was prepared as ``file``: the same bytes each time. Raises ``NotFound``."""
    settings = services.settings
    async with services.database.acquire() as conn:
        rows = await conn.fetch(remittance_queries.FILE, file)
    if not rows:
        raise NotFound("there is no such file of remittances")
    if any(row["sealed"] is None for row in rows):
        raise NotFound("payout details of somebody in the file were erased: cancel that remittance first")

    def write() -> bytes:
        orders = []
        for row in rows:
            payee = _unsealed(services, row)
            name = identifiers.from_uuid("rem", row["id"])
            about = f"licence fees {row['period']} {settings.origin} {name}"
            orders.append(pain.Order(name, payee, row["currency"], row["amount"], about))
        made = rows[0]["prepared_at"]
        return pain.write(
            file.hex, settings.bank_holder or settings.origin, rows[0]["bank"], orders, made, made.date(),
            transliterate=settings.payout_names == "transliterate",
        )  # fmt: skip

    return await asyncio.to_thread(write)


async def cancel(services: Services, remittance: str, reason: str) -> None:
    """What the bank never took is payable again; raises ``Conflict`` for what the bank has booked, or was cancelled."""
    number, now = identifiers.to_uuid(remittance, "rem", field="remittance"), times.now()
    if not 0 < len(reason) <= 500:
        raise Invalid.field("reason", "1 to 500 characters", reason)
    async with services.database.transaction() as conn:
        await conn.execute(queries.LOCK)
        row = await conn.fetchrow(remittance_queries.REMITTANCE, number)
        if row is None:
            raise NotFound(f"there is no remittance {remittance}")
        if row["state"] != "prepared":
            raise Conflict(f"{remittance} is {row['state']}: expected one that the bank has not booked")
        owner = identifiers.from_uuid(row["kind"], row["account"])
        key = f"{remittance}/cancelled"
        posted = await _post(
            conn, key, "remittance-return", remittance, f"transit:{owner}", _PREFIX + owner, row["currency"],
            row["amount"], now, reason,
        )  # fmt: skip
        await conn.execute(remittance_queries.CANCEL, number, posted, reason)


async def _prepare(
    services: Services, conn: Connection, name: str, period: str, bank: str, prepared: Prepared, now: datetime
) -> None:
    settings, owner = services.settings, name.removeprefix(_PREFIX)
    account = identifiers.to_uuid(owner, "art", "org", field="account")
    least = {each.currency: each.micro for each in settings.payout_minimum}
    payout = await conn.fetchrow(remittance_queries.PAYOUT, account)
    rows = await conn.fetch(remittance_queries.UNPAID_LINES, name, account, now - settings.payout_hold, period)
    held = await ledger.balances(conn, [name])
    for currency, group in groupby(rows, key=itemgetter("currency")):
        lines = list(group)
        carried = await conn.fetchval(remittance_queries.REMITTED_BEFORE, account, currency) or 0
        due = due_of(sum(row["amount"] for row in lines), carried, currency)
        amount = min(due.due, -held.get((name, currency), 0))
        if amount <= 0:
            continue
        why = _why(payout, now, amount, least.get(currency, 1))
        if amount < due.due:
            why = "less is payable than its lines say"  # what nothing should lead to: nobody is paid on it
        if why is not None:
            prepared.waiting.append((owner, currency, amount, why))
            continue
        assert payout is not None  # or there would be a reason to wait
        assert prepared.file is not None
        number = identifiers.new_uuid()
        source = identifiers.from_uuid("rem", number)
        posted = await _post(
            conn, source, KIND, source, name, f"transit:{owner}", currency, due.due, now, f"to {payout['ends']}"
        )
        await conn.execute(
            remittance_queries.ADD_REMITTANCE, number, prepared.file, account, currency, period, *due, len(lines),
            payout["id"], bank, now, posted,
        )  # fmt: skip
        await conn.execute(
            remittance_queries.ADD_REMITTED, number, account, currency, [row["id"] for row in lines],
            [row["amount"] for row in lines],
        )  # fmt: skip
        await events.tell(
            conn, account, KIND, source, f"{money.Money(currency, due.due)} on its way to {payout['ends']}"
        )
        prepared.paid.append((number, owner, currency, due.due))


def _why(payout: Row | None, now: datetime, amount: int, least: int) -> str | None:
    if payout is None:
        return "no payout details"
    if payout["usable_at"] > now:
        return f"payout details changed, held until {times.to_text(payout['usable_at'])}"
    return "less than the minimum" if amount < least else None


def _bank(services: Services) -> str:
    accounts = services.settings.bank_accounts
    if not accounts:
        raise Invalid("expected an account in LICET_REGISTRY_BANK_ACCOUNTS, from which artists are paid")
    return next((each for each in accounts if is_iban(each)), accounts[0])


def _unsealed(services: Services, row: Row) -> Payee:
    return unseal(services.settings.data / "keys", row["account"], row["payout"], row["sealed"])


async def _post(
    conn: Connection, key: str, kind: str, source: str, debited: str, credited: str, currency: str, amount: int,
    now: datetime, memo: str,
) -> UUID:  # fmt: skip
    entries = (Entry(debited, currency, amount), Entry(credited, currency, -amount))
    await ledger.post(conn, [Transfer(key, kind, now, source, entries, memo)])
    posted: UUID = await conn.fetchval(queries.TRANSFER, key)
    return posted


# -- what is read of them ------------------------------------------------------------------------------------------


async def listed(
    conn: Connection, account: UUID | None, asked: Asked, *, currency: str | None = None, state: str | None = None
) -> Page[RemittanceInfo]:
    """Return one page of the remittances to ``account`` (None, the office's: to all)."""
    rows, more = await page_of(conn, remittance_queries.REMITTANCES, asked, account, currency, state)
    return Page([info(row) for row in rows], more)


async def shown(conn: Connection, account: UUID, remittance: UUID) -> RemittanceInfo:
    """Return one remittance to ``account``; raises ``NotFound``, also for another's."""
    row = await conn.fetchrow(remittance_queries.OWN_REMITTANCE, account, remittance)
    if row is None:
        raise NotFound("there is no such remittance")
    return info(row)


async def lines(conn: Connection, account: UUID, remittance: UUID, asked: Asked) -> Page[RemittanceLine]:
    """Return one page of the lines that a remittance paid; raises ``NotFound``, also for another's."""
    if await conn.fetchval(remittance_queries.OWN_REMITTANCE, account, remittance) is None:
        raise NotFound("there is no such remittance")
    rows, more = await page_of(conn, remittance_queries.REMITTED, asked, account, remittance)
    return Page([_line(row) for row in rows], more)


def info(row: Row) -> RemittanceInfo:
    """Return a remittance as it is told."""
    return RemittanceInfo(
        remittance=identifiers.from_uuid("rem", row["id"]),
        account=identifiers.from_uuid(row["kind"], row["account"]),
        currency=row["currency"],
        period=row["period"],
        **{name: money.to_decimal(row[name]) for name in ("total", "carried_in", "amount", "carried_out")},
        state=row["state"],
        lines=row["lines"],
        prepared_at=times.to_text(row["prepared_at"]),
        booked_on=row["booked_on"] and row["booked_on"].isoformat(),
    )


def _line(row: Row) -> RemittanceLine:
    return RemittanceLine(
        transfer=identifiers.from_uuid("tra", row["transfer"]),
        at=times.to_text(row["at"]),
        kind=row["kind"],
        source=row["source"],
        amount=money.to_decimal(row["amount"]),
    )


__all__: Sequence[str] = [
    "Prepared",
    "cancel",
    "info",
    "lines",
    "listed",
    "order",
    "payout_of",
    "prepare",
    "set_payout",
    "shown",
]
