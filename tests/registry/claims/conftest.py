"""An internet on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.claims.internet import Internet, internet


@pytest.fixture
async def net(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Internet]:
    """DNS and the web as a test wants them."""
    folder = tmp_path / "internet"
    folder.mkdir()
    async with internet(folder) as found:
        yield found
