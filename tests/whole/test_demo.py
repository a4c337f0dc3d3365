"""The demo is the main job: it must come out the same way for everybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "build/demo/report.json").read_text())
    return found


def test_every_row_gets_one_verdict(report: dict[str, Any]) -> None:
    dataset = Counter(report["dataset"])
    verdicts = ("allow", "license", "deny", "review", "unknown")
    assert sum(dataset[verdict] for verdict in verdicts) == dataset["rows"]
    assert all(dataset[verdict] > 0 for verdict in verdicts)
    assert dataset["kept"] == dataset["allow"] + dataset["license"] + dataset["unknown"]


def test_copies_are_found_and_paid_for_once(report: dict[str, Any]) -> None:
    mei = len([*(ROOT / "demo/pictures/mei").iterdir()])
    assert report["dataset"]["license"] == 2 * mei  # each original and its one copy
    owed = {(line["currency"], line["amount"]) for line in report["owed"]}
    # Two runs at 0.05 USD a work, less the registry's tenth.
    assert owed == {("USD", f"{mei * 2 * 0.05 * 0.9:.2f}".rstrip("0"))}


def test_strangers_are_unknown(report: dict[str, Any]) -> None:
    strangers = len([*(ROOT / "demo/pictures/strangers").iterdir()])
    assert report["dataset"]["unknown"] == strangers


def test_the_books_verify_and_a_tightening_names_what_must_go(report: dict[str, Any]) -> None:
    assert report["audit"]["verified"] is True
    assert len(report["audit"]["checks"]) >= 10
    assert report["recheck"]["drop"] == report["dataset"]["allow"]
    indexes = [statement["log_index"] for statement in report["statements"]]
    assert indexes == sorted(set(indexes))
    assert max(indexes) >= report["log"]["size"]  # the change of mind came after the audit
