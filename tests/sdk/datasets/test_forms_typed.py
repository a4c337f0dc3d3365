"""Every form through every command that a person types on it, and the hostile places as a person meets them."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.terms import Terms
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.forms.test_archives import archive
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

USE = ("--use", "train-gen", "--unknown", "keep")
FORMS = ["folder", "csv", "jsonl", "parquet", "tar"]
NAMES = ["credited", "denied", "open", "stranger"]


def dataset(form: str) -> str:
    """Four pictures: one whose artist asks for credit, one denied, one allowed, one that nobody registered."""
    paths = [f"all/{name}.png" for name in NAMES]
    Path("all").mkdir()
    for name, number in zip(NAMES, (9, 2, 1, 4), strict=True):
        Path(f"all/{name}.png").write_bytes(encoded(picture(number)))
    match form:
        case "folder":
            return "all"
        case "csv":
            Path("t.csv").write_text("path\n" + "".join(f"{path}\n" for path in paths))
        case "jsonl":
            Path("t.jsonl").write_text("".join(json.dumps({"path": path}) + "\n" for path in paths))
        case "parquet":
            pq.write_table(pa.table({"path": paths}), "t.parquet")
        case "tar":
            Path("t.tar").write_bytes(archive([(path, Path(path).read_bytes()) for path in paths]))
    return f"t.{form}"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_filtered_credited_compared_and_checked_again(
    run: Run, world: World, works: dict[str, bytes], form: str
) -> None:
    asked = {"permission": "license", "price": {"model": "attribution"}, "attribution": {"text": "Su Tang"}}
    world.work(encoded(picture(9)), "su", Terms.parse(NO_AI.to_json() | {"train-gen": asked}))
    world.registry.publish()
    source = dataset(form)
    accept = ("--accept", "--model", "lantern/lantern@1", "--dataset", "train", "--budget", "1USD")
    done = run("filter", source, "-o", "out", *USE, *accept, "--decisions", "matched", "--json")
    assert done.code == 0, done.err
    assert (done.document["rows"], done.document["kept"]) == (4, 3)
    [line] = Path("out.credits.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "Su Tang"
    listed = [Path(path).stem for path in pq.read_table("out.decisions.parquet")["path"].to_pylist()]
    assert listed == ["credited", "denied", "open"]
    world.registry.change(works["open"], terms=NO_AI.encoded)
    for given in ("out", "out.manifest.json", "out.decisions.parquet"):
        again = run("recheck", given, "--json")
        assert (again.code, [Path(row["path"]).stem for row in again.document["drop"]]) == (1, ["open"])
    told = run("recheck", source)
    assert (told.code, "filter the dataset first" in told.err) == (2, True)
    assert run("filter", source, "-o", "now", *USE).code == 0
    compared = run("dataset", "diff", "out", "now", "--json")
    assert compared.code == 0, compared.err


def test_a_second_filter_on_one_output_is_refused_and_disturbs_nothing(run: Run) -> None:
    Path("out.job").mkdir()
    with Path("out.job/lock").open("ab") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        told = run("filter", "in", "-o", "out", *USE)
        assert (told.code, "another process is at work on this output" in told.err) == (2, True)
        assert not Path("out").exists()
    assert run("filter", "in", "-o", "out", *USE).code == 0


def test_odd_names_and_circles_end_as_rows_and_lines_of_their_own(run: Run) -> None:
    Path("in/new\nline 😀.png").write_bytes(encoded(picture(1)))
    Path("in/loop.png").symlink_to("loop.png")
    Path("in/round").symlink_to(".")
    told = run("filter", "in", "-o", "out", "--use", "train-gen", "--json")
    assert told.code == 0
    assert (told.document["rows"], told.document["counts"]["review"]) == (6, 1)
    assert Path("out/new\nline 😀.png").exists()


def test_a_row_of_decisions_takes_few_bytes_beside_its_names_and_fingerprints(run: Run) -> None:
    rows = 20_000
    pq.write_table(pa.table({"url": [f"https://p{n % 97}.example/{n}.jpg" for n in range(rows)]}), "t.parquet")
    assert run("filter", "t.parquet", "-o", "out", *USE).code == 0
    metadata = pq.read_metadata("out.decisions.parquet")
    names = {"path", "url", "sha256", "pixels", "pdq", "pdq_turned"}
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(metadata.num_columns)]
    others = sum(each.total_compressed_size for each in columns if each.path_in_schema not in names)
    assert metadata.num_rows == rows
    assert others <= 100 * rows


def test_a_name_begins_no_line_on_stderr(run: Run) -> None:
    name = "x\n::error::forged"
    Path(f"in/{name}.csv").write_text("url\n")
    told = run("filter", f"in/{name}.csv", f"in/{name}.gone", "-o", "out", *USE)
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert "x\\n::error::forged" in told.err
    Path(f"{name}.csv").write_text("url,x\nhttps://a.example/1\n")  # a remark, not an error
    told = run("filter", f"{name}.csv", "-o", "out", *USE)
    assert told.code == 0
    assert not [line for line in told.err.splitlines() if line.lstrip().startswith("::")]
    assert "expected 2 fields" in told.err
