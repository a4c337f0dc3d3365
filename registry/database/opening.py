"""The database that the settings name: an external one, or our own in the data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.database.instance import embedded
from registry.database.pool import Database
from registry.settings import Settings


@asynccontextmanager
async def opened(
    settings: Settings, *, attach: bool = False, name: str = "licet-registry", serving: bool = False
) -> AsyncIterator[Database]:
    """Yield the open database of ``settings``; an embedded one runs until the block ends.

    With ``attach``, an embedded one that another process runs is used as it is. ``serving``: others who look find the
    service here. Raises ``HeldError``,
    ``DataFolderError``, ``StartError`` and ``DatabaseUnavailable``.
    """
    if settings.database_url is not None:
        async with _connected(settings.database_url.get_secret_value(), settings, name) as database:
            yield database
    else:
        async with (
            embedded(settings.data, url=settings.url if serving else None, attach=attach) as dsn,
            _connected(dsn, settings, name) as database,
        ):
            yield database


@asynccontextmanager
async def _connected(dsn: str, settings: Settings, name: str) -> AsyncIterator[Database]:
    database = await Database.connect(
        dsn, connections=settings.database_connections, statement_timeout=settings.statement_timeout, name=name
    )
    try:
        yield database
    finally:
        await database.close()
