"""Posting: balanced, once, never changed; a reversal negates once; foreign hands are refused by the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from licet.errors import InputError
from licet.identifiers import new_uuid
from registry import ledger
from registry.database import Database
from registry.errors import Conflict, NotFound
from registry.http.paging import Asked
from registry.ledger import Entry, Transfer, periods

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 30, 23, 59, 59, 999000, tzinfo=UTC)


def sale(
    key: str, gross: int = 50_000, fee: int = 5_000, payee: str = "payable:art_mei", at: datetime = AT
) -> Transfer:
    return Transfer(
        key=key,
        kind="usage",
        at=at,
        source="lic_one",
        entries=(
            Entry("receivable:org_acme", "USD", gross),
            Entry(payee, "USD", fee - gross),
            Entry("fee:registry", "USD", -fee),
        ),
    )


async def posted(database: Database, *transfers: Transfer) -> list[str]:
    async with database.transaction() as conn:
        return await ledger.post(conn, transfers)


async def balance(database: Database, name: str, currency: str = "USD") -> int:
    async with database.acquire() as conn:
        return (await ledger.balances(conn, [name])).get((name, currency), 0)


async def only_transfer(database: Database) -> UUID:
    async with database.acquire() as conn:
        return (await ledger.lines(conn, ["fee:registry"], Asked("/lines", "-at")))[0][0].transfer


async def test_a_transfer_posts_once_however_often_it_is_sent(database: Database):
    assert await posted(database, sale("a"), sale("b"), sale("a")) == ["a", "b"]
    assert await posted(database, sale("a"), sale("c")) == ["c"]
    assert await balance(database, "payable:art_mei") == -135_000
    assert await balance(database, "receivable:org_acme") == 150_000
    assert await balance(database, "fee:registry") == -15_000


async def test_the_same_key_for_something_else_is_a_conflict_and_posts_nothing(database: Database):
    await posted(database, sale("a"))
    with pytest.raises(Conflict, match="the transfer a was posted with other entries"):
        await posted(database, sale("a", gross=60_000), sale("b"))
    with pytest.raises(Conflict, match="say different things"):
        await posted(database, sale("c"), sale("c", gross=60_000))
    assert await balance(database, "receivable:org_acme") == 50_000


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ((Entry("a:x", "USD", 5), Entry("a:y", "USD", -4)), "add up to zero"),
        ((Entry("a:x", "USD", 5), Entry("a:y", "EUR", -5)), "add up to zero"),
        ((Entry("a:x", "USD", 5), Entry("a:x", "USD", -5)), "one entry per account"),
        ((Entry("a:x", "USD", 5), Entry("a:y", "USD", 0), Entry("a:z", "USD", -5)), "no entry of zero"),
        ((), "add up to zero"),
    ],
)
async def test_a_transfer_out_of_form_is_refused_by_name(database: Database, entries, message):
    with pytest.raises(InputError, match=f"transfer bad: .*{message}"):
        await posted(database, Transfer("bad", "usage", AT, "x", entries))


async def test_the_database_itself_refuses_entries_out_of_balance(database: Database):
    transfer, at = new_uuid(AT), AT
    async with database.acquire() as conn:
        await conn.execute("insert into ledger_accounts (name) values ('a:x'), ('a:y')")
        with pytest.raises(asyncpg.CheckViolationError, match="out of balance by 1 micro-units of EUR"):
            await conn.execute(
                "with made as ("
                " insert into transfers (id, key, kind, at, source, memo, lines)"
                " values ($1, 'k', 'usage', $2, 's', '', 4)"
                ") insert into entries values"
                " ($1, 1, 'USD', 7), ($1, 2, 'USD', -7), ($1, 1, 'EUR', 8), ($1, 2, 'EUR', -7)",
                transfer,
                at,
            )
        assert await conn.fetchval("select count(*) from transfers") == 0


@pytest.mark.parametrize("missing", ["transfer", "account"])
async def test_the_database_itself_refuses_entries_of_what_is_not_there(database: Database, missing: str):
    await posted(database, sale("a"))
    add = "insert into entries (transfer, account, currency, amount) values ($1, $2, 'EUR', 5), ($1, $3, 'EUR', -5)"
    async with database.acquire() as conn:
        known = await conn.fetchval("select id from transfers")
        first, second = [row["id"] for row in await conn.fetch("select id from ledger_accounts order by id limit 2")]
        given = (new_uuid(AT), first, second) if missing == "transfer" else (known, first, 10**9)
        with pytest.raises(asyncpg.ForeignKeyViolationError, match=f"there is no {missing}"):
            await conn.execute(add, *given)
        assert await ledger.rebuild(conn) == []
        async with conn.transaction():
            await conn.execute("alter table entries disable trigger user")
            await conn.execute(add, *given)
            wrong = await ledger.rebuild(conn)
            await conn.execute("delete from entries where currency = 'EUR'")
            await conn.execute("alter table entries enable trigger user")
    assert any(f"entry of transfer {given[0]}: expected a transfer and the account" in each for each in wrong)


@pytest.mark.parametrize("table", ["entries", "transfers", "ledger_accounts"])
@pytest.mark.parametrize(
    "change",
    ["delete from {table}", "truncate {table} cascade", "update {table} set {column} = {column}"],
)
async def test_nothing_posted_is_ever_changed_or_removed(database: Database, table: str, change: str):
    await posted(database, sale("a"))
    column = {"entries": "amount", "transfers": "memo", "ledger_accounts": "name"}[table]
    async with database.acquire() as conn:
        with pytest.raises(asyncpg.RestrictViolationError, match="never changed or removed"):
            await conn.execute(change.format(table=table, column=column))


async def test_the_period_follows_the_time_in_utc(database: Database):
    await posted(database, sale("last", at=AT), sale("first", at=datetime(2026, 12, 1, tzinfo=UTC)))
    async with database.acquire() as conn:
        november = await ledger.journal(conn, "2026-11")
        december = await ledger.journal(conn, "2026-12", ["fee:registry"])
    assert {line.key for line in november} == {"last"}
    assert [(line.key, line.account) for line in december] == [("first", "fee:registry")]


async def test_a_reversal_negates_exactly_once(database: Database):
    await posted(database, sale("a"))
    original = await only_transfer(database)

    async def reverse(key: str) -> UUID:
        async with database.transaction() as conn:
            return await ledger.reverse(conn, original, key=key, at=AT, source="dispute", memo="not hers")

    first = await reverse("undo")
    assert await reverse("undo") == first
    for name in ("payable:art_mei", "receivable:org_acme", "fee:registry"):
        assert await balance(database, name) == 0
    with pytest.raises(Conflict, match="reversed already"):
        await reverse("undo-again")
    with pytest.raises(Conflict, match="never reversed"):
        async with database.transaction() as conn:
            await ledger.reverse(conn, first, key="redo", at=AT, source="dispute")
    with pytest.raises(NotFound):
        async with database.transaction() as conn:
            await ledger.reverse(conn, new_uuid(), key="nothing", at=AT, source="dispute")
    async with database.acquire() as conn:
        assert await ledger.reversal(conn, original) == first
        assert await ledger.rebuild(conn) == []


async def test_a_reversal_does_not_take_the_key_of_another_transfer(database: Database):
    await posted(database, sale("a"))
    with pytest.raises(Conflict, match="the key a belongs to another transfer"):
        async with database.transaction() as conn:
            await ledger.reverse(conn, await only_transfer(database), key="a", at=AT, source="dispute")


async def test_many_posters_to_one_hot_account_lose_nothing_and_never_lock_in_a_ring(database: Database):
    async def post(poster: int) -> list[str]:
        keys = [f"k{number:03}" for number in range(poster, poster + 40)]
        return await posted(
            database, *(sale(key, payee=f"payable:art_{key}") for key in keys[:: 1 if poster % 2 else -1])
        )

    results = await asyncio.gather(*(post(poster) for poster in range(12)))
    keys = [key for result in results for key in result]
    assert len(keys) == len(set(keys)) == 51
    assert await balance(database, "receivable:org_acme") == 51 * 50_000
    assert await balance(database, "fee:registry") == -51 * 5_000


async def test_lines_are_paged_without_gap_or_overlap(database: Database):
    await posted(database, *(sale(f"k{number}") for number in range(7)))
    seen: list[ledger.Line] = []
    async with database.acquire() as conn:
        names, cursor, more = ["payable:art_mei", "fee:registry"], None, True
        while more:
            page, cursor = await ledger.lines(conn, names, Asked("/lines", "-at", 3, cursor))
            seen += page
            more = cursor is not None
    assert len(seen) == 14
    assert len({(line.transfer, line.account) for line in seen}) == 14
    assert [line.transfer for line in seen] == sorted((line.transfer for line in seen), reverse=True)


async def test_rebuild_finds_what_somebody_did_behind_the_triggers(database: Database):
    await posted(database, sale("a"), sale("b"), sale("c"))
    async with database.acquire() as conn:
        rows = {row["key"]: row["id"] for row in await conn.fetch("select key, id from transfers")}
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update entries set amount = amount + 1 where transfer = $1 and amount > 0", rows["a"])
        await conn.execute("delete from entries where transfer = $1", rows["b"])
        await conn.execute("update transfers set reverses = $1 where id = $2", rows["a"], rows["c"])
        await conn.execute("set session_replication_role = origin")
        found = await ledger.rebuild(conn)
    assert len(found) == 4
    assert any(f"{rows['a']}: expected 3 entries in balance, got 3, off by 1" in line for line in found)
    assert any(f"{rows['b']}: expected 3 entries in balance, got 0" in line for line in found)
    assert any(f"{rows['c']}: expected exactly the negation of" in line for line in found)
    assert any("expected a sum of 0 USD, got 1" in line for line in found)


async def test_rebuild_finds_a_currency_out_of_balance_beside_another(database: Database):
    dollars = (Entry("receivable:org_acme", "USD", 5), Entry("payable:art_mei", "USD", -5))
    both = (*dollars, Entry("receivable:org_acme", "EUR", 7), Entry("payable:art_mei", "EUR", -7))
    await posted(database, Transfer("a", "usage", AT, "lic_one", both), Transfer("b", "usage", AT, "lic_one", both))
    async with database.acquire() as conn:
        assert await ledger.rebuild(conn) == []
        wrong = await conn.fetchval("select id from transfers where key = 'b'")
        await conn.execute("set session_replication_role = replica")
        # The sum over both currencies stays nothing.
        change = "update entries set amount = amount + $2 where transfer = $1 and amount > 0 and currency = $3"
        await conn.execute(change, wrong, 3, "USD")
        await conn.execute(change, wrong, -3, "EUR")
        await conn.execute("set session_replication_role = origin")
        found = await ledger.rebuild(conn)
    assert found[0] == f"transfer {wrong}: expected 4 entries in balance, got 4, off by 3"
    assert sorted(found[1:]) == ["ledger: expected a sum of 0 EUR, got -3", "ledger: expected a sum of 0 USD, got 3"]


@pytest.mark.parametrize("late", [False, True], ids=["nothing-since", "more-since"])
async def test_rebuild_finds_a_balance_that_a_month_was_closed_with_wrongly(database: Database, *, late: bool):
    within, after = AT - timedelta(days=31), AT - timedelta(days=29)  # the end of October, and November
    month = periods.month_of(within).name
    await posted(database, sale("a", at=within), sale("b", payee="payable:art_bo", at=within))
    async with database.transaction() as conn:
        await periods.end(conn, month, bytes(32), after)
        await periods.seal(conn, month, after)
        await periods.count(conn, month)
    if late:
        await posted(database, sale("c", at=after))
    async with database.acquire() as conn:
        assert await ledger.rebuild(conn) == []
        await conn.execute("set session_replication_role = replica")
        await conn.execute(
            "update period_balances set closing = closing - 1, settled = settled - 1"
            " where account = (select id from ledger_accounts where name = 'payable:art_mei')"
        )
        await conn.execute("set session_replication_role = origin")
        found = await ledger.rebuild(conn)
        kept = (await ledger.balances(conn, ["payable:art_mei"]))["payable:art_mei", "USD"]
    right = -90_000 if late else -45_000
    assert kept == right - 1
    assert found == [f"payable:art_mei: expected a balance of {right} USD, got {kept}"]


async def test_no_sum_is_too_large_to_be_read(database: Database):
    largest = 2**53 - 1
    await posted(database, *(sale(str(number), gross=largest, fee=1) for number in range(1025)))
    assert await balance(database, "payable:art_mei") == 1025 * (1 - largest)
    async with database.acquire() as conn:
        assert await ledger.rebuild(conn) == []
