"""`licet-registry up` as users run it: one line when ready, a clean end, and nothing lost when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from licet.log.note import Verifier
from licet.statements.keys import SigningKey
from licet.statements.kinds import RegistryRef
from licet.wire.accounts import AccountCreated, RegistryInfo
from registry.errors import SettingsError, Unavailable
from registry.running.listening import claim_port
from registry.translog.publication import read_guard
from tests import forking
from tests.registry import clusters
from tests.registry.harness import genesis, new_key, verify_whole_log

pytestmark = pytest.mark.fault

COMMAND = (sys.executable, "-m", "registry.cli")
DEADLINE = 240.0  # what hangs is ended; a busy machine is not


class Service:
    """One `up` in a process of its own."""

    def __init__(self, data: Path, errors: Path, *more: str) -> None:
        self.data = data
        self.errors = errors
        with errors.open("ab") as stderr:
            self.process = subprocess.Popen(
                [*COMMAND, "up", "--port", "0", "--data", str(data), *more],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "LICET_REGISTRY_LOG_FORMAT": "json"},
            )

    def ready(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        match = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", line)
        assert match, f"{line!r}\n{self.errors.read_text()}"
        return match[1]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, bytes]:
        """Return the exit code and what else was on stdout."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, rest


@contextlib.contextmanager
def up(data: Path, *more: str) -> Iterator[Service]:
    service = Service(clusters.plant(data), data.parent / "stderr", *more)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
        assert service.process.stdout is not None
        service.process.stdout.close()


