"""Both wheels, installed outside the checkout without any index, carry all that they need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


def run(*arguments: str | Path, cwd: Path, **variables: str) -> str:
    environment = {"PATH": os.defpath, "HOME": str(cwd), **variables}
    result = subprocess.run(list(map(str, arguments)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheels() -> Iterator[Path]:
    """The folder of freshly built wheels."""
    folder = Path(tempfile.mkdtemp(prefix="licet-wheels-"))
    for project in (ROOT / "sdk", ROOT):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=project)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def environment(wheels: Path) -> Path:
    """The bin folder of an empty environment with both wheels and nothing else."""
    home = wheels / "environment"
    run(UV, "venv", "--offline", "--no-config", "-q", "-p", sys.executable, home, cwd=wheels)
    files = sorted(wheels.glob("*.whl"))
    python = home / "bin" / "python"
    run(
        UV,
        "pip",
        "install",
        "--offline",
        "--no-index",
        "--no-config",
        "-q",
        "--no-deps",
        "-p",
        python,
        *files,
        cwd=wheels,
    )
    return home / "bin"


@pytest.fixture(scope="module")
def dependencies() -> str:
    """Where the locked dependencies are; put on the path, which leaves the checkout's own links out."""
    return str(Path(msgspec.__file__).parents[1])


def test_the_wheels_carry_types_licence_migrations_and_the_api_description(wheels: Path):
    (sdk,) = wheels.glob("licet-*.whl")
    (registry,) = wheels.glob("licet_registry-*.whl")
    assert "licet/py.typed" in ZipFile(sdk).namelist()
    names = set(ZipFile(registry).namelist())
    assert "registry/py.typed" in names
    for folder, ending in (("migrations", "*.sql"), ("openapi", "*.json")):
        for path in (ROOT / folder).glob(ending):
            assert f"registry/_data/{folder}/{path.name}" in names
    for wheel in (sdk, registry):
        assert any(name.endswith("licenses/LICENSE") for name in ZipFile(wheel).namelist())
        assert not any(name.startswith(("tests/", "demo/", "bench/")) for name in ZipFile(wheel).namelist())


def test_the_service_runs_from_its_wheel(environment: Path, dependencies: str, wheels: Path):
    code = "import registry, licet; print(registry.__file__, licet.__file__)"
    for place in run(environment / "python", "-c", code, cwd=wheels, PYTHONPATH=dependencies).split():
        assert Path(place).is_relative_to(environment.parent)
    done = run(
        environment / "licet-registry", "migrate", "--data", wheels / "data", cwd=wheels, PYTHONPATH=dependencies
    )
    files = sorted(path.name for path in (ROOT / "migrations").glob("*.sql"))
    assert done.splitlines() == [*(f"applied {name}" for name in files), f"{len(files)} applied"]


def test_the_sdk_imports_from_its_wheel_alone(environment: Path, dependencies: str, wheels: Path):
    code = "import licet; print(licet.__version__)"
    assert run(environment / "python", "-c", code, cwd=wheels, PYTHONPATH=dependencies).strip()
