"""Every block of the README is run, in order, as a reader would (`reading`); `make demo` is `test_demo`, `make up` the
registry that the guides go on with."""

from __future__ import annotations

import re
import subprocess

from tests.whole.reading import ROOT, Read
from tests.whole.stage import BIN

README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


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
