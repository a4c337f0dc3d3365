"""``licet explain``: from a picture, an address, a digest or a row of a result to the rule that decides it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.world import NO_AI, World, encoded, picture

USE = ("--use", "train-gen")
ACCEPT = ("--accept", "--model", "lantern/lantern@1", "--dataset", "train", "--budget", "5USD")
# The small registry of these tests serves no statement files; their proof is tested against the real one.
OFFLINE = ("--offline",)


@pytest.fixture
def done(run: Run, tmp_path: Path) -> Run:
    """A result with a licence, and the snapshot that it was decided from."""
    assert run("filter", "in", "-o", "out", *USE, *ACCEPT).code == 0
    return run


def test_a_picture_a_digest_and_an_address_are_explained(done: Run, tmp_path: Path) -> None:
    told = done("explain", "in/denied.png", *USE, *OFFLINE)
    assert told.code == 0
    assert "  asked: train-gen, commercial" in told.out
    assert "exact match by file: wrk_" in told.out
    assert "rule train-gen: deny\n" in told.out
    digest = sha256((tmp_path / "in" / "paid.png").read_bytes()).hexdigest()
    assert "license" in done("explain", digest, *USE, *OFFLINE).out
    told = done("explain", "https://nobody.example/a.png", *USE, *OFFLINE)
    assert "no work is registered at this address" in told.out
    assert "that is not consent" in done("explain", "in/stranger.png", *USE, *OFFLINE).out


def test_of_a_picture_that_shows_next_to_nothing_only_copies_are_found_and_that_is_said(
    run: Run, tmp_path: Path
) -> None:
    for grey in (200, 90):
        (tmp_path / f"{grey}.png").write_bytes(encoded(np.full((64, 64, 3), grey, np.uint8)))
    plain = "too plain to be told from others by its look; only exact copies are found"
    assert run("snapshot", "pull").code == 0
    assert f"note: 200.png is {plain}" in run("explain", "200.png", *USE, *OFFLINE).err
    several = run("check", "200.png", "in/stranger.png", "90.png", *USE, *OFFLINE, "--json")
    assert [note for note in several.document["notes"] if "plain" in note] == [
        "2 pictures are too plain to be told from others by their look, 200.png is one; only exact copies are found"
    ]
    assert "too plain" not in run("check", "in/stranger.png", "200.png", *USE, *OFFLINE, "--match", "exact").err


def test_a_row_is_explained_as_it_was_and_as_it_is(done: Run, world: World, works: dict[str, bytes]) -> None:
    paths = pq.read_table("out.decisions.parquet")["path"].to_pylist()
    place = paths.index("open.png")
    world.registry.change(works["open"], terms=NO_AI.encoded)
    assert done("snapshot", "pull").code == 0
    for name in (f"out:{place}", f"out.decisions.parquet:{place}", f"out.manifest.json:{place}", f"out:in:{place}"):
        told = done("explain", name, *OFFLINE)
        assert told.code == 0, told.err
        assert f"  row {place} of in: open.png" in told.out
        assert ": allow (allowed), under snapshot " in told.out
        assert "  decided now: deny (denied)" in told.out


def test_a_licensed_row_names_its_licence(done: Run) -> None:
    rows = pq.read_table("out.decisions.parquet").to_pylist()
    [paid] = [row for row in rows if row["path"] == "paid.png"]
    found = done("explain", f"out:in:{paid['row']}", "--json", *OFFLINE).document
    assert found["result"]["reason"] == f"licensed:{paid['licence']}"
    assert found["row"]["licence"] == paid["licence"]
    assert found["request"]["uses"] == ["train-gen"]
    [licence] = found["licences"]
    assert (licence["licence"], licence["model"], licence["works"]) == (paid["licence"], "lantern/lantern@1", 1)
    [link] = found["chain"]
    assert (link["verdict"], link["match"]) == ("license", "exact")
    assert link["rules"]["train-gen"]["price"]["amount"] == "0.05"
    assert f"held: {paid['licence']} for train-gen of 1 works by lantern/lantern@1" in (
        done("explain", f"out:{paid['row']}", *OFFLINE).out
    )


def test_a_row_can_be_asked_for_another_use(done: Run) -> None:
    told = done("explain", "out:0", "--use", "search", *OFFLINE)
    assert told.code == 0
    assert "  asked: search, commercial" in told.out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("out:99", "row: expected a row of out.decisions.parquet, 0 to 3, got 99"),
        ("out:elsewhere:0", "row: expected a part and row of out.decisions.parquet"),
        ("nowhere:3", "filter the dataset first"),
        ("in/denied.png", "--use: expected the use in question"),
        ("nothing", "--use: expected the use in question"),
    ],
)
def test_what_is_not_there_is_told(done: Run, given: str, words: str) -> None:
    told = done("explain", given, *OFFLINE)
    assert (told.code, words in told.err) == (2, True), told.err


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_name_that_is_no_text_is_told_where_the_file_is(done: Run, tmp_path: Path, command: str) -> None:
    name = b"in/\xce\xc4\xbc\xfe.png"  # GBK
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(encoded(picture(7)))
    told = done(command, os.fsdecode(name), *USE, *OFFLINE, "--json")
    assert (told.code, told.document["error"]["field"]) == (2, "input")
    assert told.document["error"]["message"].startswith("input: expected a file whose name is UTF-8: rename it, got '")


def test_a_name_with_colons_and_numbers_is_a_picture_if_it_is_there(done: Run, tmp_path: Path) -> None:
    (tmp_path / "a:1").write_bytes(encoded(picture(2)))
    assert "deny" in done("explain", "a:1", *USE, *OFFLINE).out
