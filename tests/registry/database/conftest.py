"""This room's tests need a database, and no schema of the other rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from registry.database import Database


@pytest.fixture
async def database(empty_dsn: str) -> AsyncIterator[Database]:
    """An open ``Database`` on a fresh database with nothing in it."""
    opened = await Database.connect(empty_dsn, connections=8)
    try:
        yield opened
    finally:
        await opened.close()
