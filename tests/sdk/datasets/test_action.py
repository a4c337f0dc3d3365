"""The action and the hook, run for real: their own shell, in bash, with what a person wrote in the environment."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.conftest import ROOT
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World

USE = ("--use", "train-gen")
INPUT = re.compile(r"\$\{\{\s*inputs\.([a-z-]+)\s*\}\}")
BASH = "/bin/bash"


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """The action, as a runner parses it."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return found


class Runner:
    """Does with a step what a runner does: fills the inputs into its environment, and hands its script to bash."""

    def __init__(self, action: dict[str, Any], folder: Path) -> None:
        self._action = action
        self.temp = folder / "runner"
        self.summary, self.output = folder / "summary.md", folder / "output.txt"
        self.temp.mkdir()
        bin_ = self.temp / "licet" / "bin"
        bin_.mkdir(parents=True)
        for name in ("licet", "python"):  # what the step before installs
            (bin_ / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(Path(sys.executable).with_name(name)))} "$@"\n')
            (bin_ / name).chmod(0o755)

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run one step with ``inputs``, the others as the action has them by default."""
        [step] = [each for each in self._action["runs"]["steps"] if each.get("name") == name]
        given = {key: str(value.get("default", "")) for key, value in self._action["inputs"].items()}
        given |= {key.replace("_", "-"): value for key, value in inputs.items()}
        filled = {key: INPUT.sub(lambda found: given[found[1]], str(text)) for key, text in step["env"].items()}
        env = {
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **{name: os.environ[name] for name in ("LICET_HOME", "LICET_URL") if name in os.environ},
            **filled,
        }
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        return subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def runner(action: dict[str, Any], run: Run, world: World, works: dict[str, bytes], tmp_path: Path) -> Runner:
    """A runner in a folder with a result ``stale``, of which a row must go, and one that is ``fresh``."""
    assert run("filter", "in", "-o", "stale", *USE).code == 0
    world.registry.change(works["open"], terms=NO_AI.encoded)
    assert run("filter", "in", "-o", "fresh", *USE).code == 0
    return Runner(action, tmp_path)


def test_what_a_person_writes_never_stands_in_a_script(action: dict[str, Any]) -> None:
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in script]
    for step in action["runs"]["steps"]:
        assert step.get("shell") == "bash" or "uses" in step
    used = {name for step in action["runs"]["steps"] for text in _texts(step) for name in INPUT.findall(text)}
    assert used == set(action["inputs"])


def _texts(step: dict[str, Any]) -> list[str]:
    return [str(text) for part in ("env", "with") for text in step.get(part, {}).values()]


def test_a_row_to_drop_fails_the_step_and_is_annotated(runner: Runner) -> None:
    done = runner.step("Recheck", path="stale.manifest.json\nfresh.manifest.json")
    assert done.returncode == 1, done.stderr
    assert "::error file=open.png::open.png must go: deny, denied" in done.stdout
    assert "1 of 1 kept rows must go" in runner.summary.read_text()
    assert runner.output.read_text() == "drop=1\n"


def test_it_can_report_only_and_passes_what_may_stay(runner: Runner) -> None:
    assert runner.step("Recheck", path="fresh.manifest.json").returncode == 0
    done = runner.step("Recheck", path="stale", fail_on="never", format="table", output="drops dir")
    assert (done.returncode, "drop  open.png" in done.stdout) == (0, True), done.stderr
    assert [path.name for path in Path("drops dir").iterdir()] == ["1.parquet"]
    assert runner.output.read_text() == "drop=0\ndrop=1\n"


def test_what_does_not_hold_is_never_let_pass(runner: Runner) -> None:
    assert runner.step("Recheck", path="stale", fail_on="never", output="drops").returncode == 0
    manifest = Path("stale.manifest.json")
    manifest.write_text(manifest.read_text().replace('"kept": 1', '"kept": 2'))
    done = runner.step("Recheck", path="stale", fail_on="never", output="drops")
    assert done.returncode == 1
    assert "not what was signed" in done.stderr


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"path": "\n\n"}, "::error::path: expected at least one"),
        ({"path": "stale", "fail_on": "sometimes"}, "::error::fail-on: expected drop or never"),
        ({"path": "stale", "format": "pdf"}, ""),
        ({"path": "nowhere"}, ""),
    ],
)
def test_wrong_inputs_end_the_step_with_two(runner: Runner, inputs: dict[str, str], words: str) -> None:
    done = runner.step("Recheck", **inputs)
    assert (done.returncode, words in done.stdout) == (2, True), done.stderr


@pytest.mark.parametrize("name", ["path", "fail-on", "format", "output", "url", "token", "version"])
def test_no_input_is_run(runner: Runner, name: str) -> None:
    hostile = "-h'; touch hacked; '\"; touch hacked; \"$(touch hacked)`touch hacked`"
    runner.step("Install licet" if name == "version" else "Recheck", **{"path": "fresh", name: hostile})
    assert not list(Path().rglob("hacked"))


def test_a_version_that_is_none_is_not_installed(runner: Runner) -> None:
    done = runner.step("Install licet", version="1.0 --index-url=http://evil.example")
    assert (done.returncode, "::error::version: expected a release" in done.stdout) == (2, True)


def test_the_hook_refuses_what_must_go_and_passes_the_rest(runner: Runner) -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = sorted(path.name for path in Path().iterdir() if re.search(hook["files"], path.name))
    assert files == [f"{name}.{end}" for name in ("fresh", "stale") for end in ("decisions.parquet", "manifest.json")]
    entry = shlex.split(hook["entry"])
    entry[0] = str(Path(sys.executable).with_name(entry[0]))

    def commit(*names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*entry, *names], capture_output=True, text=True, timeout=60, check=False)

    assert (hook["language"], hook["require_serial"]) == ("system", True)
    assert commit("fresh.decisions.parquet", "fresh.manifest.json").returncode == 0
    done = commit(*files)
    assert (done.returncode, done.stdout.count("drop  open.png")) == (1, 1)
