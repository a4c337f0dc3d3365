"""Answering requests: the application under granian, in this process's event loop."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from registry.app import create_app
from registry.errors import Unavailable
from registry.running.listening import answers
from registry.settings import Settings

_BACKLOG: Final = 1024
# Connections of one process, whether anything is asked on them or not; more wait in the backlog. Each takes a file.
CONNECTIONS: Final = 4_096
_OTHER_FILES: Final = 512
# Milliseconds until the headers of a request must be there, from the opening of the connection or the answer before.
HEADERS_WITHIN: Final = 20_000
_LOOK_EVERY: Final = 0.02


async def serve(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Answer requests until ``stop``; calls ``ready`` once the first would be answered.

    Requests under way are finished. Raises ``StartError`` and ``Unavailable`` if the service cannot start.
    """
    app = create_app(settings)
    async with app.lifespan():
        server = listening(app, settings.host, settings.port)
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


def listening(app: Any, host: str, port: int) -> Server:
    """Return the server that answers for ``app`` on this port, once its ``serve`` is awaited."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        # Not HTTP/2, nor finding out which of both it is: neither ever closes a connection that says nothing.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN),
        backlog=_BACKLOG,
        backpressure=_room(),
        websockets=False,
        log_enabled=False,
    )


def _room() -> int:
    """Return how many connections may be open at a time: as many as there are files for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(CONNECTIONS, soft - _OTHER_FILES))
