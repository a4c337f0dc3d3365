"""A way to PostgreSQL that can be cut: a proxy that passes everything on, hangs up, or keeps what it is given."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

Mode = Literal["passes", "refuses", "swallows"]


class Wire:
    """``mode`` is what happens to bytes from now on, of open connections as well; ``dsn`` leads through it."""

    def __init__(self, dsn: str) -> None:
        self.mode: Mode = "passes"
        self._parts = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.dsn = ""

    async def start(self) -> Self:
        """The wire is there."""
        self._server = await asyncio.start_server(self._accepts, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user = self._parts.netloc.rpartition("@")[0]
        host = f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
        names = {key: each[0] for key, each in parse_qs(self._parts.query).items()}
        login = f"?user={names['user']}" if "user" in names else ""
        self.dsn = f"postgresql://{host}{self._parts.path}{login}"
        return self

    def cut(self, mode: Mode) -> None:
        """From now on, bytes are lost, or every connection is reset and none is taken."""
        self.mode = mode
        if mode == "refuses":
            for writer in self._open:
                writer.transport.abort()

    async def end(self) -> None:
        """Everything is closed."""
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _accepts(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "refuses":
            writer.transport.abort()
            return
        there, back = await self._server_side()
        self._open |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    async def _server_side(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = parse_qs(self._parts.query).get("host", [unquote(self._parts.hostname or "")])[0]
        port = self._parts.port or int(parse_qs(self._parts.query).get("port", ["5432"])[0])
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if self.mode == "swallows":
                    continue
                to.write(data)
                await to.drain()
        if self.mode != "swallows":
            to.close()


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """Yield a wire to the database ``dsn``."""
    made = await Wire(dsn).start()
    try:
        yield made
    finally:
        await made.end()
