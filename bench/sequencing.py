"""The log from pending statements to published tiles, beside a tree in memory; how long a statement waits."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Final

import structlog
from pymerkle import InmemoryTree

from bench.measuring import BUILD, RUNS, Figure, record
from registry.database import Database, EmbeddedPostgres, migrate
from registry.storage import FolderStore
from registry.translog import Sequencer, open_keys, submit, wait
from registry.translog.keys import RegistryKeys
from registry.translog.loop import run

ENTRIES: Final = 100_000
ENVELOPE: Final = 1_000  # bytes, as a consent statement has
RATE: Final = 1_000  # submissions a second
SECONDS: Final = 10
_FILL: Final = """
with fresh as (
    insert into log_pending (kind, subject, account, envelope, salt)
    select 'consent', 'stm_' || n, null, decode(repeat('5a', $2::int), 'hex'), sha256((n || '-' || $3)::bytea)
    from generate_series(1, $1::int) as n
    returning id
)
insert into log_queue (pending) select id from fresh
"""


def peer(entries: int) -> float:
    """Return the seconds that a tree in memory takes for as many entries and its root; nothing is signed or kept."""
    started = time.perf_counter()
    tree = InmemoryTree(algorithm="sha256")
    for number in range(entries):
        tree.append_entry(number.to_bytes(165, "big"))
    tree.get_root()
    return time.perf_counter() - started


async def sequenced(database: Database, keys: RegistryKeys, data: Path, mark: int) -> float:
    """Return the seconds from ``ENTRIES`` pending statements to all of them published."""
    async with database.dedicated() as conn, database.dedicated() as out:
        await conn.execute(_FILL, ENTRIES, ENVELOPE, str(mark), timeout=600)
        await conn.execute("analyze log_queue, log_pending")
        sequencer = Sequencer(keys, data, FolderStore(data / "public" / "log"))
        await sequencer.resume(conn)
        started = time.perf_counter()
        while await sequencer.advance(conn, out):
            pass
        return time.perf_counter() - started


async def waits(database: Database, keys: RegistryKeys, data: Path) -> list[float]:
    """Return how long each of ``RATE`` statements a second waited from its submission to its receipt."""
    stop = asyncio.Event()
    log = FolderStore(data / "public" / "log")
    working = asyncio.create_task(run(database, keys, data, log, stop))
    waited: list[float] = []

    async def one(number: int) -> None:
        started = time.perf_counter()
        async with database.transaction() as conn:
            pending = await submit(conn, "consent", f"stm_{number}", os.urandom(ENVELOPE), None)
        await wait(database, pending, timeout=60)
        waited.append(time.perf_counter() - started)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(RATE * SECONDS):
            due = began + number / RATE - time.perf_counter()
            if due > 0:
                await asyncio.sleep(due)
            group.create_task(one(number))
    stop.set()
    await working
    return waited


async def measure(data: Path) -> None:
    """Measure both on a database of its own that waits for the disk as in earnest."""
    cluster = EmbeddedPostgres(data)
    database = await Database.connect(cluster.start(), connections=20)
    try:
        await migrate(database)
        async with database.acquire() as conn:
            keys = await open_keys(conn, data / "keys", "log.example/bench")
        await sequenced(database, keys, data, 0)
        ours, theirs = [], []
        for number in range(1, RUNS + 1):
            ours.append(await sequenced(database, keys, data, number))
            theirs.append(peer(ENTRIES))
        figures = {
            "sequenced and published": Figure(ours, ENTRIES),
            "pymerkle, in memory, unsigned": Figure(theirs, ENTRIES),
        }
        waited = sorted(await waits(database, keys, data))
        facts = {
            "submissions_per_second": RATE,
            "median_wait_ms": round(1000 * statistics.median(waited)),
            "p99_wait_ms": round(1000 * waited[int(len(waited) * 0.99)]),
        }
        record("sequencing", "entries", figures, **facts)
    finally:
        await database.close()
        cluster.stop()


def main() -> None:
    """Measure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    data = BUILD / "sequencing"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    asyncio.run(measure(data))
    shutil.rmtree(data)


if __name__ == "__main__":
    main()
