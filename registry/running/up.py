"""Everything on one machine: the database, the processes that answer, the worker; started and stopped as one.

The database is the last to go, and the processes never outlive this one: they end when their stdin does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import structlog

from registry.database import Database, embedded, migrate
from registry.database.launcher import socket_path
from registry.errors import StartError, Unavailable
from registry.observing import meters
from registry.running.child import Child
from registry.running.listening import answers
from registry.running.part import stop_on_signals
from registry.services import up_to_date
from registry.settings import Settings
from registry.translog import open_keys, refuse_copy

START_SECONDS: Final = 60.0
LONGEST_PAUSE: Final = 10.0
_LOOK_EVERY: Final = 0.02
_WATCH_EVERY: Final = 1.0
_MISSES: Final = 2
_REFUSED: Final = 2  # exit code of a part that must not be started again
_log = structlog.get_logger("registry.up")


class _DatabaseDied(Exception):
    """Our own PostgreSQL is gone; parts cannot mend that."""


async def up(settings: Settings, ready: Callable[[], None]) -> None:
    """Run the whole service until SIGTERM or SIGINT; calls ``ready`` once it serves.

    Whatever dies is started again, the database with everything that uses it. Raises ``HeldError`` for a data folder
    that is in use, ``StartError`` and ``Unavailable``.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    told = ready
    while not stop.is_set():
        try:
            await _run(settings, stop, told)
        except _DatabaseDied:
            _log.error("database.died")  # there is nothing to trace
            told = _nothing


def _nothing() -> None:
    """Nobody waits for ``ready`` a second time."""


async def _run(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    names = [*(["serve"] * settings.workers), "work"]
    children = [Child(name) for name in names]
    try:
        # Started first: they import while the database comes up.
        await asyncio.gather(*(child.start() for child in children))
        async with _database(settings) as dsn:
            await _prepare(settings, dsn)
            meters.start_anew(settings.data)
            given = _given(settings, dsn)
            for child in children:
                child.go(given)
            try:
                if await _until_ready(settings, children, stop):
                    ready()
                    watched = None if settings.database_url else _socket(dsn)
                    await _supervise(children, given, stop, watched)
            finally:
                await _end(children)
    finally:
        await _end(children)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with embedded(settings.data, url=settings.url) as dsn:
        yield dsn


async def _prepare(settings: Settings, dsn: str) -> None:
    database = await Database.connect(dsn, connections=2, statement_timeout=settings.statement_timeout)
    try:
        await up_to_date(database, settings)
        applied = await migrate(database)
        for migration in applied:
            _log.debug("migrated", file=migration.file)
        if applied:
            _log.info("migrated", files=len(applied), last=applied[-1].file)
        async with database.acquire() as conn:
            await refuse_copy(conn)
            await open_keys(conn, settings.data / "keys", settings.origin)
    finally:
        await database.close()


def _given(settings: Settings, dsn: str) -> dict[str, Any]:
    return {
        "database_url": dsn,
        "data": str(settings.data.absolute()),
        "host": settings.host,
        "port": settings.port,
        "public_url": settings.url,
    }


async def _until_ready(settings: Settings, children: list[Child], stop: asyncio.Event) -> bool:
    deadline = time.monotonic() + START_SECONDS
    stopping = asyncio.create_task(_set(stop))
    exits = {asyncio.create_task(child.exited()): child for child in children}
    waiting = asyncio.create_task(_all_ready(children))
    try:
        await asyncio.wait([waiting, stopping, *exits], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        while not stop.is_set():
            for task, child in exits.items():
                if task.done():
                    raise StartError(f"the part {child.name} ended with {task.result()} before it was ready")
            if waiting.done() and await answers(settings, "/health/ready"):
                return True
            if time.monotonic() > deadline:
                raise Unavailable(f"the service was not ready within {START_SECONDS:.0f} s; see the log above")
            await asyncio.sleep(_LOOK_EVERY)
        return False
    finally:
        waiting.cancel()
        stopping.cancel()
        for task in exits:
            task.cancel()


async def _set(stop: asyncio.Event) -> None:
    await stop.wait()


async def _all_ready(children: list[Child]) -> None:
    for child in children:
        await child.ready.wait()


async def _supervise(children: list[Child], given: dict[str, Any], stop: asyncio.Event, database: str | None) -> None:
    keepers = [asyncio.create_task(_keep(child, given, stop)) for child in children]
    if database is not None:
        keepers.append(asyncio.create_task(_watch(database, stop)))
    try:
        await asyncio.gather(*keepers)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.wait(keepers)


async def _watch(socket: str, stop: asyncio.Event) -> None:
    """Return at ``stop``; raises ``_DatabaseDied`` when nobody has listened at ``socket`` for two looks."""
    missed = 0
    while not stop.is_set():
        try:
            _, writer = await asyncio.open_unix_connection(socket)
            writer.close()
            missed = 0
        except (ConnectionRefusedError, FileNotFoundError):
            missed += 1
            if missed == _MISSES:
                raise _DatabaseDied from None
        except OSError as error:
            _log.warning("database.unseen", error=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _WATCH_EVERY)


def _socket(dsn: str) -> str:
    (folder,) = parse_qs(urlsplit(dsn).query)["host"]
    return str(socket_path(Path(folder)))


async def _keep(child: Child, given: dict[str, Any], stop: asyncio.Event) -> None:
    """Start ``child`` again whenever it dies, after a growing pause, until ``stop``."""
    wait = 0.5
    while True:
        began = time.monotonic()
        stopping = asyncio.create_task(stop.wait())
        gone = asyncio.create_task(child.exited())
        await asyncio.wait([stopping, gone], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            gone.cancel()
            return
        stopping.cancel()
        code = gone.result()
        if code == _REFUSED:
            raise StartError(f"the part {child.name} refused to go on; see the log above")
        _log.error("part.died", part=child.name, code=code)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
            return
        wait = 0.5 if time.monotonic() - began > LONGEST_PAUSE else min(wait * 2, LONGEST_PAUSE)
        await child.end()
        await child.start()
        child.go(given)


async def _end(children: list[Child]) -> None:
    await asyncio.gather(*(child.end() for child in children))
