"""Pages read as a reader does: every block of a page is run in order, the README's first and then the guides', all on
one registry, because that is how somebody new comes along."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.whole.stage import BIN, Service

ROOT = Path(__file__).resolve().parents[2]


class Read(NamedTuple):
    """What came of a page."""

    blocks: list[str]
    code: int
    out: str
    err: str
    folder: Path
    environment: dict[str, str]

    @property
    def said(self) -> str:
        return self.out + self.err


def typing(service: Service, folder: Path, *programs: Path) -> dict[str, str]:
    """Return the environment of a reader who has typed ``make up`` in another terminal and pasted its line."""
    if not (folder / "demo").exists():
        (folder / "demo").symlink_to(ROOT / "demo")
    return {
        **service.environment,
        "HOME": str(folder / "home"),
        "LICET_HOME": str(folder / "home" / "licet"),
        "LICET_URL": service.url,
        "PATH": os.pathsep.join(map(str, (*programs, BIN, os.environ["PATH"]))),
    }


def read(page: Path, folder: Path, environment: dict[str, str]) -> Read:
    """Run every block of ``page`` in one shell, because a reader's exports stay; the first that fails ends it."""
    blocks = re.findall(r"^```sh run\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    script = "set -euo pipefail\n" + "\n".join(f"set -x\n{block}{{ set +x; }} 2>/dev/null" for block in blocks)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    return Read(blocks, done.returncode, done.stdout, done.stderr, folder, environment)
