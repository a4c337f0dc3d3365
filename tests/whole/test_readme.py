"""Every block of the README is run, in order, as a reader would (`reading`), and then every block of the guides, by
somebody who has worked through the README on the same registry; `make demo` is `test_demo`, `make up` that registry.

The README's are run with the programs that were installed, those of the guides with forks of them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests import forking
from tests.whole.reading import ROOT, Read, read, typing
from tests.whole.stage import BIN, Service

README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
GUIDES = ("artist", "trainer", "auditor", "operator")


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A registry for readers of README and guides: nobody else has works there."""
    service = Service(tmp_path_factory.mktemp("registry"), snapshot_delay="4s")
    yield service
    service.end()


@pytest.fixture(scope="module")
def readme(readers: Service, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What came of the README, read before any guide."""
    folder = tmp_path_factory.mktemp("reader")
    return read(ROOT / "README.md", folder, typing(readers, folder))


@pytest.fixture(scope="module")
def reader(readme: Read, readers: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the README's reader, in another terminal."""
    return typing(readers, readme.folder, forking.programs(tmp_path_factory.mktemp("programs")))


def test_the_readme_works_as_written(readme: Read) -> None:
    assert len(readme.blocks) >= 8
    assert readme.code == 0, readme.said
    assert "Traceback" not in readme.said


def test_no_block_is_left_out() -> None:
    kinds = re.findall(r"^```(.+)$", README, re.MULTILINE)
    assert set(kinds) == {"sh", "sh run", "python"}
    assert re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL) == ["make demo\n", "make up\n"]


def test_python_works_as_written(readme: Read) -> None:
    assert PYTHON
    for block in PYTHON:
        done = subprocess.run(
            [BIN / "python", "-c", block],
            cwd=readme.folder,
            env=readme.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        assert "demo/pictures/mei/goldfish.webp" in done.stdout


def test_what_the_readme_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_works_as_written_after_the_readme(readme: Read, reader: dict[str, str], guide: str) -> None:
    done = read(ROOT / "docs" / "guides" / f"{guide}.md", readme.folder, reader)
    assert done.blocks
    assert done.code == 0, done.said
    assert "Traceback" not in done.err
    if guide == "trainer":  # the artist's pictures are paid for, so the guide shows what it speaks of
        assert "lic_" in done.out
