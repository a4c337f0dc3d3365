"""Running the loops of every domain beside the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from registry.app import connect_domains
from registry.claims import rechecking
from registry.closing import loop as closing
from registry.consent import maturing
from registry.derivatives import loop as derivatives
from registry.disputes import ending
from registry.services import started
from registry.settings import Settings
from registry.settlement import escrow
from registry.snapshots import publisher
from registry.translog import Sequencer
from registry.worker.loops import Loop, keep_archive, keep_house, run_loops, run_sequencer

LOOPS: Final[dict[str, Loop]] = {
    "sequencer": run_sequencer,
    "claims": rechecking.run,
    "consent": maturing.run,
    "snapshots": publisher.run,
    "derivatives": derivatives.run,
    "closing": closing.run,
    "disputes": ending.run,
    "escrow": escrow.run,
    "housekeeping": keep_house,
    "archive": keep_archive,
}


async def work(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run every loop until ``stop``; calls ``ready`` once they run. Raises ``StartError`` and ``Unavailable``."""
    async with started(settings, name="licet-registry work") as services:
        connect_domains(services)
        async with services.database.acquire() as conn:
            await Sequencer(services.keys, settings.data, services.log_files).verify(conn)
        ready()
        await run_loops(services, stop, LOOPS)
