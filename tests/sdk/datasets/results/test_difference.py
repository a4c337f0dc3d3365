"""``licet dataset diff``: what came, what went, what is decided otherwise, whatever the order and the size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet import VerificationError
from licet.datasets.results import difference
from licet.datasets.results.difference import compare
from licet.datasets.results.rows import FILE_SCHEMA, METADATA
from licet.decisions import VERDICTS
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

USE = ("--use", "train-gen")


def decisions(path: Path, rows: list[dict[str, Any]], **asked: Any) -> Path:
    """Write rows as a decisions file, without a manifest."""
    question = {"request": {"uses": ["train-gen"]}, "match": "near", "min_claim_level": 0, "unknown": "exclude"}
    about = {
        "v": 1, "dataset": "dst_x", "name": "d", "question": {**question, **asked},
        "decided_at": "2026-11-28T00:00:00.000Z", "snapshot": "ab" * 32, "rows": "all",
    }  # fmt: skip
    filled = [{"part": "p", "row": number, "examined": "", "reason": "r", **row} for number, row in enumerate(rows)]
    schema = FILE_SCHEMA.with_metadata({METADATA: msgspec.json.encode(about)})
    pq.write_table(pa.Table.from_pylist(filled, schema), path)
    return path


ROWS = st.dictionaries(st.integers(0, 40), st.tuples(st.sampled_from(VERDICTS), st.sampled_from("ab")), max_size=40)


@settings(max_examples=25)
@given(before=ROWS, after=ROWS, data=st.data())
def test_it_finds_what_a_comparison_of_two_dicts_finds(
    tmp_path_factory: pytest.TempPathFactory, before: dict[int, Any], after: dict[int, Any], data: Any
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    sides = []
    for name, rows in (("before", before), ("after", after)):
        order = data.draw(st.permutations(list(rows)))
        listed = [{"path": f"{key}.png", "verdict": rows[key][0], "statement": rows[key][1]} for key in order]
        sides.append(decisions(folder / f"{name}.decisions.parquet", listed))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(difference, "_SPREAD_ROWS", 5)
        found = compare(*sides)
    both = before.keys() & after.keys()
    assert found.counts["added"] == len(after.keys() - before.keys())
    assert found.counts["removed"] == len(before.keys() - after.keys())
    assert found.counts["verdict"] == sum(before[key][0] != after[key][0] for key in both)
    assert found.counts["terms"] == sum(before[key][1] != after[key][1] for key in both)
    assert found.same == sum(before[key] == after[key] for key in both)
    named = {(change.what, change.name) for change in found.changes}
    assert named == (
        {("added", f"{key}.png") for key in after.keys() - before.keys()}
        | {("removed", f"{key}.png") for key in before.keys() - after.keys()}
        | {("changed", f"{key}.png") for key in both if before[key] != after[key]}
    )


def test_rows_of_one_name_are_compared_in_their_order(tmp_path: Path) -> None:
    before = decisions(tmp_path / "a.decisions.parquet", [{"url": "u", "verdict": v} for v in ("allow", "deny")])
    after = decisions(
        tmp_path / "b.decisions.parquet", [{"url": "u", "verdict": v} for v in ("allow", "allow", "deny")]
    )
    found = compare(before, after)
    assert (found.same, found.counts["verdict"], found.counts["added"]) == (1, 1, 1)
    assert found.verdicts == {"deny → allow": 1}


def test_every_change_is_listed_in_the_file_and_the_first_are_shown(tmp_path: Path) -> None:
    rows = [{"key": str(number), "verdict": "allow"} for number in range(1500)]
    before = decisions(tmp_path / "a.decisions.parquet", [])
    after = decisions(tmp_path / "b.decisions.parquet", rows)
    found = compare(before, after, tmp_path / "all.jsonl")
    assert (len(found.changes), found.more, found.counts["added"]) == (1000, 500, 1500)
    listed = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert {row["name"] for row in listed} == {str(number) for number in range(1500)}
    assert listed[0]["before"] is None
    assert compare(before, after).counts["added"] == 1500


@pytest.fixture
def two(run: Run, world: World, works: dict[str, bytes], tmp_path: Path) -> Run:
    """The same folder filtered before and after somebody changed her mind, a picture came, and another went."""
    assert run("filter", "in", "-o", "one", *USE, "--unknown", "keep").code == 0
    world.registry.change(works["open"], terms=NO_AI.encoded)
    (tmp_path / "in" / "stranger.png").unlink()
    (tmp_path / "in" / "a:b%,|<b>.png").write_bytes(encoded(picture(9)))
    assert run("filter", "in", "-o", "two", *USE).code == 0
    return run


def test_a_person_reads_what_is_different(two: Run) -> None:
    told = two("dataset", "diff", "one", "two.manifest.json")
    assert (told.code, told.err) == (0, "")
    assert "~  open.png  allow: allowed → deny: denied  (other terms)" in told.out
    assert "-  stranger.png  unknown: no-match" in told.out
    assert "+  a:b%,|<b>.png  unknown: no-match" in told.out
    assert "asked  unknown: keep → exclude" in told.out
    assert "       1 allow → deny" in told.out
    last = told.out.splitlines()[-1]
    assert last.startswith("4 rows before, 4 after: 1 added, 1 removed, 1 decided otherwise, 1 under other terms")
    assert two("dataset", "diff", "one", "one").out.splitlines()[-1] == (
        "4 rows before, 4 after: no difference; 4 the same."
    )


def test_a_machine_reads_the_same(two: Run, tmp_path: Path) -> None:
    found = two("dataset", "diff", "one.decisions.parquet", "two", "--json", "-o", "all.jsonl").document
    assert found["counts"] == {
        "added": 1, "removed": 1, "verdict": 1, "works": 0, "terms": 1, "licence": 0, "price": 0, "kept": 1,
    }  # fmt: skip
    [changed] = [change for change in found["changes"] if change["what"] == "changed"]
    assert (changed["name"], changed["fields"]) == ("open.png", ["verdict", "terms", "kept"])
    assert changed["before"]["verdict"] == "allow"
    assert changed["after"]["works"][0].startswith("wrk_")
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 3


def test_a_difference_fails_only_if_that_is_asked_for(two: Run) -> None:
    assert two("dataset", "diff", "one", "two", "--fail-on", "licence,price").code == 0
    assert two("dataset", "diff", "one", "two", "--fail-on", "verdict").code == 1
    assert two("dataset", "diff", "one", "two", "--fail-on", "any").code == 1
    assert two("dataset", "diff", "one", "one", "--fail-on", "any").code == 0
    told = two("dataset", "diff", "one", "two", "--fail-on", "colour")
    assert (told.code, "--fail-on: expected any of added, removed" in told.err) == (2, True)


def test_a_workflow_gets_annotations_and_a_summary(two: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    told = two("dataset", "diff", "one", "two", "--format", "github")
    assert "::warning::added: a:b%25,|<b>.png: unknown: no-match" in told.out
    assert all(line.startswith(("::warning", "::notice")) for line in told.out.splitlines())
    assert r"| added | a:b%,\|\<b\>.png | unknown: no\-match |" in (tmp_path / "summary.md").read_text()


def test_what_is_no_result_is_told(two: Run, tmp_path: Path) -> None:
    told = two("dataset", "diff", "one", "nowhere")
    assert (told.code, "filter the dataset first" in told.err) == (2, True)
    (tmp_path / "x.decisions.parquet").write_bytes(b"PAR1 nonsense")
    assert two("dataset", "diff", "one", "x").code == 2
    assert two("dataset", "diff", "one", "two", "-o", "one.decisions.parquet").code == 2
    table = pq.read_table("two.decisions.parquet")
    pq.write_table(table.slice(1), "two.decisions.parquet")
    with pytest.raises(VerificationError, match="not the decisions"):
        compare("one", "two")
    Path("two.manifest.json").unlink()
    assert "nobody vouches" in two("dataset", "diff", "one", "two").err
