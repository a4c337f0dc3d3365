"""The ledger as an auditor looks into it: entry by entry, each shown only where the auditor's scope has its account.

An auditor of one artist sees that artist's entries of a transfer and not the other side's: what is in scope is asked of
every entry by itself, in SQL.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from licet.money import to_decimal
from licet.wire.common import Page
from registry.accounts import queries as accounts
from registry.accounts.identity import Caller
from registry.auditing import exploring_queries as queries
from registry.database import Connection, Row
from registry.errors import NotFound
from registry.http.paging import Asked, page_of

SIDES: Final = ("escrow", "payable", "receivable")
MOST_EVENTS: Final = 100


class Audited(NamedTuple):
    """A part of what an auditor may see: of ``account``, or of everybody; from month ``since`` to ``until``."""

    account: str | None
    since: str | None
    until: str | None


class Entry(NamedTuple):
    """An entry of the ledger: debits are positive."""

    transfer: str
    at: str
    period: str
    kind: str
    account: str
    currency: str
    amount: str
    source: str
    memo: str


class Event(NamedTuple):
    """A use that was posted under a source, and what it came to."""

    work: str
    atom: str
    unit: str
    quantity: int
    currency: str | None
    amount: str
    fee: str


async def scope(conn: Connection, auditor: Caller) -> list[Audited]:
    """Return what ``auditor`` may see, part by part."""
    return [
        Audited(row["subject"] and identifiers.from_uuid(row["kind"], row["subject"]), row["since"], row["until"])
        for row in await conn.fetch(accounts.SCOPES, auditor.account)
    ]


async def entries(
    conn: Connection,
    auditor: Caller,
    asked: Asked,
    *,
    account: str | None = None,
    period: str | None = None,
    currency: str | None = None,
    source: str | None = None,
) -> Page[Entry]:
    """Return one page of the entries that ``auditor`` may see; raises ``Invalid`` naming the parameter."""
    subjects, names, wanted = await _names(conn, auditor, account)
    rows, more = await page_of(
        conn, queries.ENTRIES, asked, auditor.account, subjects, names, wanted, period, currency, source
    )
    return Page([_entry(row) for row in rows], more)


async def days(conn: Connection, auditor: Caller, period: str, account: str | None = None) -> list[tuple[str, int]]:
    """Return how many entries that ``auditor`` may see were posted on each day of ``period``, by day of the month."""
    subjects, names, wanted = await _names(conn, auditor, account)
    rows = await conn.fetch(queries.DAYS, auditor.account, subjects, names, wanted, period)
    counted = {row["day"]: row["entries"] for row in rows}
    return [(str(day), counted.get(day, 0)) for day in range(1, _last(period) + 1)]


async def transfer(conn: Connection, auditor: Caller, number: UUID) -> list[Entry]:
    """Return the entries of a transfer that ``auditor`` may see; raises ``NotFound`` where there are none."""
    named = [row["name"] for row in await conn.fetch(queries.NAMES_OF, number)]
    owned = [(name, owner) for name in named if (owner := _owner(name)) is not None]
    subjects, names = [owner for _, owner in owned], [name for name, _ in owned]
    rows = await conn.fetch(queries.TRANSFER, auditor.account, subjects, names, number)
    if not rows:
        raise NotFound("there is no such transfer, or none that you may audit")
    return [_entry(row) for row in rows]


async def events(conn: Connection, auditor: Caller, source: str) -> list[Event]:
    """Return uses that were posted under ``source`` and that ``auditor`` may see: `MOST_EVENTS` at most, by work."""
    kind = source[:3]
    if kind not in ("lic", "bat"):
        return []
    try:
        number = identifiers.to_uuid(source, kind, field="source")
    except InputError:
        return []
    query = queries.LICENCE_EVENTS if kind == "lic" else queries.BATCH_EVENTS
    return [
        Event(
            identifiers.from_uuid("wrk", row["work"]),
            row["atom"],
            row["unit"],
            row["quantity"],
            row["currency"],
            to_decimal(row["amount"]),
            to_decimal(row["fee"]),
        )
        for row in await conn.fetch(query, auditor.account, number, MOST_EVENTS)
    ]


class Proof(NamedTuple):
    """Where the statement that a transfer comes from is in the published log."""

    statement: str
    kind: str
    entry: int  # of the log
    at: str


async def proof(conn: Connection, auditor: Caller, source: str) -> Proof | None:
    """Return where ``source`` is in the log; None where it is no statement there that ``auditor`` may read."""
    row = await conn.fetchrow(queries.PROOF, auditor.account, source)
    return None if row is None else Proof(source, row["kind"], row["index"], times.to_text(row["at"]))


async def _names(
    conn: Connection, auditor: Caller, account: str | None
) -> tuple[list[UUID], list[str], list[str] | None]:
    """Return whose each account of the ledger is (two lists side by side), and the names to look at; None for all."""
    parts = {each.account for each in await scope(conn, auditor)}
    shown: Iterable[str] = [account] if account is not None else sorted(each for each in parts if each is not None)
    named = [(identifiers.to_uuid(each, "org", "art", field="?account"), each) for each in shown]
    pairs = [(number, f"{side}:{each}") for number, each in named for side in SIDES]
    subjects, names = [number for number, _ in pairs], [name for _, name in pairs]
    return subjects, names, None if account is None and None in parts else names


def _last(period: str) -> int:
    """Return the last day of a month such as ``2026-11``."""
    return monthrange(int(period[:4]), int(period[5:]))[1]


def _owner(name: str) -> UUID | None:
    side, _, account = name.partition(":")
    if side not in SIDES or account[:4] not in ("org_", "art_"):
        return None
    return identifiers.to_uuid(account, "org", "art")


def _entry(row: Row) -> Entry:
    return Entry(
        identifiers.from_uuid("tra", row["transfer"]),
        times.to_text(row["at"]),
        row["period"],
        row["kind"],
        row["account"],
        row["currency"],
        to_decimal(row["amount"]),
        row["source"],
        row["memo"],
    )
