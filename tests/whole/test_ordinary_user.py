"""The service runs as an ordinary user who may write nothing but its data folder: not the checkout, not its home."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from registry.database import binaries

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
USER = 65_534  # nobody
NAMELESS = 61_001  # as containers run: a number, and no name for it
SECONDS = 240


VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


class Place(NamedTuple):
    """Where the user finds what it runs."""

    python: Path
    checkout: Path
    packages: Path
    variables: dict[str, str]

    @property
    def path(self) -> str:
        return os.pathsep.join(map(str, (self.checkout, self.checkout / "sdk" / "src", self.packages)))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Python, our code and what it needs, where other users may enter: as they lie, or else linked into a folder."""
    spec = find_spec("asyncpg")
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    own = Path(sys.executable)
    if not AS_ROOT or all(binaries.reachable(path, USER, USER) for path in (own, ROOT / "sdk" / "src", packages)):
        yield Place(own, ROOT, packages, {})
        return
    folder = Path(tempfile.mkdtemp(prefix="licet-open-"))
    folder.chmod(0o755)
    try:
        base, checkout = Path(sys.base_prefix), folder / "checkout"
        _link(base / "lib" / VERSION, folder / "lib" / VERSION, "test", "site-packages", "idlelib")
        for library in (base / "lib").glob("libpython*"):
            _linked(str(library), str(folder / "lib" / library.name))
        (folder / "bin").mkdir()
        _linked(str(base / "bin" / VERSION), str(folder / "bin" / VERSION))
        for name in ("registry", "migrations", "openapi", "sdk/src/licet"):
            _link(ROOT / name, checkout / name)
        _link(packages, folder / "packages")
        libraries = {"LD_LIBRARY_PATH": str(folder / "lib")}
        yield Place(folder / "bin" / VERSION, checkout, folder / "packages", libraries)
    finally:
        shutil.rmtree(folder)


def _link(source: Path, target: Path, *without: str) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=_linked, ignore=shutil.ignore_patterns(*without))


def _linked(source: str, target: str) -> str:
    """Make ``target`` the same file as ``source``, or a copy on another file system, readable by everybody."""
    real = os.path.realpath(source)
    if Path(real).stat().st_mode & stat.S_IROTH:
        with suppress(OSError):
            os.link(real, target)
            return target
    shutil.copyfile(real, target)
    Path(target).chmod(0o755)
    return target


class User:
    """The user: where it may write, and what it runs."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.python = place.python
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
            "PYTHONPATH": place.path,
            **place.variables,
        }

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "-W", "error::ResourceWarning", "-m", *arguments]

    def runs(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd="/", env=self.environment | variables, capture_output=True, text=True,
            timeout=SECONDS, **self.identity,
        )  # fmt: skip


@pytest.fixture
def user(place: Place) -> Iterator[User]:
    """A user with a read-only home and a data folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="licet-user-"))
    folder.chmod(0o755)
    yield User(folder, place)
    (folder / "home").chmod(0o755)
    shutil.rmtree(folder)


def test_it_may_write_neither_checkout_nor_home(user: User):
    for place in (ROOT if AS_ROOT else user.home, user.home):
        code = f"import pathlib; pathlib.Path({str(place)!r}, 'written').touch()"
        done = subprocess.run(
            [str(user.python), "-c", code], env=user.environment, capture_output=True, text=True, **user.identity
        )
        assert "PermissionError" in done.stderr


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


def test_without_a_folder_to_write_it_says_which_and_how_to_choose_another(user: User):
    variables = {"LICET_REGISTRY_DATA": str(user.home / "data")}
    told = user.runs("registry.cli", "up", "--port", "0", **variables)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"cannot make the data folder {user.home / 'data'}: Permission denied" in told.stderr
    assert "--data" in told.stderr
    assert "Traceback" not in told.stderr
