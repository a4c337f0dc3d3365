"""The service runs as an ordinary user who may write nothing but its data folder: not the checkout, not its home."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.database import EmbeddedPostgres
from tests.registry import clusters
from tests.whole.ordinary import AS_ROOT, ROOT, USER, Ground

HOLDING = ROOT / "tests" / "registry" / "database" / "holding.py"
NAMELESS = 61_001  # as containers run: a number, and no name for it
SECONDS = 240


class User:
    """The user: where it may write, and what it runs."""

    def __init__(self, folder: Path, ground: Ground) -> None:
        self.python = ground.python
        self.home, self.data = folder / "home", folder / "data"
        self.home.mkdir(mode=0o555)
        self.data.mkdir(mode=0o700)
        self.identity: dict[str, Any] = {}
        if AS_ROOT:
            os.chown(self.data, USER, USER)
            self.identity = {"user": USER, "group": USER, "extra_groups": []}
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "LICET_REGISTRY_DATA": str(self.data),
            "PYTHONPATH": ground.path,
            **ground.variables,
        }

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "-W", "error::ResourceWarning", "-m", *arguments]

    def runs(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd="/", env=self.environment | variables, capture_output=True, text=True,
            timeout=SECONDS, **self.identity,
        )  # fmt: skip


@pytest.fixture
def user(ground: Ground) -> Iterator[User]:
    """A user with a read-only home and a data folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="licet-user-"))
    folder.chmod(0o755)
    yield User(folder, ground)
    (folder / "home").chmod(0o755)
    shutil.rmtree(folder)


def test_it_may_write_neither_checkout_nor_home(user: User):
    for place in (ROOT if AS_ROOT else user.home, user.home):
        code = f"import pathlib; pathlib.Path({str(place)!r}, 'written').touch()"
        done = subprocess.run(
            [str(user.python), "-c", code], env=user.environment, capture_output=True, text=True, **user.identity
        )
        assert "PermissionError" in done.stderr


def _files(url: str, *, ok: bool) -> dict[str, Any]:
    """Return what readiness says of the published files, once that is ``ok`` or not, and the service ready or not."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = httpx.get(f"{url}/health/ready")
        check: dict[str, Any] = answer.json()["checks"]["files"]
        if check["ok"] is ok and (answer.status_code == 200) is ok:
            return check
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_whole_service_runs_and_writes_only_its_data(user: User):
    process = subprocess.Popen(
        user.command("registry.cli", "up", "--port", "0"), cwd="/", env=user.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, **user.identity,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), process.communicate()
        assert httpx.get(f"{line.split()[1]}/health/ready").status_code == 200
        assert _files(line.split()[1], ok=True) == {"ok": True}
        (user.data / "public").chmod(0o555)
        amiss = _files(line.split()[1], ok=False)
        (user.data / "public").chmod(0o755)
        assert "cannot be written: permission denied" in amiss["found"]
        assert str(user.data) not in str(amiss)
        assert _files(line.split()[1], ok=True) == {"ok": True}
        told = user.runs("registry.cli", "invite", "--role", "auditor")
        assert told.returncode == 0, told.stderr
        assert Path(f"/proc/{process.pid}").stat().st_uid == (USER if AS_ROOT else os.geteuid())
        assert user.runs("registry.cli", "verify").returncode == 0
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert {path.stat().st_uid for path in user.data.rglob("*")} == {USER if AS_ROOT else os.geteuid()}


@pytest.mark.skipif(not AS_ROOT, reason="only root becomes another user")
def test_a_user_without_a_name_is_told_what_is_missing_and_may_use_a_database_that_is_there(user: User):
    def told(number: int) -> subprocess.CompletedProcess[str]:
        for path in (user.data, *user.data.rglob("*")):
            os.chown(path, number, number)
        user.identity |= {"user": number, "group": number}
        return user.runs("registry.cli", "migrate")

    refused = told(NAMELESS)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"expected user {NAMELESS} to have a name" in refused.stderr
    assert "or set DATABASE_URL" in refused.stderr
    assert told(USER).returncode == 0
    again = told(NAMELESS)
    assert (again.returncode, again.stdout) == (0, "the schema is up to date\n"), again.stderr


@pytest.mark.skipif(not AS_ROOT, reason="only root becomes another user")
def test_its_database_is_its_own_and_it_cannot_take_anothers(user: User):
    def held(data: Path) -> str:
        command = [str(user.python), "-c", HOLDING.read_text(), str(data)]
        done = subprocess.run(
            command, cwd="/", env=user.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=SECONDS, check=True, **user.identity,
        )  # fmt: skip
        return str(done.stdout)

    def holder(data: Path) -> int:
        pid = (data / "postgres" / "postmaster.pid").read_text().split()[0]
        return Path(f"/proc/{pid}").stat().st_uid

    first, last = held(user.data).splitlines()
    assert (first.partition(":")[0], last) == ("postgresql", "stopped")
    assert (user.data / "postgres").stat().st_uid == USER
    taken = EmbeddedPostgres(user.data, durable=False)  # root runs it as its owner
    try:
        taken.start()
        assert holder(user.data) == USER
    finally:
        taken.stop()
    foreign = user.data.with_name("foreign")
    owner = (clusters.plant(foreign) / "postgres").stat().st_uid
    if owner == USER:
        owner = NAMELESS
        for path in (foreign / "postgres", *(foreign / "postgres").rglob("*")):
            os.chown(path, owner, owner)
    foreign.chmod(0o777)
    assert f"belong to user {USER}, it belongs to user {owner}" in held(foreign)


def test_without_a_folder_to_write_it_says_which_and_how_to_choose_another(user: User):
    variables = {"LICET_REGISTRY_DATA": str(user.home / "data")}
    told = user.runs("registry.cli", "up", "--port", "0", **variables)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"cannot make the data folder {user.home / 'data'}: Permission denied" in told.stderr
    assert "--data" in told.stderr
    assert "Traceback" not in told.stderr
