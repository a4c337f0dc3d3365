"""Every block of the guides is run, in order, as a reader would, against a real service.

The README's are run with the programs that were installed, these with forks of them.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forking
from tests.whole.stage import BIN, Service

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("artist", "trainer", "auditor", "operator")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A registry of their own: the README registers the same pictures, and two claims to one are in conflict."""
    service = Service(tmp_path_factory.mktemp("registry"), snapshot_delay="4s")
    yield service
    service.end()


@pytest.fixture(scope="module")
def reader(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader who has typed ``make up`` in another terminal and pasted its line."""
    folder = tmp_path_factory.mktemp("guides")
    (folder / "demo").symlink_to(ROOT / "demo")
    return {
        **service.environment,
        "HOME": str(folder / "home"),
        "LICET_HOME": str(folder / "home" / "licet"),
        "LICET_URL": service.url,
        "PATH": f"{forking.programs(tmp_path_factory.mktemp('programs'))}:{BIN}:{os.environ['PATH']}",
        "READER": str(folder),
    }


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_works_as_written(reader: dict[str, str], guide: str) -> None:
    text = (ROOT / "docs" / "guides" / f"{guide}.md").read_text("utf-8")
    blocks = re.findall(r"^```sh run\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks
    script = "set -euo pipefail\n" + "\n".join(f"set -x\n{block}{{ set +x; }} 2>/dev/null" for block in blocks)
    done = subprocess.run(
        ["bash", "-c", script], cwd=reader["READER"], env=reader, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if guide == "trainer":  # the artist's pictures are paid for, so the guide shows what it speaks of
        assert "lic_" in done.stdout
