"""Charges as their two parties see them: what an organisation was charged, what an artist was credited."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from licet import identifiers, money, times
from licet.statements.periods import ACCRUALS
from licet.wire.common import Page
from licet.wire.settlement import ChargeInfo
from registry.database import Connection, Row
from registry.errors import NotFound
from registry.http.paging import Asked, page_of
from registry.settlement import queries

_SIDES: Final = ("receivable", "payable", "escrow")


async def listed(
    conn: Connection,
    account: str,
    asked: Asked,
    *,
    currency: str | None = None,
    period: str | None = None,
    licence: UUID | None = None,
    work: UUID | None = None,
) -> Page[ChargeInfo]:
    """Return one page of the charges that ``account`` owes by, or is owed by.

    Of a charge that came before a split, a co-owner sees her part in the ledger alone.
    """
    names = [f"{side}:{account}" for side in _SIDES]
    sources = None
    if licence is not None or work is not None:
        rows = await conn.fetch(queries.SOURCES, licence, work)
        sources = [
            identifiers.from_uuid("lic", row["licence"])
            if row["batch"] is None
            else identifiers.from_uuid("bat", row["batch"])
            for row in rows
        ]
    rows, more = await page_of(conn, queries.CHARGES, asked, names, sorted(ACCRUALS), currency, period, sources)
    return Page([_info(row) for row in rows], more)


async def shown(conn: Connection, account: str, charge: UUID) -> list[ChargeInfo]:
    """Return what ``account`` owes, or is owed, by one charge: an amount a currency; raises ``NotFound``."""
    names = [f"{side}:{account}" for side in _SIDES]
    rows = await conn.fetch(queries.CHARGE, names, sorted(ACCRUALS), None, None, None, charge)
    if not rows:
        raise NotFound("there is no such charge of yours")
    return [_info(row) for row in rows]


def _info(row: Row) -> ChargeInfo:
    owes = row["name"].startswith("receivable:")
    return ChargeInfo(
        charge=identifiers.from_uuid("tra", row["id"]),
        at=times.to_text(row["at"]),
        period=row["period"],
        kind=row["kind"],
        source=row["source"],
        side="charged" if owes else "credited",
        amount=money.to_decimal(row["amount"] if owes else -row["amount"]),
        currency=row["currency"],
        state=row["state"],
        dispute=row["dispute"] and identifiers.from_uuid("dsp", row["dispute"]),
    )
