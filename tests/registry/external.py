"""An external PostgreSQL as an operator runs one: TCP, passwords, an unprivileged user, and no code of ours in it.

``python -m tests.registry.external COMMAND…`` runs a command with ``LICET_TEST_DATABASE_URL`` set to a PostgreSQL 16
that lives as long as it does: ``make test-external``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from registry.database import binaries
from tests.registry import memory
from tests.registry.servers import Server

OLDEST = 16
PASSWORD = "for tests only"
_QUOTED = "for%20tests%20only"
_SECONDS = 60.0


class ExternalPostgres:
    """A server on a free port of 127.0.0.1, from ``start`` to ``stop``; ``server`` is its superuser's address."""

    def __init__(self, major: int = OLDEST, options: Mapping[str, str] | None = None) -> None:
        self.home = memory.folder("licet-external-", programs=True)
        self.home.chmod(0o711)
        self.cluster = self.home / "cluster"
        self._options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: dict[str, Any] = {}
        self._installed = programs = binaries.installed(major)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            if not binaries.reachable(programs.postgres, nobody.pw_uid, nobody.pw_gid):
                programs = _copied(programs, self.home / "programs")
        self._programs = programs
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.server = Server(self.address("postgres"))

    def address(self, database: str, user: str = "postgres", password: str = _QUOTED) -> str:
        """Return the address of ``database`` for ``user``."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def program(self, name: str) -> Path:
        """Return the path of another program of the server's version."""
        return self._installed.program(name)

    def make(self) -> None:
        """A new cluster is there: passwords over TCP, nothing on a socket."""
        secret = self.home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)  # of a server that lives for a test
        self._own(self.cluster)
        self._run(
            "initdb", "-D", ".", "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip

    def follow(self, primary: ExternalPostgres) -> None:
        """A read-only standby of ``primary``, which runs, is there."""
        self._own(self.cluster)
        origin = f"host=127.0.0.1 port={primary.port} user=postgres password='{PASSWORD}'"
        self._run("pg_basebackup", "-D", ".", "-d", origin, "-R", "--checkpoint=fast", "--no-sync")

    def start(self) -> Self:
        """The server answers on its port."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "fsync": "off", "max_connections": "250", "wal_level": "logical", "max_replication_slots": "20",
            **self._options,
        }  # fmt: skip
        arguments = [str(self._programs.postgres), "-D", "."]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                arguments, cwd=self.cluster, env=_clean(), stdout=log, stderr=log, umask=0o077,
                start_new_session=True, **self._identity,
            )  # fmt: skip
        deadline = time.monotonic() + _SECONDS
        while not self._ready():
            words = (self.home / "log").read_text()
            assert self._process.poll() is None, words
            assert time.monotonic() < deadline, words
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """The server is down; its files stay."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_SECONDS)
            self._process = None

    def remove(self) -> None:
        """The server is down and its files are gone."""
        self.stop()
        shutil.rmtree(self.home)

    def _ready(self) -> bool:
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) == 8 and lines[7].strip() in {"ready", "standby"}

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self._identity:
            os.chown(folder, self._identity["user"], self._identity["group"])

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs.program(program), *arguments], cwd=self.cluster, env=_clean(), capture_output=True,
            text=True, umask=0o077, **self._identity,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def _copied(programs: binaries.Binaries, folder: Path) -> binaries.Binaries:
    """Return a copy with every program, where users other than root reach it."""
    copy = binaries.copied(programs, folder)
    for name in ("pg_basebackup",):
        shutil.copy2(programs.program(name), copy.program(name))
    return copy


def _clean() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def main(command: list[str]) -> int:
    external = ExternalPostgres(options={"synchronous_commit": "off", "shared_buffers": "64MB"})
    try:
        external.make()
        external.start()
        print(f"tests on PostgreSQL {OLDEST} at 127.0.0.1:{external.port}", flush=True)
        environment = {**os.environ, "LICET_TEST_DATABASE_URL": external.server.dsn}
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        external.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
