"""Nothing enters a month that is sealed: not late, not at the same moment, not by another way than the service's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from licet.identifiers import new_uuid
from registry import ledger
from registry.database import Database
from registry.ledger import Entry, PeriodClosed, Transfer, periods

pytestmark = pytest.mark.anyio
AT = datetime(2024, 3, 31, 23, 59, 59, 999000, tzinfo=UTC)
NOW = datetime(2024, 4, 4, tzinfo=UTC)
SECRET = bytes(32)


def use(key: str, amount: int = 10, at: datetime = AT) -> Transfer:
    entries = (Entry("receivable:org_x", "USD", amount), Entry("payable:art_a", "USD", -amount))
    return Transfer(key, "usage", at, "lic_x", entries)


async def post(database: Database, *transfers: Transfer) -> list[str]:
    async with database.transaction() as conn:
        return await ledger.post(conn, transfers)


async def ended(database: Database, period: str = "2024-03") -> None:
    async with database.transaction() as conn:
        await periods.end(conn, period, SECRET, NOW)


async def sealed(database: Database, period: str = "2024-03") -> None:
    await ended(database, period)
    async with database.transaction() as conn:
        await periods.seal(conn, period, NOW)


async def test_a_closed_month_and_those_before_it_are_refused_and_the_next_is_open(database: Database):
    await post(database, use("a"))
    await sealed(database)
    for at in (AT, AT - timedelta(days=40)):
        with pytest.raises(PeriodClosed, match=f"the month {at:%Y-%m} is closed: transfer late cannot be posted"):
            await post(database, use("late", at=at))
    assert await post(database, use("a")) == []  # it is there already
    assert await post(database, use("b", at=AT + timedelta(milliseconds=1))) == ["b"]
    transfer = (await rows(database, "select id from transfers where key = 'a'"))[0]["id"]
    with pytest.raises(PeriodClosed):
        async with database.transaction() as conn:
            await ledger.reverse(conn, transfer, key="r", at=AT, source="x")
    async with database.transaction() as conn:
        await ledger.reverse(conn, transfer, key="r", at=NOW, source="x")
        assert await ledger.rebuild(conn) == []


async def test_only_the_close_itself_posts_into_a_month_that_has_ended(database: Database):
    await ended(database)
    with pytest.raises(PeriodClosed):
        await post(database, use("a"))
    async with database.transaction() as conn:
        await periods.closing(conn, "2024-03")
        assert await ledger.post(conn, [use("allocated")]) == ["allocated"]
    with pytest.raises(PeriodClosed):  # the leave ends with its transaction
        await post(database, use("b"))
    await sealed(database)
    with pytest.raises(PeriodClosed):
        async with database.transaction() as conn:
            await periods.closing(conn, "2024-03")
            await ledger.post(conn, [use("c")])


async def test_who_posts_while_a_month_is_sealed_is_in_it_or_is_refused(database: Database):
    """Each transfer waits in its transaction for a random while around the seal: what was committed is counted."""
    going = asyncio.Event()

    async def poster(number: int) -> str | None:
        await going.wait()
        await asyncio.sleep(number * 0.002)
        try:
            async with database.transaction() as conn:
                await ledger.post(conn, [use(f"t{number}", 1 << number)])
                await asyncio.sleep(0.03)
            return f"t{number}"
        except PeriodClosed:
            return None

    async def sealer() -> int:
        await going.wait()
        await asyncio.sleep(0.02)
        await sealed(database)
        async with database.transaction() as conn:
            await periods.count(conn, "2024-03")
            return sum([each.accrued async for each in periods.kept(conn, "2024-03") if each.account[0] == "r"])

    posters = [asyncio.create_task(poster(number)) for number in range(20)]
    counting = asyncio.create_task(sealer())
    going.set()
    done = await asyncio.gather(*posters)
    counted = await counting
    assert counted == sum(1 << number for number, key in enumerate(done) if key is not None)
    assert None in done
    async with database.transaction() as conn:
        assert await ledger.rebuild(conn) == []
        assert await ledger.balances(conn, ["receivable:org_x"]) == {("receivable:org_x", "USD"): counted}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "insert into periods (period, secret, ended_at) values ('2024-05', $1, now())",
            asyncpg.RestrictViolationError,
        ),
        (
            "insert into periods (period, secret, ended_at) values ('9998-01', $1, now())",
            asyncpg.RestrictViolationError,
        ),
        ("update periods set secret = $1 || substr(secret, 1, 0)", asyncpg.RestrictViolationError),
        ("update periods set sealed_at = null where $1::bytea is not null", asyncpg.RestrictViolationError),
        ("delete from periods where $1::bytea is not null", asyncpg.RestrictViolationError),
    ],
)
async def test_no_month_is_skipped_and_none_is_taken_back(database: Database, statement: str, error: Any):
    await sealed(database)
    async with database.acquire() as conn:
        with pytest.raises(error):
            await conn.execute(statement, bytes(31) + b"x")


async def test_who_cannot_see_that_a_month_was_sealed_cannot_post(database: Database):
    for isolation in ("repeatable_read", "serializable"):
        with pytest.raises(asyncpg.InvalidTransactionStateError, match="READ COMMITTED"):
            async with database.transaction(isolation=isolation) as conn:
                await ledger.post(conn, [use("a")])
    async with database.acquire() as conn:
        with pytest.raises(asyncpg.CheckViolationError, match="does not begin with its moment"):
            await conn.execute(
                "insert into transfers (id, key, kind, at, source, memo, lines) values ($1, 'k', 'k', $2, 's', '', 2)",
                new_uuid(AT + timedelta(seconds=1)),
                AT,
            )


async def rows(database: Database, query: str) -> Any:
    async with database.acquire() as conn:
        return await conn.fetch(query)
