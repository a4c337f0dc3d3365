"""Parts that really fail under a running service: it says so meanwhile, to strangers without hosts, and recovers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.registry.external import ExternalPostgres
from tests.registry.running.test_up import DEADLINE, parts_of, register, up

pytestmark = [pytest.mark.slow, pytest.mark.fault]


def ready(url: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{url}/health/ready", timeout=60)
    return answer.status_code, answer.json()


def until(url: str, holds: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
    """Return what readiness says once ``holds``."""
    deadline = time.monotonic() + DEADLINE
    while True:
        status, body = ready(url)
        if holds(status, body):
            return body
        assert time.monotonic() < deadline, body
        time.sleep(0.1)


def worker_of(parent: int) -> int:
    (found,) = (each for each in parts_of(parent) if b"\0work\0" in Path(f"/proc/{each}/cmdline").read_bytes())
    return found


def test_a_worker_that_hangs_is_told_of_and_what_waited_is_done_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICET_REGISTRY_READY_LAG", "1s")
    with up(tmp_path / "data") as service, ThreadPoolExecutor(1) as threads:
        url = service.ready()
        worker = worker_of(service.process.pid)
        os.kill(worker, signal.SIGSTOP)
        try:
            opening = threads.submit(register, url)
            body = until(url, lambda status, _: status == 503)
            assert [name for name, check in body["checks"].items() if not check["ok"]] == ["log"]
            assert "a statement has been pending" in body["detail"]
            assert httpx.get(f"{url}/health/live").status_code == 200
        finally:
            os.kill(worker, signal.SIGCONT)
        until(url, lambda status, _: status == 200)
        assert opening.result(DEADLINE).account
        assert worker_of(service.process.pid) == worker
        assert service.end()[0] == 0


def test_an_external_server_that_restarts_is_found_again_by_the_same_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    external = ExternalPostgres()
    try:
        external.make()
        external.start()
        asyncio.run(external.server.administer("CREATE DATABASE licet TEMPLATE template0"))
        monkeypatch.setenv("DATABASE_URL", external.address("licet"))
        with up(tmp_path / "data") as service:
            url = service.ready()
            created, parts = register(url), parts_of(service.process.pid)
            external.stop()
            body = until(url, lambda status, _: status == 503)
            assert not body["checks"]["database"]["ok"]
            me = httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {created.token.token}"}, timeout=60)
            assert me.status_code == 503
            for said in (str(body), me.text):
                for secret in (
                    "127.0.0.1",
                    f":{external.port}",
                    f"port {external.port}",
                    "postgres:",
                    str(tmp_path),
                    "Errno",
                ):
                    assert secret not in said.replace(url, ""), said
            external.start()
            until(url, lambda status, _: status == 200)
            assert register(url).account != created.account
            assert parts_of(service.process.pid) == parts  # nothing had to be started again
            assert service.end()[0] == 0
        assert f"127.0.0.1:{external.port}" in service.errors.read_text()  # for the operator
    finally:
        external.remove()
