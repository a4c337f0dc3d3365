"""The filter job end to end, on pictures made here."""

from __future__ import annotations

from pathlib import Path

from licet.client import Client
from licet.datasets.build import filter_dataset
from licet.decisions import Request
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

REQUEST = Request(uses=["train-gen"])


def test_smoke(world: World, client: Client, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        (pictures / f"{number}.png").write_bytes(encoded(picture(number)))
    (pictures / "0.txt").write_text("a caption")
    world.work(encoded(picture(0)), "mei", NO_AI)
    world.work(encoded(picture(1)), "mei")
    world.registry.publish()
    done = filter_dataset(client, [pictures], tmp_path / "kept", REQUEST)
    print(done)
    assert done.counts == {"allow": 0, "unknown": 2, "license": 1, "review": 0, "deny": 1}
