"""Answering requests: the application under granian, in this process's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from registry.app import create_app
from registry.errors import Unavailable
from registry.running.listening import answers
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
