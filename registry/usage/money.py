"""What the caller is owed or owes: their own ledger accounts, and nobody else's."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from licet import identifiers, money, times
from licet.wire.usage import Balance, BalanceLine, LedgerLine
from registry import ledger
from registry.accounts.identity import Caller
from registry.database import Connection

Side = Literal["payable", "escrow", "receivable"]
# Debit is positive in the ledger: what is owed to somebody stands on the credit side.
_SIGNS: Final[dict[Side, int]] = {"payable": -1, "escrow": -1, "receivable": 1}


async def balance(conn: Connection, caller: Caller) -> Balance:
    """Return what the caller is owed (payable, escrow) and owes (receivable), per currency; zero is left out."""
    names = _names(caller)
    found = await ledger.balances(conn, names)
    lines = [
        BalanceLine(names[account], currency, money.to_decimal(amount * _SIGNS[names[account]]))
        for (account, currency), amount in sorted(found.items())
        if amount
    ]
    return Balance(caller.id, lines, times.to_text(times.now()))


async def entries(
    conn: Connection, caller: Caller, limit: int, *, after: tuple[UUID, str, str] | None = None
) -> list[tuple[tuple[UUID, str, str], LedgerLine]]:
    """Return the caller's entries with their places in the list, newest transfer first, following ``after``."""
    names = _names(caller)
    return [
        (
            (line.transfer, line.account, line.currency),
            LedgerLine(
                transfer=identifiers.from_uuid("tra", line.transfer),
                at=times.to_text(line.at),
                account=names[line.account],
                currency=line.currency,
                amount=money.to_decimal(line.amount * _SIGNS[names[line.account]]),
                source=line.source,
                memo=line.memo,
            ),
        )
        for line in await ledger.lines(conn, names, after=after, limit=limit)
    ]


def _names(caller: Caller) -> dict[str, Side]:
    """Return the names of the caller's own accounts: they are made of its id, so no other name can be asked for."""
    return {f"{side}:{caller.id}": side for side in _SIGNS}
