"""What ``licet recheck`` writes for people, workflows and test reporters, with names that try to be more than names."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from licet.cli import workflow
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

USE = ("--use", "train-gen")
HOSTILE = "a\n::error::b%0A,c:d \x1b[31m<script>&\u202e|`x`😀.png"


@pytest.fixture
def stale(run: Run, world: World, works: dict[str, bytes], tmp_path: Path) -> Run:
    """A result of which two rows must go, one with a hostile name."""
    (tmp_path / "in" / HOSTILE).write_bytes(encoded(picture(1)))
    assert run("filter", "in", "-o", "out", *USE).code == 0
    world.registry.change(works["open"], terms=NO_AI.encoded)
    return run


def test_a_name_cannot_begin_a_workflow_command_or_a_line(
    stale: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    told = stale("recheck", "out", "--format", "github")
    lines = told.out.split("\n")
    assert told.code == 1
    assert [line.partition("::")[2].partition(" ")[0].partition("::")[0] for line in lines[:3]] == [
        "error", "error", "notice",
    ]  # fmt: skip
    assert lines[3:] == [""]
    assert "file=a%0A%3A%3Aerror%3A%3Ab%250A%2Cc%3Ad" in lines[0]
    summary = (tmp_path / "summary.md").read_text()
    assert "<script>" not in summary
    assert "\x1b" not in summary
    rows = [line for line in summary.splitlines() if line.startswith("| ") and "denied" in line]
    assert len(rows) == 2
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_a_summary_is_appended_to_what_is_there(stale: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    stale("recheck", "out", "--format", "github")
    assert place.read_text().startswith("before\n### licet recheck\n")


def test_a_test_report_is_xml_whatever_the_names(stale: Run) -> None:
    root = ElementTree.fromstring(stale("recheck", "out", "--format", "junit").out)
    assert root.tag == "testsuites"
    [suite] = root
    assert [child.tag for child in suite] == ["properties", "testcase", "testcase"]
    for each in (root, suite):
        assert (each.get("tests"), each.get("failures"), each.get("errors")) == ("2", "2", "0")
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"classname", "name"}
        [failure] = case
        assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "deny", "denied")
    names = [case.get("name") or "" for case in suite.iter("testcase")]
    assert any("<script>&" in name and "😀" in name and "\x1b" not in name for name in names)


def test_a_report_without_failures_has_one_test_that_passes(run: Run) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    told = run("recheck", "out", "--format", "junit")
    [suite] = ElementTree.fromstring(told.out)
    assert told.code == 0
    assert [case.get("name") for case in suite.iter("testcase")] == ["every kept row may stay"]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_a_terminal_is_not_painted_over(stale: Run) -> None:
    told = stale("recheck", "out")
    assert "\x1b" not in told.out
    assert "\u202e" not in told.out
    assert len(told.out.splitlines()) == 3


def test_several_are_checked_in_one_call_and_one_dataset_counts_once(stale: Run) -> None:
    assert stale("filter", "in", "-o", "fresh", *USE).code == 0
    told = stale("recheck", "out.manifest.json", "out.decisions.parquet", "fresh", "--json")
    assert told.code == 1
    assert [len(each["drop"]) for each in told.document["results"]] == [2, 0]
    text = stale("recheck", "out", "fresh").out
    assert text.count("dst_") == 2
    suites = ElementTree.fromstring(stale("recheck", "out", "fresh", "--format", "junit").out)
    assert (suites.get("tests"), len(suites)) == ("3", 2)
    assert stale("recheck", "fresh").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("out", "out", "-o", "drop.parquet"), "-o: expected one input beside it"),
        (("out.decisions.parquet", "-o", "out.decisions.parquet"), "-o: expected another file than a result"),
        (("out", "-o", "out.decisions.parquet"), "-o: expected another file than a result"),
        (("out", "-o", "in"), "-o: expected another file than a result"),
        (("in",), "filter the dataset first"),
        ((), "expected a value, got none"),
    ],
)
def test_wrong_inputs_are_told_and_nothing_is_overwritten(stale: Run, arguments: tuple[str, ...], words: str) -> None:
    before = Path("out.decisions.parquet").read_bytes()
    told = stale("recheck", *arguments)
    assert (told.code, words in told.err) == (2, True), told.err
    assert Path("out.decisions.parquet").read_bytes() == before


def test_the_rows_to_drop_are_written_also_if_there_are_none(run: Run, works: dict[str, bytes]) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    assert run("recheck", "out", "-o", "drop.parquet").code == 0
    assert pq.read_table("drop.parquet").num_rows == 0
    assert "path" in pq.read_schema("drop.parquet").names


def test_a_report_that_is_there_is_replaced_only_if_that_is_asked_for(run: Run, works: dict[str, bytes]) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    Path("mine.parquet").write_bytes(b"mine")
    for command in (("recheck", "out"), ("dataset", "diff", "out", "out")):
        told = run(*command, "-o", "mine.parquet")
        assert (told.code, told.err.strip()) == (
            2, "error: -o: expected a file that is not there yet, or --overwrite, got 'mine.parquet'",
        )  # fmt: skip
        assert Path("mine.parquet").read_bytes() == b"mine"
    assert run("recheck", "out", "-o", "mine.parquet", "--overwrite").code == 0
    assert pq.read_table("mine.parquet").num_rows == 0
    assert run("dataset", "diff", "out", "out", "-o", "mine.parquet", "--overwrite").code == 0
    assert Path("mine.parquet").read_bytes() == b""


def test_a_result_that_keeps_nothing_is_not_said_to_be_usable(run: Run, world: World, works: dict[str, bytes]) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    assert run("filter", "in", "-o", "out", *USE).code == 0
    assert run("recheck", "out").out.startswith("No row was kept, so none must go; checked at log size ")


def test_only_the_first_annotations_are_printed() -> None:
    lines = list(workflow.listed((workflow.annotation("error", str(number)) for number in range(60)), 60))
    assert (len(lines), lines[49]) == (51, "::error::49")
    assert lines[50].startswith("::warning::10 more")


def test_a_json_report_is_one_document(stale: Run) -> None:
    found = json.loads(stale("recheck", "out", "--format", "json").out)
    assert {row["path"] for row in found["drop"]} == {"open.png", HOSTILE}
