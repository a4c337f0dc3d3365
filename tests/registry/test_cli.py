"""The command line of the service: exit codes, one line per error, and the database of the data folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forking
from tests.registry import memory

COMMAND = Path(sys.executable).with_name("licet-registry")


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    told = forking.run(COMMAND, *arguments, cwd=Path.cwd(), environment=environment | variables, seconds=240)
    return subprocess.CompletedProcess(arguments, *told)


@pytest.fixture
def data() -> Iterator[Path]:
    path = memory.folder("licet-cli-", programs=True)
    yield path
    shutil.rmtree(path)


def test_every_command_says_what_it_is_for():
    rows = [line[2:-1] for line in call("--help").stdout.splitlines() if line.startswith("│ ")]
    said = {row.split()[0]: row.split()[1:] for row in rows if row[0] != " "}
    assert {"key", "up", "verify"} < said.keys()
    assert all(said.values())


def test_migrate_starts_the_database_of_a_folder_for_the_call(data: Path):
    fresh = call("migrate", "--check", "--data", str(data / "new"))
    assert fresh.returncode == 1
    assert fresh.stdout.startswith("pending 0001_")
    applied = call("migrate", LICET_REGISTRY_DATA=str(data / "new"))
    assert (applied.returncode, applied.stderr) == (0, "")
    assert applied.stdout.startswith("applied 0001_")
    again = call("migrate", "--check", "--data", str(data / "new"))
    assert (again.returncode, again.stdout) == (0, "the schema is up to date\n")
    assert not (data / "new" / "postgres" / "postmaster.pid").exists()


def test_migrate_uses_an_external_database(empty_dsn: str, data: Path):
    assert call("migrate", "--check", "--data", str(data / "unused"), DATABASE_URL=empty_dsn).returncode == 1
    assert call("migrate", "--data", str(data / "unused"), DATABASE_URL=empty_dsn).returncode == 0
    assert not (data / "unused").exists()


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        (("migrate",), {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}, 3, "no connection to the database"),
        (("settings",), {"LICET_REGISTRY_PORT": "x"}, 2, "LICET_REGISTRY_PORT: expected"),
        (("migrate", "--chek"), {}, 2, "--chek"),
        (("nonsense",), {}, 2, "nonsense"),
        (
            ("backup", "b.zip"),
            {},
            2,
            "--output: expected a value, got none; `licet-registry backup --help` shows what there is",
        ),
        (("key", "rotate"), {}, 2, "`licet-registry key rotate --help` shows"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...], variables: dict[str, str], code: int, message: str
):
    result = call(*arguments, **variables)
    assert result.returncode == code
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.startswith("licet-registry: ")
    assert result.stderr.count("\n") == 1


def test_settings_are_listed_and_explained():
    listed = call("settings", LICET_REGISTRY_FEE_BPS="0")
    assert "LICET_REGISTRY_FEE_BPS=0\n" in listed.stdout
    explained = call("settings", "--explain", LICET_REGISTRY_FEE_BPS="0")
    assert "LICET_REGISTRY_FEE_BPS = 0  (set; default 1000)\n" in explained.stdout


def test_the_alias_and_the_version_work():
    from registry import __version__

    result = subprocess.run(
        [str(COMMAND.with_name("registry")), "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == __version__
