"""Addresses alone in a table: registered once, and a trainer's list of addresses is denied for them."""

from __future__ import annotations

import csv

import pyarrow.parquet as pq

from tests.whole.stage import Person


def test_an_address_alone_is_registered_once_and_denies_in_a_list_of_addresses(artist: Person, trainer: Person) -> None:
    page = "https://portfolio.example/only"
    rows = f"url,title,external_id,preset,price,currency\n{page}/1,One,,,,\n{page}/2,Two,u-2,paid,0.05,USD\n"
    (artist.folder / "addresses.csv").write_text(rows + f"{page}/1#again,,,,,\n", "utf-8")
    done = artist.does("register", "--from", "addresses.csv")
    assert [(entry["path"], entry["sha256"]) for entry in done["works"]] == [(f"{page}/1", None), (f"{page}/2", None)]
    assert [entry["work"] for entry in done["duplicates"]] == [done["works"][0]["work"]]
    again = artist.does("register", "--from", "addresses.csv")
    assert (again["works"], again["statements"], again["refused"]) == ([], [], [])
    assert [len(again[kind]) for kind in ("duplicates", "unchanged")] == [2, 1]
    shown = artist.types("works", "show", done["works"][0]["work"]).out
    assert "address-only" in shown
    assert f"address   {page}/1" in shown
    artist.does("works", "export", "-o", "home")
    back = artist.does("register", "--from", "home/works.csv")
    assert (back["works"], back["updated"], back["refused"]) == ([], [], [])

    last = max(each["log_index"] for each in done["statements"])
    trainer.does("snapshot", "pull", "--covering", str(last))
    told = trainer.does("check", f"{page}/1", "--use", "train-gen", "--purpose", "commercial")
    assert [each["verdict"] for each in told["results"]] == ["deny"]
    with (trainer.folder / "urls.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["url"], [f"{page}/1"], [f"{page}/2"], [f"{page}/3"]])
    use = ("--use", "train-gen", "--purpose", "commercial")
    trainer.does("filter", "urls.csv", "-o", "kept.csv", *use, "--unknown", "keep")
    decided = pq.read_table(trainer.folder / "kept.csv.decisions.parquet").to_pylist()
    assert [(row["verdict"], row["reason"]) for row in decided] == [
        ("deny", "denied"), ("review", "url-only"), ("unknown", "not-examined"),
    ]  # fmt: skip
    assert decided[0]["work"] == done["works"][0]["work"]
    with (trainer.folder / "kept.csv").open(newline="") as file:
        assert [row["url"] for row in csv.DictReader(file)] == [f"{page}/3"]
