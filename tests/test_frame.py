"""The frame holds: what is locked is installed, imports are cheap and typed, both licence files are one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_both_distributions_have_one_version():
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sdk = tomllib.loads((ROOT / "sdk/pyproject.toml").read_text())["project"]
    assert root["version"] == sdk["version"] == version("licet") == version("licet-registry")
    assert f"licet[cose,images]=={sdk['version']}" in root["dependencies"]


def test_locks_carry_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        for block in text.replace(" \\\n    --hash", " --hash").splitlines():
            assert "--hash=sha256:" in block, f"{lock.name}: {block}"


def test_both_licence_files_are_the_same():
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "sdk/LICENSE").read_bytes()


def test_importing_the_sdk_loads_no_heavy_module():
    heavy = "numpy pyarrow cv2 PIL numba httpx pydantic iscc_lib duckdb registry"
    code = f"import sys, licet; print([m for m in {heavy.split()!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
