"""Answering requests: the application under granian, in this process's event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from registry.app import create_app
from registry.errors import SettingsError, Unavailable
from registry.settings import Settings

_BACKLOG = 1024
_CONCURRENT = 512  # requests at a time in one process; more wait in the backlog
_LOOK_EVERY = 0.02


async def serve(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Answer requests until ``stop``; calls ``ready`` once the first would be answered.

    Requests under way are finished. Raises ``StartError`` and ``Unavailable`` if the service cannot start.
    """
    app = create_app(settings)
    async with app.lifespan():
        server = Server(
            app,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            backlog=_BACKLOG,
            backpressure=_CONCURRENT,
            websockets=False,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        try:
            # Asked again and again: granian has no event for "listening".
            while not (serving.done() or stopping.done() or await answers(settings)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_EVERY)
            if not serving.done() and not stopping.done():
                ready()
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            if serving.done() and not stopping.done():
                raise Unavailable(f"the server on {settings.host}:{settings.port} ended by itself") from (
                    serving.exception()
                )
        finally:
            stopping.cancel()
            server.stop()  # type: ignore[no-untyped-call]  # granian is typed but for this
            await asyncio.wait([serving])


def claim_port(host: str, port: int) -> int:
    """Return the port to use: ``port`` if it is free, any free one for 0.

    Granian shares its port with processes of its kind, so two services would each get half of the requests: whoever
    starts asks here first. Raises ``Unavailable`` if it is in use and ``SettingsError`` if it cannot be had at all.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            chosen: int = probe.getsockname()[1]
            return chosen
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(f"port {port} on {host} is in use; stop what uses it, or choose another") from None
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def local_url(settings: Settings) -> str:
    """Return the address that this machine reaches the service under."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


async def answers(settings: Settings, path: str = "/health/live", seconds: float = 5.0) -> bool:
    """Return whether ``GET path`` is answered with 200 at this moment."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared only
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, settings.port)
            try:
                writer.write(request.encode())
                status = await reader.readline()
                await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.startswith(b"HTTP/1.1 200 ")
