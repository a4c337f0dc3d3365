"""What the story needs to be played: the real service as a process, and people with a command line of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent


class StoryError(Exception):
    """A command of the story did not end as it must."""


def _run(command: list[str], environment: dict[str, str], expected: tuple[int, ...]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode not in expected:
        shown = " ".join([Path(command[0]).name, *command[1:]])
        raise StoryError(f"$ {shown}\nended with {done.returncode}, expected {expected}\n{done.stdout}{done.stderr}")
    return done.stdout


class Person:
    """Somebody with a home folder of their own and the ``licet`` command."""

    def __init__(self, name: str, homes: Path, url: str) -> None:
        self.name = name
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LICET_")},
            "LICET_URL": url,
            "LICET_HOME": str(homes / name),
        }

    def licet(self, *arguments: str | Path, expected: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """Run ``licet … --json`` and return its document; raises ``StoryError`` for another exit code."""
        command = [str(BIN / "licet"), *map(str, arguments), "--json"]
        answer = _run(command, self.environment, expected)
        document: dict[str, Any] = json.loads(answer)
        return document


class Service:
    """``licet-registry up`` on a free port, with its database in ``data``."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data = data
        self.log = log
        self.url = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[Service]:
        """Start the service, wait until it is ready, and end it cleanly afterwards."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [str(BIN / "licet-registry"), "up", "--data", str(self.data), "--port", str(port)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.startswith("ready "):
                raise StoryError(f"the service did not start; its log:\n{self.log.read_text()[-4000:]}")
            self.url = line.split()[1]
            yield self
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise StoryError("the service did not end within 30 s of SIGTERM") from None

    def office(self, *arguments: str) -> dict[str, Any]:
        """Run ``licet-registry … --json`` as the operator and return its document."""
        command = [str(BIN / "licet-registry"), *arguments, "--data", str(self.data), "--json"]
        document: dict[str, Any] = json.loads(_run(command, dict(os.environ), (0,)))
        return document
