"""Posting, reversing and reading: the only way to the ledger's tables.

Everything here runs on the caller's connection; what posts belongs inside the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from licet.errors import InputError
from licet.identifiers import new_uuid
from registry.database import Connection, Row
from registry.errors import Conflict, NotFound
from registry.http.paging import Asked, page_of
from registry.ledger import queries
from registry.ledger.periods import PeriodClosed
from registry.ledger.types import Entry, Line, Transfer
from registry.observing.meters import count_once_committed


async def post(conn: Connection, transfers: Sequence[Transfer]) -> list[str]:
    """Every transfer is in the ledger once, and the keys of those that this call brought there are returned.

    A transfer whose key is there already has no effect. Raises ``Conflict`` if it says something else than the one
    that was posted under its key, ``PeriodClosed`` for one of a month that has ended, and ``InputError`` for one that
    is out of balance or repeats an account.
    """
    unique: dict[str, Transfer] = {}
    for transfer in transfers:
        _check(transfer)
        if unique.setdefault(transfer.key, transfer) != transfer:
            raise Conflict(f"two transfers of the key {transfer.key} say different things")
    if not unique:
        return []
    ids = {key: new_uuid(transfer.at) for key, transfer in unique.items()}
    accounts = await open_accounts(conn, {entry.account for transfer in unique.values() for entry in transfer.entries})
    flat = [(ids[key], entry) for key, transfer in unique.items() for entry in transfer.entries]
    rows = await posting(
        conn,
        queries.POST,
        list(ids.values()),
        list(unique),
        [transfer.kind for transfer in unique.values()],
        [transfer.at for transfer in unique.values()],
        [transfer.source for transfer in unique.values()],
        [transfer.memo for transfer in unique.values()],
        [len(transfer.entries) for transfer in unique.values()],
        [transfer for transfer, _ in flat],
        [accounts[entry.account] for _, entry in flat],
        [entry.currency for _, entry in flat],
        [entry.amount for _, entry in flat],
    )
    posted: list[str] = sorted(row["key"] for row in rows)
    count_once_committed("licet_ledger_postings_total", by=len(posted))
    known = unique.keys() - set(posted)
    if known:
        await _hold_to_known(conn, [unique[key] for key in known])
    return posted


async def reverse(conn: Connection, transfer: UUID, *, key: str, at: datetime, source: str, memo: str = "") -> UUID:
    """``transfer`` is negated by one other, whose id is returned: made by this call, or by an earlier one of ``key``.

    Raises ``NotFound`` if there is no such transfer, ``Conflict`` if it is a reversal itself, or was reversed under
    another key, and ``PeriodClosed`` where ``at`` is in a month that has ended.
    """
    made = await posting(conn, queries.REVERSE, transfer, new_uuid(at), key, at, source, memo)
    if made:
        posted: UUID = made[0]["id"]
        return posted
    row = await conn.fetchrow(queries.REVERSAL, transfer)
    if row is None:
        raise NotFound("there is no such transfer")
    if row["reverses"] is not None:
        raise Conflict("a reversal is never reversed: post what is right as a transfer of its own")
    if row["kind"] in {"pending", "release", "void"}:
        raise Conflict("what waits is posted or voided, never reversed")
    if row["reversal_key"] == key:
        found: UUID = row["reversal"]
        return found
    if row["reversal"] is None:
        raise Conflict(f"the key {key} belongs to another transfer")
    raise Conflict("the transfer was reversed already")


async def reversal(conn: Connection, transfer: UUID) -> UUID | None:
    """Return the transfer that negates ``transfer``, if there is one."""
    row = await conn.fetchrow(queries.REVERSAL, transfer)
    return None if row is None else row["reversal"]


async def balances(conn: Connection, names: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return the sum of all entries by (account, currency), for those of ``names`` that have any; debit is positive.

    It is counted from the last closed month on, so what it costs does not grow with the ledger.
    """
    rows = await conn.fetch(queries.BALANCES, sorted(set(names)))
    # A sum is not a bigint: a thousand entries of the largest amount are beyond it.
    return {(row["name"], row["currency"]): int(row["amount"]) for row in rows}


async def lines(
    conn: Connection, names: Iterable[str], asked: Asked, *, currency: str | None = None, source: str | None = None
) -> tuple[list[Line], str | None]:
    """Return one page of the entries of the accounts ``names``, and the cursor of the next one."""
    rows, more = await page_of(conn, queries.LINES, asked, sorted(set(names)), currency, source)
    return [_line(row) for row in rows], more


