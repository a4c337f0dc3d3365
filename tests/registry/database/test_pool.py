"""The pool: transactions commit or leave nothing, losers try again, a lost server is said to be unavailable."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from registry.database import Database, once_committed
from registry.errors import DatabaseUnavailable, StartError

pytestmark = pytest.mark.anyio


async def test_values_come_back_as_the_types_that_services_use(database: Database):
    identity = uuid.uuid4()
    async with database.acquire() as connection:
        row = await connection.fetchrow(
            "SELECT $1::uuid AS id, $2::timestamptz AS at, $3::bytea AS raw, $4::jsonb AS json, '允许' AS text",
            identity,
            datetime(2026, 11, 22, tzinfo=UTC),
            b"\x00\xff",
            '{"a": 1}',
        )
    assert row is not None
    assert row["id"] == identity
    assert isinstance(row["id"], uuid.UUID)
    assert row["at"] == datetime(2026, 11, 22, tzinfo=UTC)
    assert row["raw"] == b"\x00\xff"
    assert row["json"] == '{"a": 1}'
    assert row["text"] == "允许"


async def test_a_transaction_that_raises_leaves_nothing(database: Database):
    async with database.acquire() as connection:
        await connection.execute("CREATE TABLE t (n int)")
    with pytest.raises(RuntimeError, match="stop"):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
            raise RuntimeError("stop")
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO t VALUES (2)")
    async with database.acquire() as connection:
        assert [row["n"] for row in await connection.fetch("SELECT n FROM t")] == [2]


async def test_work_that_loses_a_deadlock_is_done_again(database: Database):
    async with database.acquire() as connection:
        await connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)")
    meeting = asyncio.Barrier(2)
    calls = 0

    async def add(first: int, second: int) -> None:
        met = False

        async def work(connection) -> None:
            nonlocal calls, met
            calls += 1
            await connection.execute("SET LOCAL deadlock_timeout = '20ms'")
            await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", first)
            if not met:
                met = True
                await meeting.wait()
            await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", second)

        await database.run(work)

    await asyncio.gather(add(1, 2), add(2, 1))
    assert calls == 3
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT array_agg(n) FROM t") == [2, 2]


async def test_a_serialization_failure_ends_as_unavailable_after_the_last_attempt(database: Database):
    async def work(connection) -> None:
        await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(DatabaseUnavailable, match="too busy"):
        await database.run(work, attempts=2)


async def test_a_statement_over_its_time_is_unavailable(empty_dsn: str):
    database = await Database.connect(empty_dsn, statement_timeout=timedelta(milliseconds=50))
    try:
        with pytest.raises(DatabaseUnavailable, match="statement timeout"):
            async with database.acquire() as connection:
                await connection.fetchval("SELECT pg_sleep(5)")
        async with database.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def test_a_cut_connection_is_unavailable_and_the_next_one_works(database: Database):
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            async with database.acquire() as other:
                await other.execute("SELECT pg_terminate_backend($1)", pid)
            await connection.fetchval("SELECT 1")
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_whenever_connections_are_cut_callers_see_success_or_unavailable(database: Database):
    seen: set[str] = set()
    done = asyncio.Event()

    async def use(transaction: bool) -> None:
        while not done.is_set():
            try:
                async with database.transaction() if transaction else database.acquire() as connection:
                    await connection.fetch("SELECT pg_sleep(0.001)")
                    await connection.fetch("SELECT * FROM generate_series(1, 100)")
                seen.add("success")
            except DatabaseUnavailable:
                seen.add("unavailable")
            except Exception as error:
                seen.add(repr(error))

    users = [asyncio.create_task(use(number % 2 == 0)) for number in range(8)]
    async with database.dedicated() as killer:
        for _ in range(25):
            await asyncio.sleep(0.01)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3"
            )
    done.set()
    await asyncio.gather(*users)
    assert seen == {"success", "unavailable"}


async def test_a_connection_whose_driver_lost_track_is_unavailable_though_it_cannot_roll_back(database: Database):
    """As when the server dies in the middle of a COPY: the driver believes that a statement is still under way."""
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as connection:
            sleeping = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0)
            raise asyncpg.InternalClientError("cannot switch to state 21; another operation (2) is in progress")
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await sleeping
    with pytest.raises(asyncpg.InterfaceError):  # two statements at once are our mistake
        async with database.acquire() as connection:
            await asyncio.gather(*(connection.execute("SELECT pg_sleep(0.01)") for _ in range(2)))


async def test_a_broken_constraint_reaches_the_caller_as_it_is(database: Database):
    async with database.acquire() as connection:
        await connection.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")


@pytest.mark.parametrize("code", ["53100", "58030", "53200"], ids=["disk full", "disk fails", "no memory"])
async def test_a_server_without_room_is_unavailable_and_goes_on_when_there_is(database: Database, code: str):
    with pytest.raises(DatabaseUnavailable, match="no room"):
        async with database.transaction() as connection:
            await connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no room' USING errcode = '{code}'; END $$")
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_no_server_is_unavailable_and_no_password_is_shown():
    with pytest.raises(DatabaseUnavailable) as caught:
        await Database.connect("postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert "127.0.0.1:1/nowhere" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_missing_database_is_named(empty_dsn: str):
    with pytest.raises(StartError, match="nowhere"):
        await Database.connect(empty_dsn.replace("/licet_", "/nowhere_"))


async def test_a_dedicated_connection_hears_what_is_notified(database: Database):
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with database.dedicated() as ear:
        await ear.add_listener("news", lambda *event: heard.put_nowait(event[3]))
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_notify('news', 'hello')")
        assert await asyncio.wait_for(heard.get(), 5) == "hello"


async def test_what_is_to_be_done_once_committed_is_not_done_for_what_is_taken_back(database: Database):
    done: list[str] = []
    async with database.acquire() as connection:
        assert not once_committed(connection, lambda _database: done.append("no transaction"))
    async with database.transaction() as outer:
        assert once_committed(outer, lambda _database: done.append("outer"))
        async with database.transaction() as inner:
            assert once_committed(inner, lambda _database: done.append("inner"))
        assert done == ["inner"]
        assert not once_committed(inner, lambda _database: done.append("after it"))
    assert done == ["inner", "outer"]
    with pytest.raises(RuntimeError, match="stop"):
        async with database.transaction() as connection:
            once_committed(connection, lambda _database: done.append("taken back"))
            raise RuntimeError("stop")
    assert done == ["inner", "outer"]


async def test_a_connection_that_is_given_back_keeps_no_transaction_open(database: Database):
    async with database.acquire() as connection:
        await connection.execute("CREATE TABLE left_open (n int)")
    async with database.acquire() as connection:
        process = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO left_open VALUES (1)")
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") == process
        assert await connection.fetchval("SELECT count(*) FROM left_open") == 0
