"""The log in a bucket: the same files, the same order, and a bucket that goes away is waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from registry.errors import StoreUnavailable
from registry.storage import Store, open_store
from registry.translog import Sequencer, open_keys, publication, wait_all
from registry.translog.keyfiles import SIGNING
from registry.translog.loop import run
from tests.registry.harness import running, verify_whole_log
from tests.registry.translog.log import ORIGIN, STEPS, logged, submitted

pytestmark = pytest.mark.anyio


class Killed(Exception):
    """The process ended here."""


async def copied(log: Store, data: Path) -> Path:
    """Bring everything that is published down, as a mirror does."""
    for name in await log.names(""):
        path = data / "public" / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await log.read(name) or b"")
    return data


async def test_a_kill_at_any_step_leaves_a_bucket_that_verifies(database, tmp_path, bucket):
    async with database.acquire() as conn:
        keys = await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)
    log = open_store(f"{bucket}/{tmp_path.name}/log", tmp_path)
    expected = [1, 2, 3, 4]
    for step in STEPS:
        expected += await submitted(database, 150)

        def reach(here: str, step: str = step) -> None:
            if here == step:
                raise Killed

        with pytest.raises(Killed):
            await worked(database, Sequencer(keys, tmp_path, log, reach=reach))
        await worked(database, Sequencer(keys, tmp_path, log))
        mirror = await copied(log, tmp_path / f"mirror-{step}")
        assert len(verify_whole_log(mirror, keys.log_signer.verifier)) == len(expected)
    assert await logged(database) == expected
    assert not (tmp_path / "public").exists()


async def worked(database, sequencer: Sequencer) -> None:
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)


async def test_a_bucket_that_refuses_for_a_while_is_waited_for(database, tmp_path, bucket, monkeypatch):
    async with database.acquire() as conn:
        keys = await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING)
    log = open_store(f"{bucket}/{tmp_path.name}/log", tmp_path)
    honest = publication.write_tiles
    refused: list[int] = []

    async def refusing(*arguments):
        if len(refused) < 2:
            refused.append(1)
            raise StoreUnavailable("s3://bucket: slow down")
        await honest(*arguments)

    monkeypatch.setattr(publication, "write_tiles", refusing)
    stop = asyncio.Event()
    task = asyncio.create_task(run(database, keys, tmp_path, log, stop))
    receipts = await wait_all(database, await submitted(database, 5))
    stop.set()
    await task
    assert [each.log_index for each in receipts] == [4, 5, 6, 7, 8]
    assert len(refused) == 2


async def test_the_service_reads_the_log_from_its_bucket(dsn, tmp_path, bucket):
    async with running(dsn, tmp_path, publish_to=f"{bucket}/{tmp_path.name}") as site:
        await wait_all(site.services.database, [1, 2, 3, 4, 5])
        checkpoint = await site.http.get("/log/checkpoint")
        assert checkpoint.text.startswith("localhost/licet\n5\n")
        tile = await site.http.get("/log/tile/0/000.p/5")
        assert len(tile.content) == 5 * 32
        assert "immutable" in tile.headers["cache-control"]
        assert (await site.http.get("/log/tile/0/001")).status_code == 404
        assert (await site.http.get("/health/ready")).json()["checks"]["checkpoint"]["ok"]
        assert not (tmp_path / "public" / "log").exists()
