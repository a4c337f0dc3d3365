"""What accounts open a month with is counted from the last published close: the same figures, from fewer entries."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from licet.statements.periods import ACCRUALS
from registry import ledger
from registry.auditing import queries
from registry.database import Connection, Database
from registry.ledger import Entry, Transfer, periods

pytestmark = pytest.mark.anyio
MONTHS = [f"2024-0{number}" for number in range(1, 6)]
ACCOUNTS = ("payable:art_a", "escrow:art_a", "receivable:org_x", "fee:registry")
#: The same by every entry that there is.
WHOLE = """
select a.name, e.currency,
    coalesce(sum(e.amount) filter (where t.period < $1), 0) as opening,
    coalesce(sum(e.amount) filter (where t.period = $1 and t.kind = any($4::text[])), 0) as accrued,
    coalesce(sum(e.amount) filter (where t.period = $1 and t.kind = 'reversal'), 0) as reversed,
    coalesce(sum(e.amount) filter (
        where t.period = $1 and t.kind <> all($4::text[]) and t.kind <> 'reversal'
    ), 0) as settled
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.period <= $1 and t.source <> all($2::text[]) and ($3::text[] is null or a.name = any($3))
group by a.name, e.currency
"""


async def played(conn: Connection) -> None:
    """Five months of transfers, the first three closed, in entries 10, 20 and 30 of the log."""
    chance = random.Random(7)
    for month in MONTHS:
        at = datetime.fromisoformat(f"{month}-15T00:00:00+00:00")
        for number in range(12):
            one, other = chance.sample(ACCOUNTS, 2)
            amount, currency = chance.randrange(1, 10**6), chance.choice(["USD", "CNY"])
            entries = (Entry(one, currency, amount), Entry(other, currency, -amount))
            kind = chance.choice([*sorted(ACCRUALS), "payment"])
            await ledger.post(conn, [Transfer(f"{month}/{number}", kind, at, f"bat_{month}_{number % 3}", entries)])
        found = await conn.fetchval("select id from transfers where key = $1", f"{month}/0")
        await ledger.reverse(conn, found, key=f"{month}/undo", at=at, source=f"bat_{month}_0")
    for place, month in enumerate(MONTHS[:3], 1):
        await periods.end(conn, month, bytes(32), at)
        await periods.seal(conn, month, at)
        await periods.count(conn, month)
        pending = await conn.fetchval(
            "insert into log_pending (kind, subject, envelope) values ('period-close', $1, '') returning id", month
        )
        await conn.execute(
            "update periods set log_first = 0, log_end = 0, batches = 0, batches_root = secret, pending = $2 "
            "where period = $1",
            month,
            pending,
        )
        await conn.execute(
            "insert into log_entries (index, pending, entry, leaf_hash, at) values ($1, $2, 'x', sha256('x'), $3)",
            place * 10,
            pending,
            at,
        )


async def balances(conn: Connection, query: str, *given: Any) -> dict[tuple[str, str], tuple[int, ...]]:
    columns = ("opening", "accrued", "reversed", "settled")
    rows = {
        (row["name"], row["currency"]): tuple(int(row[each]) for each in columns)
        for row in await conn.fetch(query, *given)
    }
    return {place: amounts for place, amounts in rows.items() if any(amounts)}


@pytest.mark.parametrize("names", [None, ["payable:art_a", "escrow:art_a"]])
async def test_openings_are_those_of_all_entries_whatever_is_closed_and_published(database: Database, names: Any):
    async with database.transaction() as conn:
        await played(conn)
        kinds = sorted(ACCRUALS)
        for month in MONTHS:
            for published in (5, 11, 25, 31):
                open_months = MONTHS[published // 10 :]  # what is not published yet is of a month that is not closed
                hidden = [f"bat_{open_months[0]}_1"] if open_months else []
                given = (month, hidden, names, kinds)
                assert await balances(conn, queries.BALANCES, *given, published) == await balances(conn, WHOLE, *given)


async def test_what_was_posted_before_a_published_close_is_not_read_again(database: Database):
    async with database.transaction() as conn:
        await played(conn)
        given: tuple[Any, ...] = ("2024-05", [], ["payable:art_a"], sorted(ACCRUALS), 31)
        before = await balances(conn, queries.BALANCES, *given)
        await conn.execute("set local session_replication_role = replica")
        await conn.execute("delete from entries where transfer in (select id from transfers where period <= '2024-03')")
        assert await balances(conn, queries.BALANCES, *given) == before
        assert await ledger.rebuild(conn) != []  # which reads everything
