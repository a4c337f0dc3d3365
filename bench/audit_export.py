"""A million uses from the database to Parquet, as the service streams them, beside the same rows one by one."""

from __future__ import annotations

import asyncio
import io
import resource
import shutil
import time
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from bench.measuring import BUILD, RUNS, Figure, numbers_given, record
from bench.service import database_seconds
from licet import times
from licet.audit.layout import Period, period_of
from registry.auditing.export import exported
from registry.auditing.types import Part, Span
from registry.database import Database, EmbeddedPostgres, migrate

EVENTS: Final = numbers_given(1_000_000)[0]
BATCH: Final = 50_000
_MONTH: Final = "2020-06"
_AT: Final = "timestamptz '2020-06-15 12:00:00+00'"
# Rows as they are once posted; whose they are is not looked at, so that nothing else has to be made.
_FILL: Final = (
    f"""
insert into log_entries (index, pending, entry, leaf_hash, at)
values ($1::int, $1, 'e', sha256($1::text::bytea), {_AT})
""",
    f"""
insert into usage_batches (id, organisation, pending, payload_digest, secret, count, new, known, memorandum, totals,
    first_at, last_at, accepted_at)
values (encode(substr(sha256(('b' || $1::int)::bytea), 1, 16), 'hex')::uuid, gen_random_uuid(), $1,
    sha256($1::text::bytea), sha256('s'), {BATCH}, {BATCH}, 0, 0, '[]', {_AT}, {_AT}, {_AT})
""",
    f"""
insert into usage_events (id, organisation, licence, work, atom, run, unit, seq, quantity, at, match, batch, artist,
    currency, amount, fee, escrow, posted_at)
select sha256((b.id || '/' || n)::bytea), b.organisation, b.id,
    encode(substr(sha256(('w' || n)::bytea), 1, 16), 'hex')::uuid, 'train-gen', 'run-' || n % 3, 'run', 0, 1, {_AT},
    'exact', b.id, encode(substr(sha256(('a' || n % 1000)::bytea), 1, 16), 'hex')::uuid, 'USD', 50000, 5000, false,
    {_AT}
from usage_batches b, generate_series(1, {BATCH}) n where b.pending = $1
""",
)
_ROWS: Final = """
select encode(id, 'hex') as id, organisation::text, licence::text, work::text, atom, run, unit, seq, quantity, at,
    match, batch::text, artist::text, currency, amount, fee, escrow, posted_at
from usage_events where posted_at >= $1 and posted_at < $2 order by batch, id
"""


async def streamed(database: Database, month: Period) -> int:
    """Return the bytes of the export."""
    whole = Span(month, times.from_text(month.start), times.from_text(month.end), 0, 0, 0, 0, 1 << 40)
    size = 0
    async for block in exported(database, "events", "parquet", whole, Part(None, None, uses=True)):
        size += len(block)
    return size


async def one_by_one(database: Database, month: Period) -> int:
    """Return the bytes of a file whose rows came through a cursor."""
    out, writer = io.BytesIO(), None
    async with database.transaction(readonly=True) as conn:
        await conn.execute("set local statement_timeout = 0")
        found = await conn.cursor(_ROWS, times.from_text(month.start), times.from_text(month.end))
        while rows := await found.fetch(BATCH):
            names: list[Any] = list(dict(rows[0].items()))
            table = pa.table({name: [row[name] for row in rows] for name in names})
            writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
            writer.write_table(table)
    assert writer is not None
    writer.close()
    return len(out.getvalue())


async def measure() -> None:
    """Measure both on a database of their own."""
    folder = BUILD / "audit_export"
    shutil.rmtree(folder, ignore_errors=True)
    cluster = EmbeddedPostgres(folder)
    database = await Database.connect(cluster.start())
    try:
        await migrate(database)
        async with database.dedicated() as conn:
            await conn.execute("set statement_timeout = 0; set session_replication_role = replica")
            for number in range(EVENTS // BATCH):
                for statement in _FILL:
                    await conn.execute(statement, number, timeout=3600)
            await conn.execute("vacuum analyze usage_events", timeout=3600)
        month = period_of(_MONTH)
        seconds: dict[str, list[float]] = {"streamed": [], "rows one by one": []}
        size, used = 0, (time.process_time(), database_seconds())
        for _ in range(RUNS):
            before = time.process_time(), database_seconds()
            started = time.perf_counter()
            size = await streamed(database, month)
            seconds["streamed"].append(time.perf_counter() - started)
            used = time.process_time() - before[0], database_seconds() - before[1]
            if not seconds["rows one by one"] or EVENTS <= 1_000_000:
                started = time.perf_counter()
                await one_by_one(database, month)
                seconds["rows one by one"].append(time.perf_counter() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        figures = {name: Figure(each, EVENTS) for name, each in seconds.items()}
        processors = f"{used[0]:.1f} s ours, {used[1]:.1f} s of the database"
        record("audit_export", "uses", figures, uses=EVENTS, bytes=size, peak_mib=peak, processors=processors)
    finally:
        await database.close()
        cluster.stop()


def main() -> None:
    """Measure."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
