"""A running service whose domains know each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.catalogue import registry
from tests.registry.harness import Running


@pytest.fixture
async def site(dsn: str, tmp_path: Path) -> AsyncIterator[Running]:
    """The service on a fresh database."""
    async with registry(dsn, tmp_path) as running:
        yield running
