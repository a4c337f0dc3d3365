"""``licet filter``, ``recheck``, ``run report`` and ``usage`` as they are typed: documents, words, exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from licet.terms import ATOMS
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World

USE = ("--use", "train-gen")
ACCEPT = ("--accept", "--model", "lantern/lantern@1", "--dataset", "train", "--budget", "5USD")


def test_filter_tells_a_document_of_what_it_did(run: Run, tmp_path: Path) -> None:
    told = run("filter", "in", "-o", "out", *USE, "--unknown", "keep", *ACCEPT, "--json")
    assert told.code == 0
    found = told.document
    assert (found["rows"], found["kept"]) == (4, 3)
    assert found["counts"] == {"allow": 1, "license": 1, "deny": 1, "review": 0, "unknown": 1}
    assert found["licence"].startswith("lic_")
    assert found["quote"]["totals"] == [{"amount": "0.05", "currency": "USD", "works": 1}]
    assert Path(found["manifest"]) == tmp_path / "out.manifest.json"
    assert found["recheck"]["drop"] == 0


def test_filter_tells_a_person_what_it_costs_and_what_to_do(run: Run) -> None:
    told = run("filter", "in", "-o", "out", *USE)
    assert told.code == 0
    assert "Kept 1 of 4 rows in" in told.out
    assert "Licences would cost 0.05 USD: 1 work of 1 artist." in told.out
    assert "--unknown keep keeps them" in told.out
    assert "signed with the organisation's key" in told.out


def test_an_output_whose_name_names_no_dataset_needs_one_that_does(run: Run) -> None:
    out = "n" * 220
    told = run("filter", "in", "-o", out, *USE, "--json")
    assert (told.code, told.document["error"]["field"]) == (2, "--dataset")
    assert "since that of -o is none (a name of 1 to 200 printable characters)" in told.document["error"]["message"]
    assert run("filter", "in", "-o", out, *USE, "--dataset", "train").code == 0


def test_an_input_without_rows_is_told_as_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("url,caption\n")
    told = run("filter", "none.csv", "-o", "out.csv", *USE)
    assert (told.code, told.out.splitlines()[1]) == (0, "  The input has no rows.")
    assert told.out.startswith("Kept 0 of 0 rows in ")


def test_an_unknown_use_lists_the_ten(run: Run) -> None:
    told = run("filter", "in", "-o", "out", "--use", "train-everything", "--json")
    assert told.code == 2
    error = told.document["error"]
    assert error["field"] == "--use"
    for atom in ATOMS:
        assert atom in error["message"]
    assert not Path("out.job").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--budget", "5USD"), "--budget: expected --accept beside it"),
        (("--accept", "--model", "a/b@1"), "--dataset: expected a value"),
        (("--accept", "--dataset", "d"), "--model: expected a value"),
        ((*ACCEPT[:-1], "5XYZ"), "--budget: expected an ISO 4217 code"),
        ((*ACCEPT[:-1], "five"), "--budget: expected an amount and a currency"),
        ((*ACCEPT, "--offline"), "either --accept"),
        (("--match", "derivative", "--offline"), "--match: expected exact or near with --offline"),
        (("--min-claim-level", "9"), "--min-claim-level: expected 0 to 4"),
        (("--fail-on", "maybe"), "--fail-on: expected any of"),
        (("--columns", "url"), "--columns: expected pairs"),
        (("--purpose", "fun"), "--purpose: expected any of"),
        (("--territory", "Atlantis"), "--territory: expected"),
        (("--model", "lantern"), "--model: expected ORG/NAME@VERSION"),
        (("--dataset", " x"), "a name of 1 to 200"),
    ],
)
def test_wrong_options_are_named(run: Run, arguments: tuple[str, ...], words: str) -> None:
    told = run("filter", "in", "-o", "out", *USE, *arguments)
    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert not Path("out").exists()


def test_lists_are_written_with_spaces_commas_or_both(run: Run) -> None:
    told = run("filter", "in", "-o", "out", "--use", "train-gen,mine", "evaluate", "--territory", "DE,FR", "--json")
    assert told.code == 0
    use = json.loads(Path("out.manifest.json").read_text())["manifest"]["use"]
    assert (use["uses"], use["territory"]) == (["evaluate", "mine", "train-gen"], ["DE", "FR"])


def test_over_budget_ends_with_one_and_shows_the_quote(run: Run, world: World) -> None:
    told = run("filter", "in", "-o", "out", *USE, *ACCEPT[:-1], "0.01USD", "--json")
    assert told.code == 1
    error = told.document["error"]
    assert error["code"] == "over-budget"
    assert error["quote"]["totals"] == [{"amount": "0.05", "currency": "USD", "works": 1}]
    assert not world.registry.licences


def test_a_verdict_can_fail_the_command(run: Run) -> None:
    assert run("filter", "in", "-o", "a", *USE, "--fail-on", "review").code == 0
    assert run("filter", "in", "-o", "b", *USE, "--fail-on", "review,deny").code == 1
    assert Path("b.manifest.json").exists()


def test_a_second_time_needs_overwrite(run: Run) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    told = run("filter", "in", "-o", "out", *USE)
    assert told.code == 2
    assert "--overwrite" in told.err
    assert run("filter", "in", "-o", "out", *USE, "--overwrite").code == 0


def test_nobody_filters_by_exact_copies_and_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_HOME", "nobody")
    told = run("filter", "in", "-o", "out", *USE, "--json")
    assert told.code == 0
    assert told.document["match"] == "exact"
    assert "near tier needs an account" in told.err


@pytest.fixture
def stale(run: Run, world: World, works: dict[str, bytes]) -> Run:
    """A result of which one row must go."""
    assert run("filter", "in", "-o", "out", *USE, "--unknown", "keep", *ACCEPT).code == 0
    world.registry.change(works["open"], terms=NO_AI.encoded)
    return run


def test_recheck_names_the_rows_that_must_go(stale: Run, works: dict[str, bytes]) -> None:
    told = stale("recheck", "out.decisions.parquet", "--json", "-o", "drop.parquet")
    assert told.code == 1
    [row] = told.document["drop"]
    assert (row["path"], row["reason"], row["verdict"], row["row"]) == ("open.png", "denied", "deny", 1)
    assert row["work"].startswith("wrk_")
    assert pq.read_table("drop.parquet")["path"].to_pylist() == ["open.png"]
    assert stale("recheck", "out", "--format", "json").document["kept"] == 3


def test_recheck_speaks_to_people_and_to_machines(stale: Run) -> None:
    assert "drop  open.png  deny: denied" in stale("recheck", "out").out
    assert "::error file=open.png::open.png must go: deny, denied" in stale("recheck", "out", "--format", "github").out
    [suite] = ElementTree.fromstring(stale("recheck", "out.manifest.json", "--format", "junit").out)
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == ["open.png"]


def test_recheck_ends_with_nothing_when_nothing_must_go(run: Run) -> None:
    assert run("filter", "in", "-o", "out", *USE).code == 0
    told = run("recheck", "out")
    assert (told.code, told.out.splitlines()[-1][:22]) == (0, "0 of 1 kept rows must ")
    assert run("recheck", "elsewhere").code == 2


def test_a_run_of_another_version_is_signed_only_if_that_is_meant(
    stale: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    arguments = ("run", "report", "--model", "lantern/lantern@7", "--dataset", "out.manifest.json", "--run", "2")
    unsure = stale(*arguments)
    assert (unsure.code, len(world.registry.runs)) == (4, 0), unsure
    assert " is for lantern/lantern@1.\nA run of lantern/lantern@7 is outside of that" in unsure.err
    assert stale(*arguments, "--yes", "--json").document["memorandum"] == 1
    assert len(world.registry.runs) == 1


def test_a_run_is_reported_once(stale: Run) -> None:
    arguments = ("run", "report", "--model", "lantern/lantern@1", "--dataset", "out.manifest.json", "--run", "2")
    found = stale(*arguments, "--json").document
    assert (found["new"], found["known"], found["memorandum"], found["dropped"]) == (1, 0, 0, 1)
    told = stale(*arguments)
    assert "0 uses posted, 1 known before. You owe 0.05 USD for them." in told.out
    assert "1 row must be left out of it" in told.out
    assert stale("usage", "status", "--json").document["sent_events"] == 1
    assert stale("usage", "push", "--json").document["new"] == 0
    assert "0 uses and 0 statements wait" in stale("usage", "status").out
