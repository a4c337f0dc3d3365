"""A service of its own for what needs real licences; the rest settles on a database alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from tests.registry.servers import Server
from tests.registry.sites import site

__all__ = ["site"]


@pytest.fixture
def conn(server: Server, migrated_template: str) -> Iterator[tuple[asyncio.Runner, Any]]:
    """A connection to an empty registry, and what runs on it."""
    with asyncio.Runner() as runner:
        fresh = server.fresh(migrated_template)
        dsn = runner.run(fresh.__aenter__())

        async def connect() -> Any:
            return await asyncpg.connect(dsn)

        opened = runner.run(connect())
        yield runner, opened
        runner.run(opened.close())
        runner.run(fresh.__aexit__(None, None, None))
