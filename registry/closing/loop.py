"""The loop that closes months, some days after their end and in their order."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog

from licet import times
from registry.closing.steps import close_due
from registry.observing import tracing
from registry.services import Services

_LOOK_EVERY: Final = 60.0  # seconds

log = structlog.get_logger("registry.closing")


async def run(services: Services, stop: asyncio.Event) -> None:
    """Close every month that is over for as long as the settings say, until ``stop``."""
    while not stop.is_set():
        with tracing.span("closing.close"):
            closed = await close_due(services, times.now(), services.settings.close_after)
        if closed is not None:
            log.info("period.closed", period=closed[0])
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
