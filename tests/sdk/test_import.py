"""``import licet`` costs nothing: what is heavy, and what is an extra, is brought only by what needs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "PIL", "asyncio", "cryptography", "cv2", "cyclopts", "datasets", "duckdb", "httpx", "iscc_lib", "msgspec", "numba",
    "numpy", "obstore", "pandas", "polars", "pyarrow", "pydantic", "rfc8785", "rich", "ssl",
}  # fmt: skip
COMMAND_LINE = {"asyncio", "cyclopts", "msgspec", "rich"}  # what parsing and printing themselves take


def brought_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after ``code``."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_brings_nothing_heavy() -> None:
    found = brought_by("import licet")
    assert "licet" in found
    assert found & HEAVY == set()


def test_every_public_name_is_there_and_comes_when_it_is_asked_for() -> None:
    found = brought_by("import licet\nfor name in licet.__all__: getattr(licet, name)")
    assert {"numpy", "pydantic", "httpx"} <= found


@pytest.mark.parametrize("code", ["from licet.cli import main", "import licet.errors, licet.money, licet.times"])
def test_the_command_line_starts_without_what_only_some_commands_need(code: str) -> None:
    assert brought_by(code) & (HEAVY - COMMAND_LINE) == set()


@pytest.mark.parametrize("asked", [["--version"], ["--help"], []])
def test_version_and_help_of_the_whole_bring_nothing_at_all(asked: list[str]) -> None:
    code = f"from licet.cli import main\ntry: main({asked})\nexcept SystemExit as end: assert not end.code"
    assert brought_by(code) & (HEAVY | {"attrs", "email", "importlib.metadata"}) == set()


#: What asks the service or reads the home alone: the way there may be brought, what looks into data may not.
ASKING = [
    "account show", "balance", "licences list", "licences show lic_x",
    "statement fetch stm_01m8gxzp2df6jbcr4pvxtahg77 -o no/such",
    "token list", "token revoke tok_x", "works list", "works show wrk_x", "works update wrk_x --title x",
]  # fmt: skip
LINE = {"asyncio", "cryptography", "cyclopts", "httpx", "msgspec", "rich", "ssl"}


def test_what_only_asks_the_service_brings_no_more_than_the_way_there() -> None:
    code = f"""
import os, tempfile
os.environ.update(LICET_HOME=tempfile.mkdtemp(), LICET_URL="http://127.0.0.1:9", LICET_TOKEN="lct_x")
from licet.cli import main
import licet.transport.blocking
licet.transport.blocking.pause = lambda _: None
for command in {ASKING}:
    try: main(command.split())
    except SystemExit as end: assert end.code == 3, (command, end.code)
"""
    assert brought_by(code) & (HEAVY - LINE) == set()


@pytest.mark.parametrize("asked", [["snapshot", "--help"], ["check", "--help"]])
def test_what_only_tells_brings_nothing_heavy(asked: list[str]) -> None:
    code = f"from licet.cli import main\ntry: main({asked})\nexcept SystemExit as end: assert not end.code"
    assert brought_by(code) & (HEAVY - COMMAND_LINE) == set()
