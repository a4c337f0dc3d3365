"""A real service for a benchmark: `licet-registry up` as a process, and its database for those who fill it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from licet.client import Client, account
from licet.home import Home


class Running(NamedTuple):
    """Where the service is, the folders of its data and of a client's home, and its process."""

    url: str
    data: Path
    home: Path
    pid: int

    def client(self, kind: str, name: str) -> Client:
        """Return a client with a fresh account in a profile called ``name``."""
        client = Client(self.url, home=Home(self.home), profile=name)
        account.create(client, kind, name)
        return client


def processor_seconds(pid: int) -> dict[str, float]:
    """Return what process ``pid`` and all below it have used of processors: ``service``, and ``database`` apart."""
    parents: dict[int, int] = {}
    used: dict[int, tuple[str, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:  # it ended meanwhile
            continue
        name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
        number = int(stat.parent.name)
        parents[number] = int(fields[1])
        used[number] = (name, sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"))
    found = {"service": 0.0, "database": 0.0}
    for number, (name, seconds) in used.items():
        above = number
        while above not in {pid, 0}:
            above = parents.get(above, 0)
        if above == pid:
            found["database" if name.startswith("postgres") else "service"] += seconds
    return found


def database_seconds() -> float:
    """Return what the database that this process started has used of processors."""
    return processor_seconds(os.getpid())["database"]


@contextlib.contextmanager
def running(folder: Path, *, fresh: bool = True, **settings: str) -> Iterator[Running]:
    """Start a service with these settings in a ``fresh`` folder, or in what another run left there; end it cleanly."""
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = Path(sys.executable).parent / "licet-registry"
    command = [str(binary), "up", "--data", str(folder / "data"), "--port", str(port)]
    chosen = {f"LICET_REGISTRY_{name.upper()}": value for name, value in {"log_level": "warning", **settings}.items()}
    environment = {**os.environ, **chosen}
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError((folder / "service.log").read_text()[-2000:])
        yield Running(line.split()[1], folder / "data", folder / "home", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
