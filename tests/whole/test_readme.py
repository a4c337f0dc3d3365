"""Every block of the README is run, in order, as a reader would; `make demo` is `test_demo`, `make up` the fixture."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.whole.stage import BIN, Service

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh run\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def reader(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader who has typed ``make up`` in another terminal and pasted its line."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "demo").symlink_to(ROOT / "demo")
    return {
        **service.environment,
        "HOME": str(folder / "home"),
        "LICET_HOME": str(folder / "home" / "licet"),
        "LICET_URL": service.url,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "READER": str(folder),
    }


def test_the_readme_works_as_written(reader: dict[str, str]) -> None:
    assert len(BLOCKS) >= 8
    # One shell for all blocks, because a reader's exports stay; the first command that fails ends it.
    script = "set -euo pipefail\n" + "\n".join(f"set -x\n{block}{{ set +x; }} 2>/dev/null" for block in BLOCKS)
    done = subprocess.run(
        ["bash", "-c", script], cwd=reader["READER"], env=reader, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_no_block_is_left_out() -> None:
    kinds = re.findall(r"^```(.+)$", README, re.MULTILINE)
    assert set(kinds) == {"sh", "sh run", "python"}
    assert re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL) == ["make demo\n", "make up\n"]


def test_python_works_as_written(reader: dict[str, str]) -> None:
    assert PYTHON
    for block in PYTHON:
        done = subprocess.run(
            [BIN / "python", "-c", block], cwd=reader["READER"], env=reader, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        assert "demo/pictures/mei/goldfish.webp" in done.stdout


def test_what_the_readme_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
