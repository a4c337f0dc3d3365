"""The loop that gives features their place: a picture that was registered is found by its parts soon after."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog

from licet.errors import MalformedError
from registry.derivatives import building, queries
from registry.errors import StoreUnavailable
from registry.observing import tracing
from registry.services import Services

_LOOK_EVERY: Final = 2.0  # seconds
_COUNT_EVERY: Final = 600.0
_STAND_BY: Final = 5.0

log = structlog.get_logger("registry.derivatives")


async def run(services: Services, stop: asyncio.Event) -> None:
    """Be the one that writes segments, or stand by for the process that is, until ``stop``."""
    loop = asyncio.get_running_loop()
    async with services.database.dedicated() as conn:
        while not await conn.fetchval("select pg_try_advisory_lock($1)", queries.BUILDER_LOCK):
            if await _stopped(stop, _STAND_BY):
                return
        looked = float("-inf")
        full = False
        while not stop.is_set():
            try:
                counted = loop.time() - looked > _COUNT_EVERY
                await building.hold_together(services, counted=counted)
                looked = loop.time() if counted else looked
                with tracing.span("derivatives.build"):
                    added = await building.build(services)
                full = False
                if added:
                    log.info("derivatives.built", pictures=added)
            except StoreUnavailable as waiting:
                if not full:
                    log.warning("derivatives.unwritten", error=waiting.detail)
                full = True
            except MalformedError as error:  # a file that is none was found while layers became one
                log.error("derivatives.spoilt", error=error.message)  # noqa: TRY400  # the message says it all
                looked = float("-inf")
            if await _stopped(stop, _LOOK_EVERY):
                return


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