async def journal(conn: Connection, period: str, names: Iterable[str] | None = None) -> list[Line]:
    """Return the entries of a period (``2026-11``) in posting order: all, or those of the accounts ``names``."""
    rows = await conn.fetch(queries.JOURNAL, period, None if names is None else sorted(set(names)))
    return [_line(row) for row in rows]


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold in the ledger, in words; an empty list when every entry was read and all of it holds.

    Per transfer: as many entries as were posted, each on an account, zero in sum per currency, reversals that
    negate exactly; over everything: zero per currency, and balances that are the sum of all entries whatever month they
    are counted from.
    """
    await conn.execute(queries.ROOM)
    transfers = await conn.fetch(queries.WRONG_TRANSFERS)
    balances = await conn.fetch(queries.WRONG_BALANCES)
    wrong = [
        f"transfer {row['id']}: expected {row['lines']} entries in balance, got {row['found']}, "
        f"off by {int(row['off'])}"
        for row in transfers
        if row["lines"] is not None
    ]
    if any(row["lines"] is None for row in transfers) or any(row["name"] is None for row in balances):
        wrong += [
            f"entry of transfer {row['transfer']}: expected a transfer and the account {row['account']}, "
            f"got none of one"
            for row in await conn.fetch(queries.ORPHANS)
        ]
    wrong += [
        f"transfer {row['id']}: expected exactly the negation of {row['reverses']}, got other entries"
        for row in await conn.fetch(queries.WRONG_REVERSALS)
    ]
    wrong += [
        f"transfer {row['pending']}: expected it to be held, and taken back and posted as it was, got other entries"
        for row in await conn.fetch(queries.WRONG_RESOLUTIONS)
    ]
    wrong += [
        f"ledger: expected a sum of 0 {row['currency']}, got {int(row['amount'])}"
        for row in await conn.fetch(queries.TOTALS)
    ]
    wrong += [
        f"{row['name']}: expected a balance of {int(row['amount'])} {row['currency']}, got {int(row['found'])}"
        for row in balances
        if row["name"] is not None
    ]
    return wrong


def _check(transfer: Transfer) -> None:
    sums: dict[str, int] = defaultdict(int)
    for entry in transfer.entries:
        if entry.amount == 0:
            raise InputError(f"transfer {transfer.key}: expected no entry of zero, got one for {entry.account}")
        sums[entry.currency] += entry.amount
    if len({(entry.account, entry.currency) for entry in transfer.entries}) != len(transfer.entries):
        raise InputError(f"transfer {transfer.key}: expected one entry per account and currency, got more")
    if any(sums.values()) or not sums:
        raise InputError(
            f"transfer {transfer.key}: expected entries that add up to zero per currency, got {dict(sums)}"
        )


async def posting(conn: Connection, query: str, *arguments: object) -> list[Row]:
    """Return the rows of a statement that posts; raises ``PeriodClosed``."""
    try:
        return await conn.fetch(query, *arguments)
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise PeriodClosed(f"{error.args[0]}; what is late goes into the open month") from None


async def open_accounts(conn: Connection, names: set[str]) -> dict[str, int]:
    """Return the numbers of accounts by name; those that were not there are opened."""
    wanted = sorted(names)
    rows = await conn.fetch(queries.ACCOUNTS, wanted)
    if len(rows) < len(wanted):
        await conn.execute(queries.OPEN_ACCOUNTS, wanted)
        rows = await conn.fetch(queries.ACCOUNTS, wanted)
    return {row["name"]: row["id"] for row in rows}


async def _hold_to_known(conn: Connection, transfers: list[Transfer]) -> None:
    stored: dict[str, set[tuple[str, str, Entry]]] = defaultdict(set)
    for row in await conn.fetch(queries.KNOWN, [transfer.key for transfer in transfers]):
        entry = Entry(row["account"], row["currency"], row["amount"])
        stored[row["key"]].add((row["kind"], row["source"], entry))
    for transfer in transfers:
        if stored[transfer.key] != {(transfer.kind, transfer.source, entry) for entry in transfer.entries}:
            raise Conflict(f"the transfer {transfer.key} was posted with other entries")


def _line(row: Row) -> Line:
    return Line(**{name: row[name] for name in Line.__struct_fields__})
