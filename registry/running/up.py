"""Everything on one machine: the database, the processes that answer, the worker; started and stopped as one.

The database is the last to go, and the processes never outlive this one: they end when their stdin does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import structlog

from registry.database import Database, embedded, migrate
from registry.errors import RegistryError, StartError, Unavailable
from registry.running.listening import answers
from registry.running.part import stop_on_signals
from registry.settings import Settings
from registry.translog import open_keys

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
LONGEST_PAUSE: Final = 10.0
_LOOK_EVERY: Final = 0.02
_REFUSED: Final = 2  # exit code of a part that must not be started again
_log = structlog.get_logger("registry.up")


async def up(settings: Settings, ready: Callable[[], None]) -> None:
    """Run the whole service until SIGTERM or SIGINT; calls ``ready`` once it serves.

    Raises ``HeldError`` for a data folder that is in use, ``StartError`` and ``Unavailable``.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    names = [*(["serve"] * settings.workers), "work"]
    children = [Child(name) for name in names]
    try:
        # Started first: they import while the database comes up.
        await asyncio.gather(*(child.start() for child in children))
        async with _database(settings) as dsn:
            await _prepare(settings, dsn)
            given = _given(settings, dsn)
            for child in children:
                child.go(given)
            try:
                if await _until_ready(settings, children, stop):
                    ready()
                    await _supervise(children, given, stop)
            finally:
                await _end(children)
    finally:
        await _end(children)


class Child:
    """One process of the service: alive from `start` to `end`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._begun = False
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The process is importing, and waits for `go`."""
        self.ready.clear()
        self._begun = False
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "registry.running.part", self.name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which ends them in order
        )
        self._listening = asyncio.create_task(self._listen(self._process))

    def go(self, given: dict[str, Any]) -> None:
        """The process begins its work with these settings."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._begun = True
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(msgspec.json.encode(given) + b"\n")

    async def exited(self) -> int:
        """Return the exit code once the process is gone."""
        assert self._process is not None
        return await self._process.wait()

    async def end(self) -> None:
        """The process is gone: asked, then told, then killed."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        if not self._begun:  # it holds nothing yet
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for insist in (process.terminate, process.kill):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
                break
            _log.warning("part.insisting", part=self.name)
            with contextlib.suppress(ProcessLookupError):
                insist()
        await process.wait()
        if self._listening is not None:
            await self._listening
        self._process = None

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line == b"ready\n":
                self.ready.set()
            else:
                sys.stderr.write(line.decode(errors="replace"))


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
        for migration in await migrate(database):
            _log.info("migrated", file=migration.file)
        async with database.acquire() as conn:
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


async def _supervise(children: list[Child], given: dict[str, Any], stop: asyncio.Event) -> None:
    keepers = [asyncio.create_task(_keep(child, given, stop)) for child in children]
    try:
        await asyncio.gather(*keepers)
    except RegistryError:
        stop.set()
        await asyncio.wait(keepers)
        raise


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
