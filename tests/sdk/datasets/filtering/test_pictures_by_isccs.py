"""Pictures that are looked up by their own ISCCs: copies that no other fingerprint of a whole picture finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.checking import check
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.usage.recheck import recheck
from licet.decisions import Request
from licet.errors import InterruptedJobError
from licet.fingerprints.iscc import parse, text_code
from tests.sdk.datasets.world import NO_AI, OPEN, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
CODES = "file,pixels,pdq,iscc-instance,iscc-content"


def cut(number: int) -> bytes:
    """Picture ``number`` without a thirtieth at each side: too much for PDQ, and not for an ISCC."""
    return encoded(np.ascontiguousarray(picture(number, 256)[8:248, 8:248]))


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """Cut copies of a denied and of an open work, the open work itself, and a stranger."""
    world.work(encoded(picture(1, 256)), "ada", NO_AI)
    world.work(encoded(picture(2, 256)), "tomas", OPEN)
    world.registry.publish()
    place = tmp_path / "in"
    place.mkdir()
    files = {"denied.png": cut(1), "open.png": cut(2), "same.png": encoded(picture(2, 256))}
    for name, data in {**files, "stranger.png": cut(3)}.items():
        (place / name).write_bytes(data)
    return place


def rows(done: Filtered) -> dict[str, tuple[str, str, str | None, str]]:
    found = pq.read_table(done.decisions).to_pylist()
    return {row["path"]: (row["verdict"], row["reason"], row["match"], row["examined"]) for row in found}


def test_a_copy_that_only_its_content_code_finds_is_denied_or_reviewed_and_never_permitted(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [folder], tmp_path / "out", REQUEST, Wish(unknown="keep"))
    assert rows(done) == {
        "denied.png": ("deny", "denied", "near", CODES),
        "open.png": ("review", "content-only", "near", CODES),
        "same.png": ("allow", "allowed", "exact", CODES),
        "stranger.png": ("unknown", "no-match", None, CODES),
    }
    matches = {row["path"]: row["matches"] for row in pq.read_table(done.decisions).to_pylist()}
    assert [(each["key"], 0 < each["distance"] <= 40) for each in matches["denied.png"]] == [("iscc-content", True)]
    assert [each["key"] for each in matches["same.png"]] == ["file"]


def test_whoever_asks_for_exact_copies_pays_for_no_code(client: Client, folder: Path, tmp_path: Path) -> None:
    wish = Wish(unknown="keep", match="exact")
    done = filter_dataset(client, [folder], tmp_path / "out", REQUEST, wish)
    assert {path: (verdict, examined) for path, (verdict, _, _, examined) in rows(done).items()} == {
        "denied.png": ("unknown", "file,pixels"),
        "open.png": ("unknown", "file,pixels"),
        "same.png": ("allow", "file,pixels"),
        "stranger.png": ("unknown", "file,pixels"),
    }
    assert pq.read_table(done.decisions)["iscc"].null_count == 4


def test_a_check_of_a_file_finds_what_its_content_code_does(client: Client, folder: Path) -> None:
    paths = [str(folder / name) for name in ("denied.png", "open.png", "same.png", "stranger.png")]
    found = check(client, paths, REQUEST).results
    assert [(each.verdict, each.reason) for each in found] == [
        ("deny", "denied"),
        ("review", "content-only"),
        ("allow", "allowed"),
        ("unknown", "no-match"),
    ]


def test_a_work_that_came_later_is_found_by_the_code_that_was_stored(
    client: Client, world: World, folder: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [folder], tmp_path / "out", REQUEST, Wish(unknown="keep"))
    world.work(encoded(picture(3, 256)), "ada", NO_AI)
    world.registry.publish()
    (gone,) = recheck(client, done.out).drop
    assert (gone.path, gone.verdict, gone.match) == ("stranger.png", "deny", "near")


def test_what_was_examined_for_exact_copies_is_examined_again_for_near_ones(
    client: Client, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch, pytest.raises(InterruptedJobError):
        patch.setattr("licet.datasets.filtering.build.two_stages.refuse_strangers", _stopped)
        filter_dataset(client, [folder], out, REQUEST, Wish(unknown="keep", match="exact"))
    done = filter_dataset(client, [folder], out, REQUEST, Wish(unknown="keep", overwrite=True))
    assert rows(done)["denied.png"][:2] == ("deny", "denied")


def _stopped(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_picture_next_to_nothing_is_like_no_other_by_its_content(
    client: Client, world: World, tmp_path: Path
) -> None:
    world.work(encoded(np.full((200, 200, 3), 250, np.uint8)), "ada", NO_AI)
    world.registry.publish()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "blank.png").write_bytes(encoded(np.full((300, 200, 3), 251, np.uint8)))
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST, Wish(unknown="keep"))
    assert rows(done)["blank.png"][:2] == ("unknown", "no-match")


def test_a_code_of_another_kind_that_is_stated_beside_a_picture_counts_too(
    client: Client, world: World, tmp_path: Path
) -> None:
    text = text_code("a poem that is registered, and stands below the picture")

    world.work(encoded(picture(8)), "ada", NO_AI, text=parse(text).digest)
    world.registry.publish()
    place = tmp_path / "rows.parquet"
    images = pa.array([cut(4), cut(5), cut(6)])
    pq.write_table(pa.table({"image": images, "iscc": pa.array([text, None, "ISCC:NONE"])}), place)
    done = filter_dataset(client, [place], tmp_path / "out.parquet", REQUEST, Wish(unknown="keep"))
    found = pq.read_table(done.decisions).to_pylist()
    assert [row["verdict"] for row in found] == ["deny", "unknown", "unknown"]
