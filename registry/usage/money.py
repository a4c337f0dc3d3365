"""What the caller is owed or owes: their own ledger accounts, and nobody else's."""

from __future__ import annotations

from typing import Final, Literal

from licet import identifiers, money, times
from licet.wire.common import Page
from licet.wire.usage import Balance, BalanceLine, LedgerLine, NotComputed
from registry import ledger
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.http.paging import Asked
from registry.usage import queries

Side = Literal["payable", "escrow", "transit", "receivable"]
# Debit is positive in the ledger: what is owed to somebody stands on the credit side.
_SIGNS: Final[dict[Side, int]] = {"payable": -1, "escrow": -1, "transit": -1, "receivable": 1}


async def balance(conn: Connection, caller: Caller) -> Balance:
    """Return what the caller is owed (payable, escrow, transit) and owes (receivable), per currency; zeros are not.

    Beside it for which months closes could not yet charge its agreements.
    """
    names = _names(caller)
    found = await ledger.balances(conn, names)
    lines = [
        BalanceLine(names[account], currency, money.to_decimal(amount * _SIGNS[names[account]]))
        for (account, currency), amount in sorted(found.items())
        if amount
    ]
    waiting = [
        NotComputed(identifiers.from_uuid("lic", row["licence"]), row["period"], times.to_text(row["since"]))
        for row in await conn.fetch(queries.NOT_COMPUTED, caller.account)
    ]
    return Balance(caller.id, lines, times.to_text(times.now()), waiting)


async def entries(
    conn: Connection,
    caller: Caller,
    asked: Asked,
    *,
    side: Side | None = None,
    currency: str | None = None,
    source: str | None = None,
) -> Page[LedgerLine]:
    """Return one page of the caller's entries, all or those of one ``side``; raises ``Invalid`` for the parameter."""
    names = {name: own for name, own in _names(caller).items() if side in {None, own}}
    lines, more = await ledger.lines(conn, names, asked, currency=currency, source=source)
    items = [
        LedgerLine(
            transfer=identifiers.from_uuid("tra", line.transfer),
            at=times.to_text(line.at),
            account=names[line.account],
            currency=line.currency,
            amount=money.to_decimal(line.amount * _SIGNS[names[line.account]]),
            source=line.source,
            memo=line.memo,
        )
        for line in lines
    ]
    return Page(items, more)


def accounts_of(caller: Caller) -> list[str]:
    """Return the names of the ledger's accounts that are the caller's."""
    return list(_names(caller))


def _names(caller: Caller) -> dict[str, Side]:
    """Return the names of the caller's own accounts: they are made of its id, so no other name can be asked for."""
    return {f"{side}:{caller.id}": side for side in _SIGNS}
