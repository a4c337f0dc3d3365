"""Both wheels, installed outside the checkout, carry all that they need and run on the oldest and the newest Python.

Nothing is downloaded: the projects come from the wheels just built, their dependencies from the cache that `make setup`
filled. A Python whose dependencies are not in it is skipped, by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from tests.whole.stage import Person, Service, drawing, encoded

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
SUPPORTED = ("python3.11", "python3.12", "python3.13")


def run(*arguments: str | Path, cwd: Path, **variables: str) -> str:
    environment = {"PATH": os.defpath, "HOME": str(cwd), **variables}
    result = subprocess.run(list(map(str, arguments)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def found(name: str) -> Path | None:
    """Return the Python of this machine that `make PYTHON=name` takes, None if there is none."""
    told = subprocess.run([ROOT / "tools" / "python", name], capture_output=True, text=True)
    return Path(told.stdout.strip()) if told.returncode == 0 else None


def chosen(age: str) -> str:
    """Return the name of the oldest or the newest supported Python of this machine."""
    here = [name for name in SUPPORTED if found(name) is not None]
    assert here, f"expected one of {', '.join(SUPPORTED)}, found none"
    return here[0 if age == "oldest" else -1]


@pytest.fixture(scope="module")
def wheels() -> Iterator[Path]:
    """The folder of freshly built wheels."""
    folder = Path(tempfile.mkdtemp(prefix="licet-wheels-"))
    for project in (ROOT / "sdk", ROOT):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=project)
    yield folder
    shutil.rmtree(folder)


def without_compilers(place: Path) -> dict[str, str]:
    """Return variables with which nothing can be compiled: no program on the path, and compilers that fail."""
    empty = place / "no-programs"
    empty.mkdir(exist_ok=True)
    return {"PATH": str(empty), "CC": "/bin/false", "CXX": "/bin/false", "CARGO": "/bin/false", "HOME": str(place)}


def uv_offline(place: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run uv with the indexes of `make setup`, out of its cache alone, where nothing can be compiled."""
    script = (
        f'PATH={os.defpath}; pip() {{ "{sys.executable}" -m pip "$@"; }}; . {ROOT}/tools/indexes; PATH=$NONE; exec "$@"'
    )
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    hidden = without_compilers(place)
    variables = {
        name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_", "XDG_CONFIG"))
    }
    variables |= {**hidden, "NONE": hidden["PATH"], "HOME": os.environ.get("HOME", ""), "UV_CACHE_DIR": cache}
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", UV, "--offline", *arguments],
        cwd=place, env=variables, capture_output=True, text=True,
    )  # fmt: skip


@contextmanager
def ended(service: Service) -> Iterator[Service]:
    """End the service when the block does."""
    try:
        yield service
    finally:
        service.end()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that nobody registered before."""
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(drawing(1)))
    return path


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("oldest", marks=pytest.mark.skipif(not os.environ.get("CI"), reason="runs where CI is set")),
        "newest",
    ],
)
def installed(request: pytest.FixtureRequest, wheels: Path) -> Path:
    """The bin folder of a throw-away environment with both wheels and what they ask for; the newest Python always, the
    oldest where CI is set."""
    name = chosen(request.param)
    place = wheels / name
    if place.exists():
        pytest.skip(f"{name} is the only supported Python here")
    place.mkdir()
    home = place / "environment"
    python = found(name)
    assert python is not None
    run(UV, "venv", "--offline", "--no-config", "-q", "-p", python, home, cwd=place)
    done = uv_offline(
        place, "pip", "install", "-q", "-p", home / "bin" / "python", "--only-binary", ":all:",
        "-c", ROOT / "requirements" / "run.txt", *sorted(wheels.glob("*.whl")),
    )  # fmt: skip
    if done.returncode != 0:
        words = " ".join(done.stderr.split())
        assert "offline" in words or "cache" in words or "network" in words, words
        pytest.skip(f"`make setup PYTHON={name}` fetches what is missing for {name}: {words[:300]}")
    programs: Path = home / "bin"
    return programs


def test_sdk_and_service_run_on_the_oldest_and_the_newest_python(installed: Path, picture: Path, tmp_path: Path):
    versions = run(installed / "python", "-c", "import sys, licet, registry; print(sys.version)", cwd=tmp_path)
    assert versions.startswith(installed.parents[1].name.removeprefix("python"))
    with ended(Service(tmp_path / "service", programs=installed, snapshot_delay="1s")) as service:
        ada = Person(tmp_path / "ada", service.url, programs=installed).joins("artist", "Ada")
        registered = ada.does("register", picture, "--preset", "no-ai")
        assert len(registered["works"]) == 1
        ada.does("snapshot", "pull", "--covering", str(registered["log_index"]))
        (answer,) = ada.does("check", picture, "--use", "train-gen")["results"]
        assert answer["verdict"] == "deny"
        folder = tmp_path / "dataset"
        folder.mkdir()
        shutil.copy(picture, folder)
        told = ada.does("filter", folder, "-o", tmp_path / "kept", "--use", "train-gen")
        assert (told["rows"], told["kept"]) == (1, 0)


def test_an_sdist_would_not_have_been_installed(tmp_path: Path):
    """The check above can fail: a dependency without a wheel is refused, and could not be compiled either."""
    source = tmp_path / "needy-1.0"
    source.mkdir()
    (source / "setup.py").write_text("import subprocess; subprocess.run(['cc', '--version'], check=True)\n")
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: needy\nVersion: 1.0\n")
    with tarfile.open(tmp_path / "needy-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "needy-1.0")
    run(UV, "venv", "--offline", "--no-config", "-q", "-p", sys.executable, tmp_path / "environment", cwd=tmp_path)
    ask = ("pip", "install", "-p", tmp_path / "environment", "--no-index", "--find-links", tmp_path, "needy")
    refused = uv_offline(tmp_path, *ask, "--only-binary", ":all:")
    assert refused.returncode != 0
    assert "no usable wheels" in refused.stderr or "no wheels" in refused.stderr, refused.stderr
    assert uv_offline(tmp_path, *ask, "--no-build-isolation").returncode != 0


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
    programs: Path = home / "bin"
    return programs


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
