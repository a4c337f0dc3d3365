"""One registry a test, on loopback, and a world of pictures around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from licet.cli.entry import main
from licet.client import Client
from tests.sdk.datasets.commands import Run, Told
from tests.sdk.datasets.registry import Registry
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture


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


@pytest.fixture
def works(world: World) -> dict[str, bytes]:
    found = {
        "open": world.work(encoded(picture(1)), "tomas", OPEN),
        "denied": world.work(encoded(picture(2)), "tomas", NO_AI),
        "paid": world.work(encoded(picture(3)), "mei", PAID),
    }
    world.registry.publish()
    return found


@pytest.fixture
def run(world: World, works: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    """Type a command as an organisation, in a folder with the pictures ``in``."""
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("open", "denied", "paid", "stranger"), 1):
        (tmp_path / "in" / f"{name}.png").write_bytes(encoded(picture(number)))
    client = world.client()
    client.close()
    account = client.profile.account
    assert account is not None
    client.profile.token = account.account
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LICET_HOME", str(client.home.folder))
    monkeypatch.setenv("LICET_URL", world.registry.url)

    def typed(*arguments: str) -> Told:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        told = capsys.readouterr()
        return Told(int(ended.value.code or 0), told.out, told.err)

    return typed
