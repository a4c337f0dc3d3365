"""One process: until SIGTERM or SIGINT, or, as a part of `up`, until the process that started it is gone.

`up` starts ``python -m registry.running.part serve`` and ``… work`` at once, while the database comes up: they import
everything, then read one line of settings from stdin, and say ``ready`` on stdout. Closing their stdin ends them, so
they never outlive a parent that was killed.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog

from registry.errors import RegistryError, Unavailable
from registry.observing import meters, tracing
from registry.observing.logs import log_to_stderr
from registry.settings import Settings

Part = Callable[[Settings, asyncio.Event, Callable[[], None]], Awaitable[None]]


def run_part(name: str, part: Part, settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Run ``part`` until a signal ends it."""
    log_to_stderr(settings, name)
    with _observed(settings, name):
        asyncio.run(_until_signal(part, settings, ready))


@contextmanager
def _observed(settings: Settings, name: str) -> Iterator[None]:
    """Count together with the other processes, and trace if the settings say so, until the block ends."""
    meters.share(settings.data)
    if settings.tracing_url:
        tracing.start(settings.tracing_url, name)
    try:
        yield
    finally:
        tracing.stop()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Make SIGTERM and SIGINT set ``stop``."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _until_signal(part: Part, settings: Settings, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await part(settings, stop, ready)


async def _under_parent(part: Part, settings: Settings, stdin: asyncio.StreamReader) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    watching = asyncio.create_task(_gone(stdin, stop))
    try:
        await part(settings, stop, lambda: print("ready", flush=True))  # noqa: T201  # the parent reads it
    finally:
        watching.cancel()


async def _gone(stdin: asyncio.StreamReader, stop: asyncio.Event) -> None:
    await stdin.read()
    stop.set()


async def _main(name: str) -> int:
    gc.disable()  # what is imported stays: looking through it for rubbish takes a fifth of the time
    part = _part(name)  # the imports take the time; they come before the wait
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # rows come by the thousand and are no rubbish: looking seldom halves their cost
    gc.enable()
    stdin = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    try:
        line = await stdin.readline()
        if not line:
            return 0
        given: dict[str, Any] = msgspec.json.decode(line)
        settings = Settings.load(**given)
        log_to_stderr(settings, name)
        try:
            with _observed(settings, name):
                await _under_parent(part, settings, stdin)
        except RegistryError as error:
            structlog.get_logger("registry").error("refused", error=error.detail)
            return 3 if isinstance(error, Unavailable) else 2
        return 0
    finally:
        pipe.close()


def _part(name: str) -> Part:
    if name == "serve":
        from registry.running.serving import serve

        return serve
    from registry.running.working import work

    return work


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(sys.argv[1])))
