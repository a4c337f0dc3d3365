"""Every loop of the worker, kept running until told to stop.

Each loop is ``async def run(services, stop)`` and returns soon after ``stop`` is set. One that fails is started again
after a growing pause; a ``StartError`` ends the worker, because going on would do harm (a log behind its guard).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from licet import times
from registry.accounts import queries
from registry.archive import renew_if_due
from registry.erasure import service as erasure
from registry.errors import RegistryError, StartError
from registry.observing import tracing
from registry.quotas.queries import FORGET_QUOTAS
from registry.services import Services, archive_files, open_archive, open_archive_key, owner_of
from registry.translog import loop as sequencing
from registry.translog.witnesses import Witnesses

Loop = Callable[[Services, asyncio.Event], Awaitable[None]]

FIRST_PAUSE: Final = 0.5  # seconds
LONGEST_PAUSE: Final = 30.0
_HOUSEKEEPING_EVERY: Final = 600.0
_log = structlog.get_logger("registry.worker")


async def run_sequencer(services: Services, stop: asyncio.Event) -> None:
    """Be the log's sequencer, or stand by for the process that is."""
    settings = services.settings
    witnesses = Witnesses.load(settings.witness_policy, services.database) if settings.witness_policy else None
    try:
        await sequencing.run(
            services.database,
            services.keys,
            settings.data,
            services.log_files,
            stop,
            await open_archive(services),
            witnesses=witnesses,
            wait_for_witnesses=settings.witness_absence == "wait",
        )
    finally:
        if witnesses is not None:
            await witnesses.close()


async def keep_house(services: Services, stop: asyncio.Event) -> None:
    """Forget answers to repeated requests after their day, counts after their window, and what limitation ended for."""
    while not stop.is_set():
        with tracing.span("housekeeping"):
            async with services.database.acquire() as conn:
                await conn.execute(queries.FORGET_REQUESTS)
                await conn.execute(FORGET_QUOTAS)
            await erasure.forget_ended(services, times.now())
        await pause(stop, _HOUSEKEEPING_EVERY)


async def keep_archive(services: Services, stop: asyncio.Event) -> None:
    """Copy everything into the archive anew when it is time, and destroy what is older, with its keys."""
    settings = services.settings
    while not stop.is_set() and settings.archive == "on":
        key = await open_archive_key(settings)
        with tracing.span("archive"):
            await renew_if_due(
                services.database, archive_files(settings), key, owner_of(services), times.now(), settings.archive_keep
            )
        await pause(stop, _HOUSEKEEPING_EVERY)
    await stop.wait()


async def run_loops(services: Services, stop: asyncio.Event, loops: Mapping[str, Loop]) -> None:
    """Keep all ``loops`` running until ``stop``; returns when every one has ended.

    Raises the ``StartError`` of the first loop that must not go on, after the others have stopped.
    """
    tasks = [asyncio.create_task(_keep(name, loop, services, stop), name=name) for name, loop in loops.items()]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        stop.set()
        await asyncio.wait(tasks)
        raise


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Return after ``seconds``, or as soon as ``stop`` is set; whether it is."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


async def _keep(name: str, loop: Loop, services: Services, stop: asyncio.Event) -> None:
    # A task has a context of its own: every line that is logged in the loop names it.
    structlog.contextvars.bind_contextvars(loop=name)
    wait = FIRST_PAUSE
    while not stop.is_set():
        began = time.monotonic()
        services.meters.count("licet_loop_runs_total", name)
        try:
            await loop(services, stop)
        except StartError as error:
            services.meters.count("licet_loop_failures_total", name)
            _log.error("loop.refused", error=error.detail)  # the message says it all
            raise
        except RegistryError as error:
            services.meters.count("licet_loop_failures_total", name)
            _log.warning("loop.failed", error=error.detail)
        except Exception:  # noqa: BLE001  # a mistake in one loop must not take the others with it
            services.meters.count("licet_loop_failures_total", name)
            _log.exception("loop.failed")
        if time.monotonic() - began > LONGEST_PAUSE:
            wait = FIRST_PAUSE
        await pause(stop, wait)
        wait = min(wait * 2, LONGEST_PAUSE)
