"""Two processes that answer and one worker: their numbers are one, whichever is asked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from registry.observing import meters
from tests.registry.observing.test_metrics import samples
from tests.registry.running.test_up import parts_of, register, up


def numbers(url: str) -> dict[str, float]:
    """Ask whichever process takes the connection."""
    found = samples(httpx.get(f"{url}/metrics").text)
    return {name + "".join(f"|{value}" for _, value in labels): number for (name, labels), number in found.items()}


def requests(found: dict[str, float]) -> float:
    return found.get("licet_requests_total|GET|/health/live|200", 0.0)


@pytest.mark.slow
def test_the_processes_of_a_service_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LICET_REGISTRY_WORKERS", "2")
    with up(tmp_path / "data") as service:
        url = service.ready()
        before = requests(numbers(url))
        for _ in range(40):  # a connection each: the kernel deals them out
            httpx.get(f"{url}/health/live")
        told = [numbers(url) for _ in range(6)]
        assert {requests(found) - before for found in told} == {40.0}
        answering = {path.name for path in (tmp_path / "data" / meters.FOLDER).glob("histogram_*.db")}
        assert len(answering) >= 2
        # The worker answers no requests; its loops are told all the same.
        assert told[0]["licet_loop_runs_total|sequencer"] >= 1
        assert told[0]["licet_database_connections_waiting"] == 0
        # What is read from the database is told once, without the process that read it.
        text = httpx.get(f"{url}/metrics").text
        assert re.findall(r"^licet_log_size.* ", text, re.MULTILINE) == ["licet_log_size "]
        assert len(re.findall(r"^# TYPE licet_log_size ", text, re.MULTILINE)) == 1
        register(url)
        assert numbers(url)["licet_statements_accepted_total|key-register"] == 1
        # A process that is killed takes nothing along, and leaves nothing behind in use.
        killed = next(part for part in parts_of(service.process.pid) if "serve" in command(part))
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                found = numbers(url)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert requests(found) - before >= 40
        assert found["licet_database_connections_in_use"] <= 2
        lines = [json.loads(line) for line in service.errors.read_text().splitlines() if line.startswith("{")]
        assert {"up", "serve", "work"} >= {line["process"] for line in lines} >= {"up", "work"}


def command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")


def test_processes_that_start_side_by_side_take_nothing_from_each_other(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from registry.observing import meters\n"
        "print('here', flush=True); sys.stdin.readline()\n"
        "meters.share(Path(sys.argv[1])); counted = meters.Meters(); counted.count('licet_licences_granted_total')\n"
        "print('counted', flush=True); sys.stdin.readline()\n"
    )
    (tmp_path / meters.FOLDER).mkdir()
    (tmp_path / meters.FOLDER / f"counter_{meters._host()}-4194305.db").write_bytes(
        bytes(64)
    )  # of a process of the past
    command = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for word in ("here", "counted"):
        for process in started:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == f"{word}\n"
        if word == "here":  # all at once
            for process in started:
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
    together = CollectorRegistry()
    MultiProcessCollector(together, path=str(tmp_path / meters.FOLDER))
    assert together.get_sample_value("licet_licences_granted_total") == 6
    for process in started:
        process.communicate("\n")
        assert process.returncode == 0
    assert meters.forget_dead(tmp_path / meters.FOLDER) == 0
