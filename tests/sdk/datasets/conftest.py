"""One registry a test, on loopback, and a world of pictures around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from licet.client import Client
from tests.sdk.datasets.registry import Registry
from tests.sdk.datasets.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A registry without works."""
    for name in ("LICET_URL", "LICET_TOKEN", "LICET_HOME", "LICET_CACHE", "LICET_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "registry"
    folder.mkdir()
    with Registry(folder).serving() as registry:
        yield World(registry, tmp_path)


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    """An organisation's client."""
    with world.client() as made:
        yield made
