"""Ready means ready: every way in which it is not is made real, named, dated, and told what to do about."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from licet import times
from registry.database import EmbeddedPostgres, migrate
from registry.database.pool import Database
from registry.health import readiness
from registry.snapshots import publisher
from registry.translog.publication import read_guard
from registry.worker.loops import run_sequencer
from tests.registry.harness import Running, running

pytestmark = pytest.mark.anyio
ALL = {
    "database",
    "schema",
    "log",
    "checkpoint",
    "guard",
    "archive",
    "closes",
    "disputes",
    "snapshot",
    "index",
    "files",
}
LOOPS = {"sequencer": run_sequencer, "snapshots": publisher.run}


async def idle(services: Any, stop: asyncio.Event) -> None:
    await stop.wait()


@pytest.fixture
async def service(dsn: str, tmp_path: Path) -> AsyncIterator[Running]:
    """A service with something in its log, whose loops then stand still."""
    async with running(dsn, tmp_path, LOOPS, archive="on") as first:
        await first.account()
        for _ in range(600):
            if (await first.http.get("/health/ready")).json().get("snapshot_age_seconds") is not None:
                break
            await asyncio.sleep(0.1)
    async with running(dsn, tmp_path, {"nothing": idle}, archive="on") as second:
        yield second


async def ready(service: Running) -> dict[str, Any]:
    answer = await service.http.get("/health/ready")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["checks"].keys() == ALL
    assert all(check == {"ok": True} for check in body["checks"].values())
    return body


async def amiss(service: Running, name: str) -> dict[str, Any]:
    """Return the check ``name``, which is the only one that is amiss."""
    service.app.state.readiness._probed = float("-inf")
    answer = await service.http.get("/health/ready")
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    body = answer.json()
    assert body["instance"] == answer.headers["x-request-id"]
    assert [each for each, check in body["checks"].items() if not check["ok"]] == [name]
    check: dict[str, Any] = body["checks"][name]
    assert check["found"] in body["detail"]
    assert check["todo"]
    times.from_text(check["since"])
    assert str(service.services.settings.data) not in answer.text
    assert (await service.http.get("/health/live")).status_code == 200
    return check


async def execute(service: Running, *statements: str) -> None:
    async with service.services.database.transaction() as conn:
        await conn.execute("set local session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement)


async def test_all_is_well(service: Running):
    body = await ready(service)
    assert body["status"] == "ready"
    assert body["log_pending"] == 0


async def test_a_schema_of_another_release(service: Running):
    await execute(service, "delete from schema_migrations where version = (select max(version) from schema_migrations)")
    assert "migrate" in (await amiss(service, "schema"))["todo"]


async def test_a_sequencer_that_stands_still(service: Running):
    await execute(
        service,
        "with late as (insert into log_pending (kind, subject, envelope, salt, submitted_at)"
        " values ('consent', 'stm_late', 'x', 'y', now() - interval '20 seconds') returning id)"
        " insert into log_queue select id from late",
    )
    check = await amiss(service, "log")
    assert re.search(r"pending for 2\d s", check["found"])
    assert times.now() - times.from_text(check["since"]) >= timedelta(seconds=20)


async def test_entries_that_are_not_let_out(service: Running):
    await execute(service, "update log_head set size = size + 1, at = now() - interval '1 minute'")
    assert "waiting for publication" in (await amiss(service, "log"))["found"]


async def test_published_files_of_the_past(service: Running):
    path = service.services.public / "log" / "checkpoint"
    text = path.read_bytes()
    path.unlink()
    first = await amiss(service, "checkpoint")
    await asyncio.sleep(0.01)
    assert (await amiss(service, "checkpoint"))["since"] == first["since"]  # noticed then
    path.write_bytes(text.replace(b"\xe2\x80\x94", b"-"))
    assert "not one of this log" in (await amiss(service, "checkpoint"))["found"]
    path.write_bytes(text)
    await ready(service)


async def test_a_guard_that_is_behind_ahead_or_broken(service: Running):
    path = service.services.settings.data / "guard.json"
    text, size = path.read_text(), read_guard(path.parent).size
    path.unlink()
    assert f"remembers 0 entries, {size} were let out" in (await amiss(service, "guard"))["found"]
    path.write_text(text.replace(f":{size},", f":{size + 5},"))
    assert "older" in (await amiss(service, "guard"))["found"]
    path.write_text("{")
    assert "cannot be read" in (await amiss(service, "guard"))["found"]


async def test_a_snapshot_that_has_expired(service: Running, monkeypatch: pytest.MonkeyPatch):
    later = times.now() + timedelta(hours=25)
    monkeypatch.setattr(times, "now", lambda: later)
    assert "expired" in (await amiss(service, "snapshot"))["found"]


async def test_a_snapshot_later_than_promised(service: Running, monkeypatch: pytest.MonkeyPatch):
    await execute(
        service,
        "update consent_version set version = version + 1",
        "update log_pending set kind = 'consent' where id = (select max(pending) from log_entries)",
    )
    await ready(service)
    later = times.now() + service.services.settings.snapshot_delay + timedelta(seconds=5)
    monkeypatch.setattr(times, "now", lambda: later)
    assert "300 s are promised" in (await amiss(service, "snapshot"))["found"]


async def test_published_files_that_cannot_be_written(service: Running):
    public = service.services.public
    kept = public.with_name("kept")
    public.rename(kept)
    public.write_text("in the way")
    answer = (await service.http.get("/health/ready")).json()
    service.app.state.readiness._probed = float("-inf")
    answer = (await service.http.get("/health/ready")).json()
    assert not answer["checks"]["files"]["ok"]
    public.unlink()
    kept.rename(public)
    service.app.state.readiness._probed = float("-inf")
    await ready(service)


async def test_a_disk_that_is_full(service: Running):
    public = service.services.public
    with small_disk(public):
        check = await amiss(service, "files")
        assert "bytes are free" in check["found"] or "no space left" in check["found"]


@contextlib.contextmanager
def small_disk(folder: Path) -> Any:
    """Put a disk of one megabyte, full but for nothing, under ``folder`` with all that is in it."""
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, check=False)
    if made.returncode:
        folder.rmdir()
        kept.rename(folder)
        pytest.skip("this machine lets nobody mount a disk")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        with contextlib.suppress(OSError), (folder / "filling").open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        kept.rename(folder)


async def test_a_database_that_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readiness, "PATIENCE", 2.0)
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    dsn = postgres.start()
    try:
        database = await Database.connect(dsn, connections=2)
        await migrate(database)
        await database.close()
        async with running(dsn, tmp_path / "data", {"nothing": idle}) as service:
            postgres.stop()
            answer = await service.http.get("/health/ready")
            assert answer.status_code == 503
            checks = answer.json()["checks"]
            assert not checks["database"]["ok"]
            assert "schema" not in checks
            assert (await service.http.get("/health/live")).status_code == 200
    finally:
        postgres.stop()
