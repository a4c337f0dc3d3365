"""A bucket that errs, is late, hangs up or loses answers, and a full disk: nothing leaves early, and it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from licet.log import checkpoint
from registry import translog
from registry.archive import behind
from registry.health import readiness
from registry.storage import Store, bucket, open_store
from registry.translog import wait_all
from tests.registry.harness import Running, running, verify_whole_log
from tests.registry.health.test_readiness import small_disk
from tests.registry.translog.log import submitted
from tests.registry.translog.test_bucket import copied
from tests.registry.weak import Weakness, weak

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
COUNT = 5


async def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while not wanted(found := await what()):
            await asyncio.sleep(0.05)
    return found


async def failing(site: Running, log: Store) -> list[int]:
    """Nothing of what comes while a place fails is let out or acknowledged, and health says so; return it."""
    before = await log.read("checkpoint")
    pending = await submitted(site.services.database, COUNT)

    async def looked() -> dict[str, Any]:
        site.app.state.readiness._probed = float("-inf")
        answer = await site.http.get("/health/ready")
        return dict(answer.json()["checks"]) if answer.status_code == 503 else {}

    checks = await until(looked, lambda checks: bool(checks))
    assert checks["database"]["ok"]
    assert {name for name, check in checks.items() if not check["ok"]} <= {"log", "checkpoint", "archive", "files"}
    async with site.services.database.acquire() as conn:
        assert [await translog.receipt(conn, each) for each in pending] == [None] * COUNT
    assert await log.read("checkpoint") == before
    return pending


async def gone_on(site: Running, pending: list[int], log: Store, mirror: Path) -> None:
    """All of it is acknowledged by itself, the log as published is whole, and health is well."""
    receipts = await wait_all(site.services.database, pending)
    first = receipts[0].log_index
    assert [each.log_index for each in receipts] == [*range(first, first + COUNT)]

    async def ready() -> int:
        site.app.state.readiness._probed = float("-inf")
        return (await site.http.get("/health/ready")).status_code

    await until(ready, lambda status: status == 200)
    verifier = site.services.keys.log_signer.verifier
    text = await log.read("checkpoint")
    assert text is not None
    size = checkpoint.open(text, verifier).size
    assert size > receipts[-1].log_index
    assert len(verify_whole_log(await copied(log, mirror), verifier)) == size


@asynccontextmanager
async def settled(dsn: str, data: Path, **settings: Any) -> AsyncIterator[Running]:
    """A service whose archive has its first copy of everything, and a snapshot is none of its business."""
    async with running(dsn, data, archive="on", ready_lag="1s", ready_disk_bytes=4096, **settings) as site:
        await site.account()

        async def archived() -> bool:
            async with site.services.database.acquire() as conn:
                found = await behind(conn)
            return found is not None and found.has_base

        await until(archived, bool)
        yield site


@pytest.mark.parametrize("weakness", ["500", "412", "slow", "cut", "lost"])
async def test_a_bucket_that_fails_is_waited_for(
    dsn: str, tmp_path: Path, s3: str, bucket: str, monkeypatch: pytest.MonkeyPatch, weakness: Weakness
) -> None:
    honest = open_store(f"{bucket}/{tmp_path.name}/log", tmp_path)
    with weak(s3) as line:
        monkeypatch.setenv("AWS_ENDPOINT_URL", line.url)
        place = f"{bucket}/{tmp_path.name}"
        async with settled(dsn, tmp_path, publish_to=place, archive_to=f"{place}/archive") as site:
            line.weakness = weakness
            pending = await failing(site, honest)
            assert line.met
            line.weakness = "none"
            await gone_on(site, pending, honest, tmp_path / "mirror")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "_TIMEOUT", "700ms")
    monkeypatch.setattr(bucket, "_RETRIES", 1)
    monkeypatch.setattr(readiness, "STORE_PATIENCE", 1.0)


@pytest.mark.parametrize("full", ["public", "archive"])
async def test_a_full_disk_is_waited_for(dsn: str, tmp_path: Path, full: str) -> None:
    async with settled(dsn, tmp_path) as site:
        log = site.services.log_files
        with small_disk(tmp_path / full):
            pending = await failing(site, log)
            (tmp_path / full / "filling").unlink()
            await gone_on(site, pending, log, tmp_path / "mirror")
            assert not [path for path in (tmp_path / full).rglob(".*") if path.is_file()], (
                "what was half-written is gone"
            )


async def test_a_full_disk_under_the_guard_alone_is_waited_for(dsn: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        for name in ("public", "archive"):
            (tmp_path / name).mkdir()
            (data / name).symlink_to(tmp_path / name)
        async with settled(dsn, data) as site:
            log, guard = site.services.log_files, (data / "guard.json").read_bytes()
            with contextlib.suppress(OSError), (data / "filling").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            pending = await failing(site, log)
            assert (data / "guard.json").read_bytes() == guard  # the old one is whole
            (data / "filling").unlink()
            await gone_on(site, pending, log, tmp_path / "mirror")
            assert not [*data.glob(".guard*")], "what was half-written is gone"
    finally:
        subprocess.run(["umount", "-l", data], check=True)
