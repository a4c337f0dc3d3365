"""Transfers a second, of many accounts and into one, beside pgledger's SQL on the same PostgreSQL.

``python -m bench ledger [SECONDS]``; pgledger takes part where ``LICET_BENCH_PGLEDGER`` names a folder of its files
(https://github.com/pgr0ss/pgledger): each way is used by as many connections, one transfer a transaction, and in bulk.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.measuring import BUILD, Figure, numbers_given, record
from bench.service import database_seconds
from licet import identifiers, times
from registry import ledger
from registry.database import Database, EmbeddedPostgres, migrate
from registry.ledger import Entry, Transfer

SECONDS: Final = numbers_given(4)[0]
ACCOUNTS: Final = 1_000
CONNECTIONS: Final = 8
BULK: Final = 1_000
ROUNDS: Final = 3
_FILES: Final = (
    "vendor/scoville-pgsql-ulid/ulid-to-uuid.sql",
    "vendor/scoville-pgsql-ulid/uuid-to-ulid.sql",
    "pgledger.sql",
)
_THEIRS: Final = """
select count(*) from pgledger_create_transfers(
    (select array_agg((f, t, 333)::transfer_request) from unnest($1::text[], $2::text[]) as p (f, t))
)
"""
Post = Callable[[Any, Sequence[int]], Awaitable[None]]


async def ours(conn: Any, payees: Sequence[int]) -> None:
    """One transfer of two entries to each of ``payees`` is in the ledger, in one transaction."""
    at, source = times.now(), identifiers.new_id("bat")
    transfers = [
        Transfer(
            key=f"{source}/{place}",
            kind="usage",
            at=at,
            source=source,
            entries=(Entry("receivable:bench", "USD", 333), Entry(f"payable:bench_{payee}", "USD", -333)),
        )
        for place, payee in enumerate(payees)
    ]
    async with conn.transaction():
        await ledger.post(conn, transfers)


async def theirs(database: Database, folder: Path) -> Post:
    """Return what does the same with pgledger's SQL, which is in a schema of its own."""
    async with database.dedicated() as conn:
        await conn.execute("create schema pgledger; set search_path = pgledger, public")
        for name in _FILES:
            await conn.execute((folder / name).read_text("utf-8"))
        made = "select (pgledger_create_account(n::text, 'USD')).id from generate_series(0, $1::int) n"
        ids = [row["id"] for row in await conn.fetch(made, ACCOUNTS)]

    async def post(conn: Any, payees: Sequence[int]) -> None:
        async with conn.transaction():
            # In bulk eight of its connections wait for each other's accounts for longer than our service lets anybody.
            await conn.execute("set local search_path = pgledger, public; set local statement_timeout = 0")
            await conn.fetchval(_THEIRS, [ids[ACCOUNTS]] * len(payees), [ids[payee] for payee in payees])

    return post


async def rate(database: Database, post: Post, size: int, *, hot: bool) -> tuple[float, int]:
    """Return the seconds that ``CONNECTIONS`` posted ``size`` transfers a transaction for, and how many they posted."""
    started, done = time.perf_counter(), 0

    async def poster(seed: int) -> None:
        nonlocal done
        drawn = random.Random(seed)
        async with database.dedicated() as conn:
            while time.perf_counter() - started < SECONDS:
                try:
                    await post(conn, [0 if hot else drawn.randrange(ACCOUNTS) for _ in range(size)])
                except asyncpg.DeadlockDetectedError:
                    continue
                done += size

    await asyncio.gather(*(poster(number) for number in range(CONNECTIONS)))
    return time.perf_counter() - started, done


async def measure() -> None:
    """Measure on a database of its own that waits for the disk as in earnest."""
    data = BUILD / "ledger"
    shutil.rmtree(data, ignore_errors=True)
    cluster = EmbeddedPostgres(data)
    database = await Database.connect(cluster.start(), connections=20)
    try:
        await migrate(database)
        ways: dict[str, Post] = {"ours": ours}
        if (folder := os.environ.get("LICET_BENCH_PGLEDGER")) is not None:
            ways["pgledger"] = await theirs(database, Path(folder))
        figures: dict[str, Figure] = {}
        used: dict[str, float] = {}
        for round_ in range(ROUNDS + 1):  # the first warms up
            for size in (1, BULK):
                for hot in (False, True):
                    for who, post in ways.items():
                        name = f"{who}, {'one account' if hot else 'spread'}, {size} a transaction"
                        before = database_seconds()
                        seconds, count = await rate(database, post, size, hot=hot)
                        if round_:
                            each = seconds / max(count, 1)
                            spent = (database_seconds() - before) / max(count, 1) * 1e6 / ROUNDS
                            figures[name] = Figure([*(figures[name].seconds if name in figures else []), each], 1)
                            used[name] = used.get(name, 0.0) + spent
        facts = {f"microseconds of the database's processor: {name}": round(each) for name, each in used.items()}
        record("ledger", "transfers", figures, accounts=ACCOUNTS, connections=CONNECTIONS, **facts)
    finally:
        await database.close()
        cluster.stop()


def main() -> None:
    """Measure."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
