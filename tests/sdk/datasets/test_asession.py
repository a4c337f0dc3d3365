"""The asynchronous session decides as the synchronous one does, and lets go when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import licet
from licet import AsyncClient, Client, InputError, Request
from licet.client.bridging import Bridge
from licet.datasets.pinned import Pinned
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
ROWS = [{"image": encoded(picture(number)), "n": number} for number in (1, 2, 3)]


@pytest.fixture
def asked(world: World) -> dict[str, Any]:
    """What makes either client, over a registry with an open and a denied work."""
    world.work(encoded(picture(1)), "tomas", OPEN)
    world.work(encoded(picture(2)), "tomas", NO_AI)
    world.registry.publish()
    base = world.client()
    base.close()
    return {"url": base.url, "token": base.transport.token, "home": base.home, "profile": "default"}


def test_it_gives_the_same_answers(asked: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(encoded(picture(1)))

    async def play() -> tuple[Any, Any, Any]:
        async with AsyncClient(**asked) as client:
            checked, annotated = await asyncio.gather(
                client.check([str(path)], REQUEST), client.annotate(ROWS, REQUEST)
            )
            assert (await client.snapshot.info()).works == 2
            return checked, annotated, await client.filter(ROWS, REQUEST)

    checked, annotated, kept = asyncio.run(play())
    with Client(**asked) as client:
        assert checked == client.check([str(path)], REQUEST)
        assert annotated == client.annotate(ROWS, REQUEST)
        assert kept == client.filter(ROWS, REQUEST)
    assert [row["verdict"] for row in annotated] == ["allow", "deny", "unknown"]


def test_what_it_pins_decides_like_what_the_synchronous_one_pins(asked: dict[str, Any]) -> None:
    async def play() -> Pinned:
        async with AsyncClient(**asked) as client:
            await client.snapshot.pull()
            return await client.snapshot.pin()

    pin = asyncio.run(play())
    with Client(**asked) as client:
        assert msgspec.structs.replace(client.snapshot.pin(), at=pin.at) == pin
        assert pin.annotate(ROWS, REQUEST) == client.annotate(ROWS, REQUEST)


def test_errors_of_the_work_are_its_own(asked: dict[str, Any]) -> None:
    async def play() -> None:
        async with AsyncClient(**asked) as client:
            await client.check(["nowhere.png"], REQUEST, offline=True)

    with pytest.raises(InputError):
        asyncio.run(play())


def test_a_cancelled_pull_ends_its_thread_and_the_next_one_works(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    stream = Bridge.stream

    @contextlib.contextmanager
    def held(self: Bridge, path: str, *, offset: int = 0) -> Iterator[Iterator[bytes]]:
        reached.set()
        go_on.wait(10)
        with stream(self, path, offset=offset) as chunks:
            yield chunks

    async def play() -> None:
        async with AsyncClient(**asked) as client:
            monkeypatch.setattr(Bridge, "stream", held)
            task = asyncio.create_task(client.snapshot.pull())
            await asyncio.to_thread(reached.wait, 10)
            task.cancel()
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            monkeypatch.setattr(Bridge, "stream", stream)
            assert (await client.snapshot.pull()).manifest.works == 2  # the lock of the store is free

    asyncio.run(play())


def test_it_is_the_public_one() -> None:
    assert issubclass(licet.AsyncClient, licet.client.asynchronous.AsyncClient)