def registry(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = forking.BIN / "licet-registry"
    told = forking.run(program, *arguments, cwd=Path.cwd(), environment=os.environ, seconds=DEADLINE)
    return subprocess.CompletedProcess(arguments, *told)


def register(url: str) -> AccountCreated:
    info = msgspec.json.decode(httpx.get(f"{url}/v1/registry").content, type=RegistryInfo)
    envelope = genesis(RegistryRef(info.origin, info.key), SigningKey.generate())
    body = msgspec.json.encode({"name": "Ada", "envelope": envelope})
    headers = {"Idempotency-Key": new_key(), "Content-Type": "application/json"}
    answer = httpx.post(f"{url}/v1/accounts", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=AccountCreated)


def own_processes(data: Path) -> list[str]:
    """The command lines of other processes that work in or for ``data``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(data) in line and entry.parent.name != str(os.getpid()):
                found.append(line)
    return found


def parts_of(parent: int) -> list[int]:
    """The processes that ``parent`` started to answer requests and to work."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            mine = f"PPid:\t{parent}\n" in entry.read_text(errors="replace")
            if mine and b"registry.running.part" in (entry.parent / "cmdline").read_bytes():
                found.append(int(entry.parent.name))
    return found


def alive(process: int) -> bool:
    try:
        return "zombie" not in (Path("/proc") / str(process) / "status").read_text()
    except OSError:
        return False


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def until(what: Any) -> None:
    deadline = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_up_serves_refuses_a_second_mends_itself_and_ends_cleanly(tmp_path, monkeypatch):
    data = tmp_path / "data"
    with up(data) as service:
        url = service.ready()
        assert httpx.get(f"{url}/health/ready").json()["log_size"] >= 4
        port = url.rpartition(":")[2]
        assert f"export LICET_URL=http://localhost:{port} PATH={Path(sys.executable).parent}:$PATH" in (
            service.errors.read_text()
        )
        created = register(url)

        second = registry("up", "--port", "0", "--data", str(data))
        assert second.returncode == 2
        assert f"held by process {service.process.pid}" in second.stderr
        assert second.stdout == ""
        taken = registry("up", "--port", port, "--data", str(tmp_path / "other"))
        assert (taken.returncode, taken.stdout) == (3, "")
        assert f"port {port} on 127.0.0.1 is in use" in taken.stderr

        invited = registry("invite", "--role", "auditor", "--name", "A. Udit", "--scope", "audit", "--data", str(data))
        account, token, secret = invited.stdout.split()  # no link: a passkey would do all that an auditor may
        monkeypatch.setenv("LICET_REGISTRY_PORT", "9")  # where nothing answers
        whole = registry("invite", "--role", "auditor", "--name", "A. Udit", "--data", str(data))
        assert whole.stdout.splitlines()[1].startswith(f"http://localhost:{port}/en/invited#")
        assert "warning" not in whole.stderr
        monkeypatch.delenv("LICET_REGISTRY_PORT")
        narrow = registry("invite", "--role", "operator", "--scope", "audit", "--json", "--data", str(data))
        assert "link" not in json.loads(narrow.stdout)
        me = httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {secret}"}).json()
        assert (me["account"], me["name"], me["scopes"]) == (account, "A. Udit", ["audit"])
        assert registry("token", "revoke", token, "--data", str(data)).returncode == 0
        assert httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
        attested = registry("attest", created.account, "--level", "2", "--evidence", "DNS record", "--data", str(data))
        assert attested.returncode == 0, attested.stderr
        assert f"{created.account} has level 2" in attested.stdout

        for part in parts_of(service.process.pid):
            os.kill(part, signal.SIGKILL)
        until(lambda: len(parts_of(service.process.pid)) == 2 and answers(url))
        register(url)
        os.kill(int((data / "postgres" / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
        until(lambda: not answers(url))
        until(lambda: answers(url))
        register(url)

        code, rest = service.end()
        assert (code, rest) == (0, b""), service.errors.read_text()
    assert own_processes(data) == []
    # Without a service, an operator's command starts the database for the call.
    made = registry("token", "create", created.account, "--expires", "1d", "--data", str(data))
    assert made.stdout.startswith(created.account), made.stderr
    monkeypatch.setenv("LICET_REGISTRY_PORT", "9")  # where nothing answers
    whole = registry("invite", "--role", "auditor", "--name", "A. Udit", "--data", str(data))
    assert "/en/invited#" in whole.stdout.splitlines()[1]
    assert "warning: nothing answers at http://localhost:9, which the link names" in whole.stderr
    assert own_processes(data) == []


def test_killed_at_once_it_comes_back_with_everything(tmp_path):
    data = tmp_path / "data"
    with up(data) as service:
        url = service.ready()
        created = [register(url) for _ in range(3)]
        key = httpx.get(f"{url}/log/vkey").text.strip()
        parts = parts_of(service.process.pid)
        assert len(parts) == 2
        service.process.kill()
        service.process.wait()
        # The parts do not outlive their parent; the database may, and is adopted.
        until(lambda: not any(alive(part) for part in parts))
    guard = read_guard(data)
    with up(data) as service:
        url = service.ready()
        assert httpx.get(f"{url}/health/ready").json()["log_size"] >= guard.size
        for each in created:
            headers = {"Authorization": f"Bearer {each.token.token}"}
            assert httpx.get(f"{url}/v1/me", headers=headers).json()["account"] == each.account
        entries = verify_whole_log(data, Verifier.from_vkey(key))
        assert len(entries) >= guard.size
        assert service.end(signal.SIGINT)[0] == 0
    assert own_processes(data) == []

    # A database behind what was let out, which the archive does not bring up to date, would sign a second history.
    ahead = data / "guard.json"
    ahead.write_bytes(ahead.read_bytes().replace(b'"size":', b'"size":9'))
    with up(data) as service:
        assert service.process.wait(timeout=DEADLINE) == 2
        assert "were let out" in service.errors.read_text()
        assert service.process.stdout is not None
        assert service.process.stdout.read() == b""
    assert own_processes(data) == []


def test_a_port_is_claimed_only_if_it_is_free():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="in use"):
            claim_port("127.0.0.1", taken.getsockname()[1])
    assert claim_port("127.0.0.1", 0) > 0
    with pytest.raises(SettingsError, match="cannot listen"):
        claim_port("192.0.2.1", 8000)
