"""Running the loops of every domain beside the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from registry.app import connect_domains
from registry.services import started
from registry.settings import Settings
from registry.translog import Sequencer
from registry.worker.loops import Loop, keep_house, run_loops, run_sequencer

_DOMAINS: Final = {"consent": "registry.consent.maturing", "snapshots": "registry.snapshots.publisher"}


async def work(settings: Settings, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run every loop until ``stop``; calls ``ready`` once they run. Raises ``StartError`` and ``Unavailable``."""
    async with started(settings, name="licet-registry work") as services:
        connect_domains(services)
        async with services.database.acquire() as conn:
            await Sequencer(services.keys, settings.data).verify(conn)
        ready()
        await run_loops(services, stop, loops())


def loops() -> dict[str, Loop]:
    """Return every loop by name."""
    found: dict[str, Loop] = {"sequencer": run_sequencer, "housekeeping": keep_house}
    for name, module in _DOMAINS.items():
        if find_spec(f"registry.{name}") is not None and find_spec(module) is not None:
            found[name] = import_module(module).run
    return found
