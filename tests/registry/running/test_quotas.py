"""Two processes that answer share one quota, and what one of them had borrowed comes back after it was killed."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.registry.running.test_up import parts_of, register, up

MOST = 32
WINDOW = 5  # seconds


def spent(http: httpx.Client) -> int:
    """How often a token is answered before it is refused, within one window."""
    granted, ends = 0, 0.0
    for _ in range(8 * MOST):
        answer = http.get("/v1/me")
        left = re.search(r'"default";r=\d+;t=(\d+)', answer.headers["ratelimit"])
        assert left is not None
        end = time.monotonic() + int(left[1])
        if end > ends + WINDOW / 4:
            granted, ends = 0, end  # another window began meanwhile
        if answer.status_code == 429 and answer.headers["ratelimit"].startswith('"default";r=0;'):
            return granted
        granted += answer.status_code == 200
    raise AssertionError(f"{8 * MOST} requests were answered of {MOST}")


@pytest.mark.slow
def test_two_processes_share_a_quota_and_one_that_dies_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICET_REGISTRY_QUOTA_REQUESTS", f"{MOST}/{WINDOW}s")
    monkeypatch.setenv("LICET_REGISTRY_WORKERS", "2")
    with up(tmp_path / "data") as service:
        url = service.ready()
        named = {"Authorization": f"Bearer {register(url).token.token}"}
        # Each request has a connection of its own: the kernel deals them out to both processes.
        anew = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=url, headers=named, limits=anew) as http:
            assert spent(http) == MOST
            serving = [
                part for part in parts_of(service.process.pid) if "serve" in Path(f"/proc/{part}/cmdline").read_text()
            ]
            assert len(serving) == 2
            time.sleep(WINDOW + 1)
            for _ in range(6):  # both have borrowed some of a new window
                http.get("/v1/me")
            os.kill(serving[0], signal.SIGKILL)
            time.sleep(WINDOW + 1)
            assert spent(http) == MOST
