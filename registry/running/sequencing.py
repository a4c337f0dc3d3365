"""For a command that has something logged: the sequencer stands by where a service runs, else it does the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.services import Services


@asynccontextmanager
async def sequencing(services: Services) -> AsyncIterator[None]:
    """Have what the block submits logged and published, so that it can wait for the receipts.

    Raises ``StartError``, before the block, for a database that must not be continued.
    """
    from registry.services import open_archive
    from registry.translog import loop, refuse_copy

    async with services.database.acquire() as conn:
        await refuse_copy(conn)
    stop = asyncio.Event()
    logging = asyncio.create_task(
        loop.run(
            services.database,
            services.keys,
            services.settings.data,
            services.log_files,
            stop,
            await open_archive(services),
        )
    )
    try:
        yield
    finally:
        stop.set()
        await logging
