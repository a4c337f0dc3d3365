"""A month of uses by 100,000 artists closed, and every balance counted again from its entries.

``python -m bench close [EVENTS]``: uses are in the ledger as batches leave them there, a transfer for each payee of a
batch. What a month's close reads is the ledger, so nothing else of the uses is made.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from bench.measuring import BUILD, Figure, numbers_given, record
from bench.service import database_seconds
from licet import identifiers, times
from registry import ledger
from registry.closing.steps import close_month
from registry.database import Database, EmbeddedPostgres, migrate
from registry.ledger import periods
from registry.services import Services
from registry.translog import open_keys

EVENTS: Final = numbers_given(1_700_000)[0]
ARTISTS: Final = 100_000
BATCH: Final = 50_000
PAYEES: Final = 10_000  # of a batch
_ACCOUNTS: Final = """
insert into ledger_accounts (name)
select 'payable:art_' || lpad(n::text, 26, '0') from generate_series(0, $1::int - 1) n
union all values ('receivable:org_' || repeat('0', 26)), ('fee:registry')
"""
_TRANSFERS: Final = """
insert into transfers (id, key, kind, at, source, memo, lines)
select (lpad(to_hex((extract(epoch from $1::timestamptz) * 1000)::bigint), 12, '0')
    || substr(md5($2 || '/' || n), 1, 20))::uuid,
    'bat_' || $2 || '/payable:art_' || n || '/USD', 'usage', $1, 'bat_' || $2, '', 3
from generate_series(0, $3::int - 1) n
"""
_ENTRIES: Final = """
insert into entries (transfer, account, currency, amount)
select t.id, a.id, 'USD', m.amount
from (select id, row_number() over (order by id) as place from transfers where source = 'bat_' || $1) t
cross join lateral (values
    ('receivable:org_' || repeat('0', 26), 16650),
    ('payable:art_' || lpad(((t.place + $2::int * 7919) % $3::int)::text, 26, '0'), -15000),
    ('fee:registry', -1650)
) as m (name, amount)
join ledger_accounts a on a.name = m.name
"""


async def fill(database: Database, at: datetime) -> None:
    """The ledger holds the transfers of ``EVENTS`` uses, posted in the month of ``at``."""
    async with database.dedicated() as conn:
        await conn.execute("set statement_timeout = 0")
        artists = [(identifiers.to_uuid(f"art_{n:026}"), "art", "bench", f"{n:064x}") for n in range(ARTISTS)]
        await conn.copy_records_to_table("accounts", records=artists, columns=("id", "kind", "name", "genesis"))
        await conn.execute(_ACCOUNTS, ARTISTS, timeout=3600)
        await conn.execute("analyze ledger_accounts")
        for number in range(EVENTS // BATCH):
            async with conn.transaction():
                await conn.execute("set local session_replication_role = replica")
                await conn.execute(_TRANSFERS, at + timedelta(seconds=number), str(number), PAYEES, timeout=3600)
                await conn.execute(_ENTRIES, str(number), number, ARTISTS, timeout=3600)
        await conn.execute("vacuum analyze transfers, entries", timeout=3600)


async def timed(work: Any) -> tuple[float, float, float]:
    """Return how long ``work`` takes, and the seconds of processors of this process and of the database."""
    started, own, other = time.perf_counter(), time.process_time(), database_seconds()
    await work
    return time.perf_counter() - started, time.process_time() - own, database_seconds() - other


async def rebuilt(database: Database) -> None:
    """Every balance is the sum of its entries, counted again."""
    async with database.transaction(readonly=True) as conn:
        await conn.execute("set local statement_timeout = 0")
        assert not await ledger.rebuild(conn)


async def measure(data: Path) -> None:
    """Measure on a database of its own."""
    cluster = EmbeddedPostgres(data)
    database = await Database.connect(cluster.start())
    try:
        await migrate(database)
        now = times.now()
        at = now.replace(day=1, hour=12) - timedelta(days=16)
        await fill(database, at)
        async with database.acquire() as conn:
            keys = await open_keys(conn, data / "keys", "log.example/bench")
            entries = await conn.fetchval("select count(*) from entries")
        services = cast("Services", SimpleNamespace(database=database, keys=keys))
        month = periods.month_of(at).name
        rebuild = await timed(rebuilt(database))
        close = await timed(close_month(services, month, now))
        after = await timed(rebuilt(database))
        figures = {
            "close of the month": Figure([close[0]], EVENTS),
            "balances rebuilt": Figure([rebuild[0]], EVENTS),
            "the same after the close": Figure([after[0]], EVENTS),
        }
        facts = {
            name: f"{own:.1f} s of our processor, {other:.1f} s of the database's"
            for name, (_, own, other) in (("close", close), ("rebuild", rebuild))
        }
        record("close", "uses", figures, uses=EVENTS, artists=ARTISTS, entries=entries, **facts)
    finally:
        await database.close()
        cluster.stop()


def main() -> None:
    """Measure."""
    data = BUILD / "close"
    shutil.rmtree(data, ignore_errors=True)
    asyncio.run(measure(data))


if __name__ == "__main__":
    main()
