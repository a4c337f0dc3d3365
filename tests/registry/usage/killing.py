"""What fails under a service while it is used: a database that is killed, and a line on which answers are lost."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg

from registry.database import Database, EmbeddedPostgres, migrate
from tests.registry import clusters


class Killed:
    """An embedded database that dies by SIGKILL, whole or by one of its processes, and comes back."""

    def __init__(self, data: Path, chance: random.Random) -> None:
        # What the kernel was given outlives any process, so nothing waits for the disk.
        self._server = EmbeddedPostgres(clusters.plant(data), options={"fsync": "off", "max_connections": "60"})
        self._note = data / "postgres" / "postmaster.pid"
        self._chance = chance
        self.kills = 0

    async def start(self) -> str:
        """Return the address of the database, whose schema is ours."""
        dsn = await asyncio.to_thread(self._server.start)
        database = await Database.connect(dsn, connections=1)
        await migrate(database)
        await database.close()
        return dsn

    async def kill(self) -> None:
        """The database was killed and recovers: all of it at once, or one process, for which it ends all others."""
        postmaster = int(self._note.read_text().split()[0])
        backends = [each for each in _children(postmaster) if _serves(each)]
        self.kills += 1
        if backends and self._chance.random() < 0.5:
            _kill(self._chance.choice(backends))
            return
        for each in [postmaster, *_children(postmaster)]:
            _kill(each)
        self._server.stop()
        await asyncio.to_thread(self._server.start)

    def stop(self) -> None:
        """The database is down."""
        self._server.stop()


class Line:
    """A line to a service that loses what it is asked or answers, now and then, as `chance` has it."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self._to = urlsplit(url)
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._asked = asyncio.Event()
        self.unanswered = self.torn = self.unheard = 0
        self.holds = False
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepts, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def asked(self) -> None:
        """Return when the service is asked something, which it has not answered yet."""
        self._asked.clear()
        await self._asked.wait()

    async def _accepts(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        try:
            passing = {
                asyncio.create_task(self._ask(reader, back)),
                asyncio.create_task(self._answer(there, writer)),
            }
            _, others = await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            for each in others:
                each.cancel()
            await asyncio.gather(*passing, return_exceptions=True)
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _ask(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            to.write(data)
            await to.drain()
            self._asked.set()
            if self._loses(0.03):  # the service works on for nobody
                self.unheard += 1
                return

    async def _answer(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            if self._loses(0.15):  # all is committed, and whoever asked hears nothing
                self.unanswered += 1
                return
            if self._loses(0.05):
                self.torn += 1
                to.write(data[: len(data) // 2])
                await to.drain()
                return
            to.write(data)
            await to.drain()

    def _loses(self, share: float) -> bool:
        return not self.holds and self._chance.random() < share


@asynccontextmanager
async def killed(data: Path, chance: random.Random) -> AsyncIterator[tuple[Killed, str]]:
    """Yield an embedded database to be killed, and its address."""
    server = Killed(data, chance)
    with _left_behind():
        try:
            yield server, await server.start()
        finally:
            server.stop()


@contextmanager
def _left_behind() -> Iterator[None]:
    """Let go of what the driver leaves behind when a server dies in the middle of a COPY: answers nobody waits for."""
    loop = asyncio.get_running_loop()
    told = loop.get_exception_handler()

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), asyncpg.ConnectionDoesNotExistError):
            loop.default_exception_handler(context) if told is None else told(loop, context)

    loop.set_exception_handler(tell)
    try:
        yield
    finally:
        gc.collect()  # they are told of when they are thrown away
        loop.set_exception_handler(told)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"PPid:\t{parent}\n" in entry.read_text(errors="replace"):
                found.append(int(entry.parent.name))
    return found


def _serves(process: int) -> bool:
    """Whether a process of the server is one that answers our statements."""
    with contextlib.suppress(OSError):
        return b"licet licet [local]" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
