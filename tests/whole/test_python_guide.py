"""Every example of the guides for Python and for engines runs as it stands, against a real service."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole.stage import Person

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
EXAMPLES = [
    example
    for name in ("python.md", "engines.md")
    for example in re.findall(r"^```python\n(.*?)^```", (GUIDES / name).read_text("utf-8"), re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(trainer: Person, number: int) -> None:
    script = trainer.folder / f"example{number}.py"
    script.write_text(EXAMPLES[number], "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script], cwd=trainer.folder,
        env={**trainer.environment, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
