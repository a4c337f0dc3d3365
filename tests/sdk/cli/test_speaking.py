"""Words come out whole, or as what can be shown, and the exit code stays the command's own, whoever listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

LICET = Path(sys.executable).with_name("licet")
DOCTOR = "doctor"  # exits 1 here, and says much
NARROW = {"PYTHONIOENCODING": "ascii"}
MISSING = "audit verify 金鱼.zip"


class Told(NamedTuple):
    code: int
    out: bytes
    err: bytes


# What is typed, where stdout goes, and which variables are set beside.
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "help, nobody listens": ("--help", "left", {}),
    "help of a command, nobody listens": ("works list --help", "left", {}),
    "found wrong, nobody listens": (DOCTOR, "left", {}),
    "a document, nobody listens": (f"{DOCTOR} --json", "left", {}),
    "an error, stdout closed": (MISSING, "closed", {}),
    "found wrong, stdout closed": (DOCTOR, "closed", {}),
    "no room": (f"{DOCTOR} --json", "/dev/full", {}),
    "narrow": (MISSING, "read", NARROW),
    "narrow, a document": (f"{MISSING} --json", "read", NARROW),
    "wide, in locale C": (MISSING, "read", {"LC_ALL": "C"}),
    "help, in locale C": ("filter --help", "read", NARROW),
}


def run(home: Path, typed: str, stdout: str, variables: dict[str, str]) -> Told:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LICET_")}
    environment = {**clean, "LICET_HOME": str(home), "LICET_URL": "no address", **variables}
    words = typed.split()
    command = ["sh", "-c", 'exec "$0" "$@" >&-', str(LICET), *words] if stdout == "closed" else [str(LICET), *words]
    target = os.open(stdout, os.O_WRONLY) if stdout.startswith("/") else subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdout=target, stderr=subprocess.PIPE)
    if process.stdout is not None and stdout == "left":
        process.stdout.close()
        process.stdout = None
    out, err = process.communicate(timeout=240)
    if target != subprocess.PIPE:
        os.close(target)
    return Told(process.returncode, out or b"", err)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    home = tmp_path_factory.mktemp("home")
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(CASES, pool.map(lambda case: run(home, *case), CASES.values()), strict=True))


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("help, nobody listens", 0),
        ("help of a command, nobody listens", 0),
        ("found wrong, nobody listens", 1),
        ("a document, nobody listens", 1),
        ("an error, stdout closed", 2),
        ("found wrong, stdout closed", 1),
    ],
)
def test_who_leaves_changes_nothing(told: dict[str, Told], case: str, code: int) -> None:
    assert told[case].code == code, told[case]
    assert b"Traceback" not in told[case].err
    assert (b"error: " in told[case].err) == ("an error" in case), told[case]


def test_a_document_that_there_is_no_room_for_is_said_to_be_lost(told: dict[str, Told]) -> None:
    code, _, err = told["no room"]
    assert code == 2
    assert b"No space left" in err
    assert b"Traceback" not in err


def test_a_name_that_cannot_be_shown_is_spelled(told: dict[str, Told]) -> None:
    code, out, err = told["narrow"]
    assert (code, out) == (2, b"")
    assert b"\\u91d1\\u9c7c.zip: cannot be read" in err
    assert err.isascii()
    code, out, err = told["narrow, a document"]
    assert (code, err) == (2, b"")
    assert out.isascii()
    assert json.loads(out)["error"]["message"].startswith("金鱼.zip: cannot be read")


def test_a_name_that_can_be_shown_is(told: dict[str, Told]) -> None:
    assert "金鱼.zip".encode() in told["wide, in locale C"].err


def test_help_needs_no_wide_terminal_and_sends_no_colours_to_a_file(told: dict[str, Told]) -> None:
    code, out, err = told["help, in locale C"]
    assert (code, err) == (0, b"")
    assert out.isascii()
    assert b"--unknown" in out
    assert b"\x1b" not in out
