"""What a user's type checker sees of the installed package: complete, strict, and the types that the guide names."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import licet

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import asyncio
from pathlib import Path

import licet
from licet import AsyncClient, Budget, Client, InputError, LicetError, QuotaError, Request
from licet.datasets.filtering.build import Wish


def kept(folder: Path) -> list[str]:
    request = Request(uses=["train-gen"], purpose=["commercial"], territory=["DE"], open_weights=False)
    budget = Budget("100 USD", "50 EUR")
    reveal_type(budget)
    with Client("http://localhost:8000", "token") as client:
        reveal_type(client)
        found = client.check(sorted(folder.iterdir()), request)
        reveal_type(found.results[0].verdict)
        for work in client.works():
            reveal_type(work.work)
        reveal_type(client.annotate({"path": ["a.png"]}, request, unknown="keep", prefix="licet_"))
        reveal_type(client.filter([{"path": "a.png"}], request))
        with client.dataset("lantern-train", request, model="acme/lantern@2", accept=budget) as dataset:
            reveal_type(dataset)
            for batch in dataset.filter([[{"path": "a.png"}]]):
                reveal_type(batch)
        filtered = client.filter_dataset([folder], folder / "out", request, Wish(after=Path("urls.manifest.json")))
        reveal_type(filtered.kept)
        reveal_type(filtered.quote)
        checked = client.recheck(filtered.manifest)
        reveal_type(checked.drop)
        reported = client.report_run(filtered.manifest, "acme/lantern@2", "2", outputs=3)
        reveal_type(reported.new)
        reveal_type(client.snapshot.pin())
        return [str(each.input) for each in found.results if each.verdict == "allow"]


async def asked() -> None:
    async with AsyncClient("http://localhost:8000") as client:
        found = await client.check(["https://x.example/b.jpg"], Request(uses=["train-gen"]))
        reveal_type(found.results)
        reveal_type(await client.snapshot.pin())
        async for licence in client.licences():
            reveal_type(licence)


try:
    asyncio.run(asked())
except QuotaError as error:
    reveal_type(error.reset)
except LicetError as error:
    reveal_type(error.message)
reveal_type(licet.__version__)
"""
EXPECTED = [
    "licet.datasets.licensing.budgets.Budget",
    "licet.datasets.session.Client",
    "str",
    "str",
    "dict[str, list[str]]",
    "list[dict[str, str]]",
    "licet.datasets.stream.Dataset",
    "list[dict[str, str]]",
    "int",
    "licet.datasets.licensing.wanted.QuoteSummary",
    "licet.datasets.usage.findings.Findings",
    "int",
    "licet.datasets.pinned.Pinned",
    "list[licet.datasets.checking.Checked]",
    "licet.datasets.pinned.Pinned",
    "licet.wire.licensing.LicenceInfo",
    "float | None",
    "str",
    "str",
]
WRONG = """
from licet import Client, Request

Request(uses="train-gen", purposes=["commercial"])
Client().check(["a.png"], {"uses": ["train-gen"]})
Client().filter([{"path": "a.png"}], Request(uses=["search"]), unknown="perhaps")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel; what it depends on is seen in the environment of the tests."""
    folder = tmp_path_factory.mktemp("consumer")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT / "sdk", check=True, capture_output=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    wheel = next(folder.glob("*.whl"))
    install = [uv, "--offline", "--no-config", "pip", "install", "-q", "-p", python, "--no-deps", "--no-index", wheel]
    subprocess.run(list(map(str, install)), check=True, capture_output=True)
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    # A path file within a folder named by a path file is not read: the checkout stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def checked(python: Path, place: Path, program: str) -> tuple[int, str]:
    (place / "consumer.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "--cache-dir", ".mypy"]
    done = subprocess.run([*command, "--config-file", "", "consumer.py"], cwd=place, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_users_program_is_typed_strictly_by_the_installed_package(installed: Path, tmp_path: Path) -> None:
    where = [str(installed), "-c", "import licet; print(licet.__file__)"]
    assert str(installed.parents[1]) in subprocess.run(where, check=True, capture_output=True, text=True).stdout
    code, told = checked(installed, tmp_path, PROGRAM)
    assert code == 0, told
    shown = [line.partition("Revealed type is ")[2].strip('"') for line in told.splitlines() if "Revealed" in line]
    assert shown == EXPECTED, told
    code, told = checked(installed, tmp_path, WRONG)
    assert code == 1
    assert {line.split("[")[-1].rstrip("]") for line in told.splitlines() if "error:" in line} == {
        "call-arg",
        "arg-type",
    }


def test_every_public_name_says_what_it_is() -> None:
    for name in licet.__all__:
        value = getattr(licet, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), name
