"""Whoever reaches the ledger's tables, by whatever statement, cannot unbalance it or change what was posted.

What its owner can do by taking the triggers away, `licet-registry verify` finds: `test_posting`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from licet.identifiers import new_uuid
from registry import ledger
from registry.database import Connection, Database
from registry.errors import Conflict
from registry.ledger import Entry, PeriodClosed, Transfer, periods

pytestmark = pytest.mark.anyio
AT = datetime(2024, 3, 5, 12, tzinfo=UTC)
NOW = datetime(2024, 4, 4, tzinfo=UTC)
NAMES = ("payable:art_a", "receivable:org_x", "fee:registry", "escrow:art_a")
Rows = Sequence[tuple[int, str, int]]  # number of an account, currency, amount


def use(key: str, amount: int = 100, at: datetime = AT, currency: str = "USD") -> Transfer:
    entries = (Entry("receivable:org_x", currency, amount), Entry("payable:art_a", currency, -amount))
    return Transfer(key, "usage", at, "lic_x", entries)


@pytest.fixture
async def posted(database: Database) -> UUID:
    """A transfer of March 2024: 100 from `receivable:org_x` to `payable:art_a`; four accounts have numbers 1 to 4."""
    async with database.transaction() as conn:
        await conn.execute("insert into ledger_accounts (name) select unnest($1::text[])", list(NAMES))
        await ledger.post(conn, [use("a")])
        found: UUID = await conn.fetchval("select id from transfers")
        return found


async def add(conn: Connection, transfer: UUID, lines: int, reverses: UUID | None = None) -> None:
    await conn.execute(
        "insert into transfers (id, key, kind, at, source, memo, lines, reverses)"
        " values ($1, $1::uuid::text, 'usage', $2, 's', '', $3, $4)",
        transfer,
        AT,
        lines,
        reverses,
    )


async def enter(conn: Connection, transfer: UUID, rows: Rows, how: str = "insert") -> None:
    if how == "copy":
        columns = ("transfer", "account", "currency", "amount")
        await conn.copy_records_to_table("entries", records=[(transfer, *row) for row in rows], columns=columns)
    else:
        await conn.execute(
            "insert into entries select $1, * from unnest($2::bigint[], $3::text[], $4::bigint[])",
            transfer,
            *map(list, zip(*rows, strict=True)),
        )


@pytest.mark.parametrize("how", ["insert", "copy"])
@pytest.mark.parametrize("closed", [False, True])
async def test_nothing_is_added_to_what_was_posted_though_it_balances(
    database: Database, posted: UUID, how: str, closed: bool
):
    if closed:
        async with database.transaction() as conn:
            await periods.end(conn, "2024-03", bytes(32), NOW)
        async with database.transaction() as conn:
            await periods.seal(conn, "2024-03", NOW)
    for rows in ([(3, "USD", 7), (4, "USD", -7)], [(1, "CNY", 7), (2, "CNY", -7)]):
        with pytest.raises(asyncpg.RestrictViolationError, match="its entries come with it"):
            async with database.transaction() as conn:
                await enter(conn, posted, rows, how)
    async with database.acquire() as conn:
        assert await conn.fetchval("select count(*) from entries") == 2


@pytest.mark.parametrize("how", ["insert", "copy"])
async def test_entries_come_all_at_once_in_the_transaction_of_their_transfer(
    database: Database, posted: UUID, how: str
):
    dollars: Rows = [(3, "USD", 7), (4, "USD", -7)]
    yuan: Rows = [(3, "CNY", 7), (4, "CNY", -7)]
    async with database.transaction() as conn:
        async with conn.transaction():  # each under a savepoint
            await add(conn, transfer := new_uuid(AT), 2)
        async with conn.transaction():
            await enter(conn, transfer, dollars, how)
    for lines, statements in ((3, [dollars]), (2, [[*dollars, *yuan]]), (4, [dollars, yuan])):
        with pytest.raises(asyncpg.RestrictViolationError, match="all of them at once"):
            async with database.transaction() as conn:
                await add(conn, transfer := new_uuid(AT), lines)
                for rows in statements:
                    await enter(conn, transfer, rows, how)
    async with database.transaction() as conn:
        assert await conn.fetchval("select count(*) from transfers") == 2
        assert await ledger.rebuild(conn) == []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into entries select * from entries on conflict (transfer, account, currency) do update set amount = 1",
        (
            "insert into transfers (id, key, kind, at, source, memo, lines) "
            "select id, key, kind, at, source, memo, lines from transfers on conflict (key) do update set memo = 'x'"
        ),
        "merge into entries e using entries n on e.amount = n.amount when matched then update set amount = 1",
        "merge into entries e using entries n on e.amount = n.amount when matched then delete",
        "merge into transfers t using transfers n on t.id = n.id when matched then update set source = 'lic_y'",
        "with gone as (delete from entries returning amount) select sum(amount) from gone",
        "update entries set amount = -amount where amount > 10^6",  # though it meets none
        "truncate transfers cascade",
        "truncate accounts, log_pending cascade",
    ],
)
async def test_no_statement_changes_what_was_posted(database: Database, posted: UUID, statement: str):
    with pytest.raises(asyncpg.RestrictViolationError, match="never changed or removed"):
        async with database.transaction() as conn:
            await conn.execute(statement)
    async with database.transaction() as conn:
        assert await ledger.balances(conn, NAMES) == {
            ("payable:art_a", "USD"): -100,
            ("receivable:org_x", "USD"): 100,
        }


async def test_a_reversal_is_exact_and_of_no_reversal(database: Database, posted: UUID):
    exact: Rows = [(1, "USD", 100), (2, "USD", -100)]
    wrong: list[Rows] = [
        [(1, "USD", 99), (2, "USD", -99)],
        [(1, "CNY", 100), (2, "CNY", -100)],
        [(3, "USD", 100), (2, "USD", -100)],
        [(1, "USD", -100), (2, "USD", 100)],
        [*exact, (3, "USD", 1), (4, "USD", -1)],
    ]
    for rows in wrong:
        with pytest.raises(asyncpg.CheckViolationError, match="exactly the negation of a transfer that is no reversal"):
            async with database.transaction() as conn:
                await add(conn, transfer := new_uuid(AT), len(rows), posted)
                await enter(conn, transfer, rows)
    async with database.transaction() as conn:
        await add(conn, reversal := new_uuid(AT), 2, posted)
        await enter(conn, reversal, exact)
    with pytest.raises(asyncpg.CheckViolationError, match="that is no reversal"):
        async with database.transaction() as conn:
            await add(conn, again := new_uuid(AT), 2, reversal)
            await enter(conn, again, [(1, "USD", -100), (2, "USD", 100)])
    with pytest.raises(asyncpg.UniqueViolationError, match="reverses"):
        async with database.transaction() as conn:
            await add(conn, new_uuid(AT), 2, posted)
    async with database.transaction() as conn:
        assert await ledger.rebuild(conn) == []


async def test_a_transaction_that_began_before_a_month_was_closed_posts_nothing_into_it(
    database: Database, posted: UUID
):
    """Whatever it has read before; a transfer that was refused there goes into the open month all the same."""
    async with database.transaction() as conn:
        assert await periods.month(conn, "2024-03") is None
        assert await ledger.post(conn, []) == []
        async with database.transaction() as other:
            await periods.end(other, "2024-03", bytes(32), NOW)
        async with database.transaction() as other:
            await periods.seal(other, "2024-03", NOW)
        with pytest.raises(PeriodClosed):
            async with conn.transaction():
                await ledger.post(conn, [use("late")])
        assert await ledger.post(conn, [use("late", at=NOW)]) == ["late"]


async def test_a_month_is_not_sealed_before_those_who_were_posting_have_ended(database: Database, posted: UUID):
    async with database.transaction() as other:
        await periods.end(other, "2024-03", bytes(32), NOW)

    async def seal() -> None:
        async with database.transaction() as other:
            await periods.seal(other, "2024-03", NOW)

    async with database.transaction() as conn:
        await periods.closing(conn, "2024-03")
        await ledger.post(conn, [use("allocated")])
        sealing = asyncio.create_task(seal())
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while not await conn.fetchval(waiting):
            await asyncio.sleep(0.002)
        await ledger.post(conn, [use("allocated too")])
    await sealing
    async with database.transaction() as conn:
        await periods.count(conn, "2024-03")
        accrued = {each.account: each.accrued async for each in periods.kept(conn, "2024-03")}
        assert accrued["receivable:org_x"] == 300


async def test_a_clock_that_goes_back_posts_into_no_closed_month(database: Database, posted: UUID):
    """Nor before it, and a clock that is ahead closes no month that is not over by the database's own clock."""
    async with database.transaction() as conn:
        await periods.end(conn, "2024-03", bytes(32), NOW)
    for back in (timedelta(days=5), timedelta(days=31), timedelta(days=20_000)):
        with pytest.raises(PeriodClosed, match="late goes into the open month"):
            async with database.transaction() as conn:
                await ledger.post(conn, [use("b", at=NOW - back)])
    async with database.transaction() as conn:
        with pytest.raises(Conflict):
            await ledger.post(conn, [use("a", 101, at=NOW)])  # the key means what it meant before the clock changed
    async with database.transaction() as conn:
        assert await ledger.post(conn, [use("a", at=NOW)]) == []


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ((1, "USD", 2**53), asyncpg.CheckViolationError),
        ((1, "USD", -(2**53)), asyncpg.CheckViolationError),
        ((1, "USD", 0), asyncpg.CheckViolationError),
        ((1, "usd", 7), asyncpg.CheckViolationError),
        ((1, "XBTC", 7), asyncpg.CheckViolationError),
        ((99, "USD", 7), asyncpg.ForeignKeyViolationError),
    ],
)
async def test_an_entry_that_is_none_is_refused(database: Database, posted: UUID, row: Any, error: Any):
    _, currency, amount = row
    with pytest.raises(error):
        async with database.transaction() as conn:
            await add(conn, transfer := new_uuid(AT), 2)
            await enter(conn, transfer, [row, (2, currency, -amount)])


async def test_amounts_whose_sum_64_bits_take_for_nothing_are_out_of_balance(database: Database, posted: UUID):
    """2,049 × (2^53 - 1) is 2^64 + 2^53 - 2049."""
    async with database.transaction() as conn:
        await conn.execute("insert into ledger_accounts (name) select 'payable:' || n from generate_series(1, 2049) n")
    rows = [(number, "USD", 2**53 - 1) for number in range(5, 5 + 2049)]
    with pytest.raises(asyncpg.CheckViolationError, match="out of balance by 18446744073709551616"):
        async with database.transaction() as conn:
            await add(conn, transfer := new_uuid(AT), 2050)
            await enter(conn, transfer, [*rows, (1, "USD", 2049 - 2**53)], "copy")
