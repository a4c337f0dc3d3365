"""A registry with debts for tests: organisations that owe, without pictures or licences behind it."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from licet import identifiers, times
from registry import ledger
from registry.accounts import queries as accounts
from registry.database import Connection
from registry.ledger import Entry, Transfer
from registry.services import Services
from registry.settings import Settings
from registry.settlement import remitting, verification
from tests.registry.settlement.bankfile import ACCOUNT

_sources = itertools.count(1)


class Office:
    """What settlement needs of the services: settings and the database, one connection of one transaction."""

    def __init__(self, database: Any, **settings: Any) -> None:
        self.database = database
        self.settings = Settings.load(**{"bank_accounts": (ACCOUNT,), "invoice_minimum": (), **settings})

    @property
    def services(self) -> Services:
        """The same, as the code under test names it."""
        return self  # type: ignore[return-value]  # only these two are asked for


class Kept:
    """A database whose only transaction is never committed: each example begins with nothing."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn

    @asynccontextmanager
    async def transaction(self) -> Any:
        async with self.conn.transaction():
            yield self.conn


async def account(conn: Connection, kind: str = "org", level: int = 2) -> str:
    """Return a new account."""
    number = identifiers.new_uuid()
    await conn.fetchval(accounts.CREATE_ACCOUNT, number, kind, "Lantern", sha256(number.bytes).hexdigest())
    await conn.execute(accounts.SET_LEVEL, number, level)
    return identifiers.from_uuid(kind, number)


async def owe(
    conn: Connection,
    organisation: str,
    amount: int,
    currency: str = "USD",
    *,
    payee: str = "art_x",
    side: str = "payable",
    at: datetime | None = None,
    fee: int = 0,
) -> UUID:
    """``organisation`` owes ``payee`` so much more; the transfer is returned."""
    source = f"lic_{next(_sources)}"
    entries = (
        Entry(f"receivable:{organisation}", currency, amount),
        Entry(f"{side}:{payee}", currency, fee - amount),
        *([Entry("fee:registry", currency, -fee)] if fee else []),
    )
    await ledger.post(conn, [Transfer(source, "licence", at or times.now(), source, entries)])
    found: UUID = await conn.fetchval("select id from transfers where key = $1", source)
    return found


async def remitted(services: Services) -> remitting.Prepared:
    """Prepare remittances as if nothing were held, and nothing too little."""
    given = {"payout_hold": timedelta(0), "payout_minimum": (), "bank_accounts": ("GB29NWBK60161331926819",)}
    chosen = services.settings.model_copy(update=given)
    async with services.database.acquire() as conn:
        await conn.execute("update payouts set usable_at = given_at")
    return await remitting.prepare(replace(services, settings=chosen), times.to_text(times.now())[:7])


async def balances(conn: Connection) -> dict[tuple[str, str], int]:
    """Return every balance of the ledger that is not zero."""
    rows = await conn.fetch(
        "select a.name, e.currency, sum(e.amount) as amount from entries e "
        "join ledger_accounts a on a.id = e.account group by 1, 2 having sum(e.amount) <> 0"
    )
    return {(row["name"], row["currency"]): int(row["amount"]) for row in rows}


async def nothing_is_wrong(conn: Connection) -> None:
    """Count everything again."""
    async with conn.transaction():  # what may be long is read in steps
        assert await ledger.rebuild(conn) == []
        assert await verification.rebuild(conn) == []
