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


ADD = """
insert into transfers (id, key, kind, at, source, memo, lines, reverses)
values ($1, $1::uuid::text, 'usage', $2, 's', '', $3, $4)
"""
ENTER = "insert into entries select $1::uuid, * from unnest($2::bigint[], $3::text[], $4::bigint[])"


async def add(conn: Connection, rows: Rows, reverses: UUID | None = None, lines: int | None = None) -> UUID:
    """Return a transfer that came with its entries in one statement."""
    transfer = new_uuid(AT)
    entries = ENTER.replace("$4", "$7").replace("$3", "$6").replace("$2", "$5")
    columns = map(list, zip(*rows, strict=True))
    count = len(rows) if lines is None else lines
    await conn.execute(f"with made as ({ADD}) {entries}", transfer, AT, count, reverses, *columns)
    return transfer


async def enter(conn: Connection, transfer: UUID, rows: Rows, how: str = "insert") -> None:
    if how == "copy":
        columns = ("transfer", "account", "currency", "amount")
        await conn.copy_records_to_table("entries", records=[(transfer, *row) for row in rows], columns=columns)
    else:
        await conn.execute(ENTER, transfer, *map(list, zip(*rows, strict=True)))


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
async def test_entries_come_all_at_once_in_the_statement_of_their_transfer(database: Database, posted: UUID, how: str):
    dollars: Rows = [(3, "USD", 7), (4, "USD", -7)]
    yuan: Rows = [(3, "CNY", 7), (4, "CNY", -7)]
    async with database.transaction() as conn:
        async with conn.transaction():  # under a savepoint
            transfer = await add(conn, dollars)
        with pytest.raises(asyncpg.RestrictViolationError, match="all of them at once"):  # as many as came, once more
            async with conn.transaction():
                await enter(conn, transfer, yuan, how)
        await add(conn, yuan)
    for lines, rows in ((3, dollars), (2, [*dollars, *yuan])):
        with pytest.raises(asyncpg.RestrictViolationError, match="all of them at once"):
            async with database.transaction() as conn:
                await add(conn, rows, lines=lines)
    with pytest.raises(asyncpg.RestrictViolationError, match="all of them at once"):
        async with database.transaction() as conn:
            transfer = await add(conn, dollars)
            await enter(conn, transfer, yuan, how)
    async with database.transaction() as conn:
        assert await conn.fetchval("select count(*) from transfers") == 3
        assert await ledger.rebuild(conn) == []


@pytest.mark.parametrize("with_others", [False, True])
async def test_no_transfer_is_without_entries(database: Database, posted: UUID, with_others: bool):
    """Neither alone, nor beside one that has its own, though entries of another follow in the same transaction."""
    with pytest.raises(asyncpg.RestrictViolationError, match="its entries come with it"):
        async with database.transaction() as conn:
            if with_others:
                whole, bare = new_uuid(AT), new_uuid(AT)
                await conn.execute(
                    "with made as ("
                    " insert into transfers (id, key, kind, at, source, memo, lines)"
                    " select n, n::text, 'usage', $2, 's', '', 2 from unnest($1::uuid[]) n"
                    ") insert into entries values ($3, 3, 'USD', 7), ($3, 4, 'USD', -7)",
                    [whole, bare],
                    AT,
                    whole,
                )
            else:
                await conn.execute(ADD, new_uuid(AT), AT, 2, None)
    async with database.transaction() as conn:
        assert await conn.fetchval("select count(*) from transfers") == 1


@pytest.mark.parametrize(
    "statement",
    [  # both in one command, as two parts of it, or within a function that it calls
        """
        with made as (
            insert into transfers (id, key, kind, at, source, memo, lines) values ($1, 'k', 'usage', $2, 's', '', 2)
        ), first as (
            insert into entries values ($1, 3, 'USD', 7), ($1, 4, 'USD', -7)
        ) insert into entries values ($1, 3, 'CNY', 7), ($1, 4, 'CNY', -7)
        """,
        """
        with made as (
            insert into transfers (id, key, kind, at, source, memo, lines) values ($1, 'k', 'usage', $2, 's', '', 2)
        ), first as (
            insert into entries values ($1, 3, 'USD', 7), ($1, 4, 'USD', -7)
        ) select slip($1)
        """,
        "select twice($1, $2)",
    ],
)
async def test_no_part_of_a_statement_adds_to_what_another_part_posts(database: Database, posted: UUID, statement: str):
    functions = """
        create function slip(t uuid) returns void language sql as
            $$ insert into entries values (t, 3, 'CNY', 7), (t, 4, 'CNY', -7) $$;
        create function twice(t uuid, moment timestamptz) returns void language sql as $$
            with made as (
                insert into transfers (id, key, kind, at, source, memo, lines)
                values (t, 'k', 'usage', moment, 's', '', 2)
            ) insert into entries values (t, 3, 'USD', 7), (t, 4, 'USD', -7);
            select slip(t)
        $$;
    """
    with pytest.raises((asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError), match="transfer"):
        async with database.transaction() as conn:
            await conn.execute(functions)
            await conn.execute(statement, new_uuid(AT), AT)
    async with database.transaction() as conn:
        assert await conn.fetchval("select count(*) from entries") == 2
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
                await add(conn, rows, posted)
    async with database.transaction() as conn:
        reversal = await add(conn, exact, posted)
    with pytest.raises(asyncpg.CheckViolationError, match="that is no reversal"):
        async with database.transaction() as conn:
            await add(conn, [(1, "USD", -100), (2, "USD", 100)], reversal)
    with pytest.raises(asyncpg.UniqueViolationError, match="reverses"):
        async with database.transaction() as conn:
            await add(conn, exact, posted)
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
            await add(conn, [row, (2, currency, -amount)])


async def test_amounts_whose_sum_64_bits_take_for_nothing_are_out_of_balance(database: Database, posted: UUID):
    """2,049 × (2^53 - 1) is 2^64 + 2^53 - 2049."""
    async with database.transaction() as conn:
        await conn.execute("insert into ledger_accounts (name) select 'payable:' || n from generate_series(1, 2049) n")
    rows = [(number, "USD", 2**53 - 1) for number in range(5, 5 + 2049)]
    with pytest.raises(asyncpg.CheckViolationError, match="out of balance by 18446744073709551616"):
        async with database.transaction() as conn:
            await add(conn, [*rows, (1, "USD", 2049 - 2**53)])
