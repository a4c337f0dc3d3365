"""Rows that are texts, in whichever form a table has them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.filtering.build import Wish, filter_dataset
from licet.datasets.usage.recheck import recheck
from licet.decisions import Request
from licet.errors import InputError
from licet.fingerprints import iscc
from licet.fingerprints.text import fingerprint_text
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
POEM = "The tide that left us here has left again, and what it brought the gulls have taken since. " * 2
OTHER = "A second text by somebody who permits it all, as long as nobody asks her for another one. " * 2
WISH = Wish(unknown="keep", columns={"text": "body"})


def text(world: World, words: str, terms: object) -> bytes:
    """Register a text, as the service does."""
    made = fingerprint_text(words.encode())
    units = {unit.kind: unit.digest for unit in iscc.units(made.iscc or "")}
    work = world.work(encoded(picture(len(world.registry.records) + 50)), "ada", terms)  # type: ignore[arg-type]
    nothing = {"pixels": None, "pdq": None, "quality": None, "image": None}
    world.registry.change(work, **nothing, sha256=bytes.fromhex(made.sha256), **units)
    return work


@pytest.fixture
def texts(world: World) -> list[str | None]:
    text(world, POEM, NO_AI)
    text(world, OTHER, OPEN)
    world.registry.publish()
    return [POEM, POEM.upper(), OTHER, OTHER.upper(), "a few", "words " * 30, None]


EXPECTED = [
    ("deny", "denied"),
    ("deny", "denied"),
    ("allow", "allowed"),
    ("review", "content-only"),
    ("unknown", "no-match"),
    ("unknown", "no-match"),
    ("review", "malformed"),
]


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_a_column_of_texts_is_decided_in_every_form(
    client: Client, texts: list[str | None], tmp_path: Path, form: str
) -> None:
    place, out = tmp_path / f"texts.{form}", tmp_path / f"out.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"body": texts}), place)
    elif form == "jsonl":
        place.write_text("".join(json.dumps({"body": each}) + "\n" for each in texts))
    else:
        place.write_text("id,body\n" + "".join(f'{at},"{each or ""}"\n' for at, each in enumerate(texts)))
    done = filter_dataset(client, [place], out, REQUEST, WISH)
    found = pq.read_table(done.decisions).to_pylist()
    assert [(row["verdict"], row["reason"]) for row in found] == EXPECTED
    assert done.kept == 3


def test_texts_that_are_edited_are_found_by_a_later_recheck(client: Client, world: World, tmp_path: Path) -> None:
    world.registry.publish()
    place = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"body": [POEM, POEM.upper(), OTHER]}), place)
    done = filter_dataset(client, [place], tmp_path / "out.parquet", REQUEST, WISH)
    assert done.kept == 3
    text(world, POEM, NO_AI)
    world.registry.publish()
    assert [(each.row, each.match) for each in recheck(client, done.out).drop] == [(0, "exact"), (1, "near")]


def test_a_caption_is_no_text_unless_it_is_called_one(client: Client, texts: list[str | None], tmp_path: Path) -> None:
    place = tmp_path / "pictures.parquet"
    pq.write_table(pa.table({"image": [encoded(picture(1))], "text": [POEM]}), place)
    silent = filter_dataset(client, [place], tmp_path / "one.parquet", REQUEST, Wish(unknown="keep"))
    asked = filter_dataset(
        client, [place], tmp_path / "two.parquet", REQUEST, Wish(unknown="keep", columns={"text": "text"})
    )
    assert (silent.counts["unknown"], asked.counts["deny"]) == (1, 1)


def test_a_table_of_texts_without_a_mapping_says_what_to_name(client: Client, texts: list[str], tmp_path: Path) -> None:
    place = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": texts}), place)
    with pytest.raises(InputError, match="text=… for rows that are texts"):
        filter_dataset(client, [place], tmp_path / "out.parquet", REQUEST, Wish(unknown="keep"))
    with pytest.raises(InputError, match="column body: expected text, got"):
        pq.write_table(pa.table({"body": [1]}), tmp_path / "numbers.parquet")
        filter_dataset(client, [tmp_path / "numbers.parquet"], tmp_path / "out.parquet", REQUEST, WISH)


def test_a_row_may_name_a_text_file(client: Client, texts: list[str | None], tmp_path: Path) -> None:
    (tmp_path / "poem.md").write_text(POEM)
    (tmp_path / "broken.txt").write_bytes(b"\xff\xfe" * 40)
    (tmp_path / "rows.csv").write_text("path\npoem.md\nbroken.txt\nnone.txt\n")
    done = filter_dataset(client, [tmp_path / "rows.csv"], tmp_path / "out.csv", REQUEST, Wish(unknown="keep"))
    found = pq.read_table(done.decisions).to_pylist()
    assert [(row["verdict"], row["reason"]) for row in found] == [
        ("deny", "denied"),
        ("review", "malformed"),
        ("review", "unreadable"),
    ]
