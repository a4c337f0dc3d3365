"""The sequencer at work: one process has the turn, others stand by; woken by whoever commits, it gathers and logs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from registry.database import Connection, Database
from registry.errors import DatabaseUnavailable, StoreUnavailable
from registry.observing import tracing
from registry.storage import Store
from registry.translog import queries
from registry.translog.bell import NAMED
from registry.translog.keys import RegistryKeys
from registry.translog.sequencer import BATCH, LOOK_EVERY, Archive, Sequencer
from registry.translog.witnesses import Quorumless, Witnesses

_GATHERED: Final = 0.1  # seconds of gathering at most before the next batch, where statements keep coming
_GATHERED_EACH: Final = 0.002  # of it for each statement of the last batch: who comes alone does not wait
_TRY_AGAIN: Final = 0.5
# What nobody waits for is archived at a fifth of one core at most. The server reads all of a transaction that goes on
# anew each time, so looking at a million works every second would cost more the longer they take.
_RESTS: Final = 4.0

log = structlog.get_logger("registry.translog")


async def run(
    database: Database,
    keys: RegistryKeys,
    data: Path,
    log_files: Store,
    stop: asyncio.Event,
    archive: Archive | None = None,
    *,
    witnesses: Witnesses | None = None,
    wait_for_witnesses: bool = False,
    reach: Callable[[str], None] = lambda step: None,
) -> None:
    """Be the sequencer, or stand by for the one that is, until ``stop``; what is pending then stays pending.

    The database, the disk or the bucket failing is waited out. Raises ``StartError`` if this database must not be
    continued.
    """
    sequencer = Sequencer(
        keys, data, log_files, archive, witnesses=witnesses, wait_for_witnesses=wait_for_witnesses, reach=reach
    )
    while not stop.is_set():
        try:
            async with database.dedicated() as conn, database.dedicated() as out:
                while not await conn.fetchval("select pg_try_advisory_lock($1)", queries.SEQUENCER_LOCK):
                    if await _first(stop, _TRY_AGAIN):
                        return
                cosigning = asyncio.create_task(sequencer.keep_cosigned(database))
                try:
                    await _work(sequencer, conn, out, stop)
                finally:
                    cosigning.cancel()
                    await asyncio.gather(cosigning, return_exceptions=True)
                    await sequencer.halt()
        except (DatabaseUnavailable, StoreUnavailable, Quorumless, OSError) as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from error  # a lost connection must not swallow the cancellation
            log.warning("sequencer.waiting", error=str(error))
            await _first(stop, _TRY_AGAIN)


async def _work(sequencer: Sequencer, conn: Connection, out: Connection, stop: asyncio.Event) -> None:
    bell = asyncio.Event()
    asked_by: list[str] = []
    due = 0.0

    def rung_by(_conn: object, _process: int, _channel: str, requests: str) -> None:
        if len(asked_by) < NAMED:
            asked_by.extend(requests.split())
        bell.set()

    await conn.add_listener(queries.PENDING_CHANNEL, rung_by)
    for each in (conn, out):
        await each.execute(queries.DURABLE)
    size = (await sequencer.resume(conn)).size
    if size and (why := sequencer.keys.not_beside(size)) is not None:
        log.warning("log.not-cosigned", why=why)
    ended = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            worth_a_span = bell.is_set()  # no span for a look that finds nothing
            bell.clear()
            while not stop.is_set():
                began = time.monotonic()
                with tracing.span("sequencer.integrate") if worth_a_span else contextlib.nullcontext():
                    count = await sequencer.advance(conn, out)
                if not count:
                    break
                worth_a_span = False
                log.info("sequencer.integrated", entries=count, requests=asked_by[:NAMED])
                asked_by.clear()
                if count < BATCH:
                    gathering = min(_GATHERED, count * _GATHERED_EACH) - (time.monotonic() - began)
                    await _first(stop, max(0.0, gathering))
            if (began := time.monotonic()) >= due:
                await sequencer.keep(conn)  # what is not for the log, too
                await sequencer.let_go(conn)
                now = time.monotonic()
                due = now + _RESTS * (now - began)
            rung = asyncio.ensure_future(bell.wait())
            await asyncio.wait([rung, ended], timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            rung.cancel()
        await sequencer.left()
    finally:
        ended.cancel()


async def _first(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
