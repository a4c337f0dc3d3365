"""What may be named as input, what is refused with which words, and that parts read and write the same rows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.datasets.forms import folder, parquet
from licet.datasets.forms.opening import Input, open_input
from licet.datasets.forms.parts import Part
from licet.errors import InputError, MalformedError


def table(path: Path, rows: dict[str, Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows), path, **options)
    return path


def all_rows(opened: Input) -> list[dict[str, Any]]:
    return [row for part in opened.parts for batch in part.batches() for row in batch.to_pylist()]


def copied(part: Part, target: Path | None, masks: list[Any]) -> list[pa.RecordBatch]:
    """Copy what ``masks`` keep (nothing where there are none), and return the batches by their names."""
    copying = part.write(target)
    batches = [next(copying)]
    with suppress(StopIteration):
        while True:
            batch = batches[-1]
            batches.append(copying.send(masks.pop(0) if masks else np.zeros(len(batch), np.bool_)))
    return batches


def test_a_folder_lists_every_picture_once_by_name(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "deep/er/c.webp", "deep/d.gif", "notes.txt", ".hidden.png", ".git/e.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    opened = open_input([tmp_path / "in"])
    assert [row["path"] for row in all_rows(opened)] == ["a.png", "b.JPG", "deep/d.gif", "deep/er/c.webp"]
    assert opened.rows == 4
    assert [part.name for part in opened.parts] == ["in"]


def test_a_hundred_thousand_tiny_files_are_a_row_each(tmp_path: Path) -> None:
    count, places = 100_000, tmp_path / "in"
    places.mkdir()
    (tmp_path / "tiny").write_bytes(b"x")
    for number in range(count):
        if not number % 1000:  # a file has no more names than some file systems allow
            (places / f"{number // 1000:03}").mkdir()
            (tmp_path / f"{number}").write_bytes(b"x")
            one = str(tmp_path / f"{number}")
        os.link(one, f"{places}/{number // 1000:03}/{number:06}.png")
    [part] = open_input([places]).parts
    assert part.rows == count
    seen, largest = [0], 0
    for batch in part.batches():
        largest = max(largest, len(batch))
        seen += [int(Path(path).stem) for path in (batch["path"][0].as_py(), batch["path"][-1].as_py())]
    assert seen == sorted(seen)
    assert (seen[-1], largest) == (count - 1, folder.BATCH)


def test_loose_pictures_and_globs_become_one_part_a_folder(tmp_path: Path) -> None:
    for name in ("one/a.png", "one/b.png", "two/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    opened = open_input([str(tmp_path / "one" / "*.png"), str(tmp_path / "two" / "c.png")])
    assert [(part.name, part.rows) for part in opened.parts] == [("one", 2), ("two", 1)]


def test_parts_are_named_by_the_shortest_end_that_tells_them_apart(tmp_path: Path) -> None:
    paths = [
        table(tmp_path / name, {"url": ["https://a.example/"]}) for name in ("x/a.parquet", "y/a.parquet", "b.parquet")
    ]
    assert [part.name for part in open_input(paths).parts] == ["b.parquet", "x/a.parquet", "y/a.parquet"]


def test_a_folder_of_tables_is_a_part_a_table(tmp_path: Path) -> None:
    for number in range(3):
        table(tmp_path / "shards" / f"{number}.parquet", {"URL": [f"https://a.example/{number}"]})
    (tmp_path / "shards" / "_metadata.parquet").write_bytes(b"not one")
    opened = open_input([tmp_path / "shards"])
    assert [part.name for part in opened.parts] == ["0.parquet", "1.parquet", "2.parquet"]
    assert [row["url"] for row in all_rows(opened)] == [f"https://a.example/{number}" for number in range(3)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("missing", "that exists"),
        ("empty", "a folder with pictures"),
        ("ftp://bucket/x", "an address that starts with s3://"),
        ("text.txt", r"files that end in \.parquet"),
        ("both", "a folder of one form"),
    ],
)
def test_what_is_no_dataset_is_refused_in_words(tmp_path: Path, given: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    table(tmp_path / "both" / "t.parquet", {"url": ["https://a.example/"]})
    (tmp_path / "both" / "p.png").write_bytes(b"x")
    with pytest.raises(InputError, match=words):
        open_input([given if "://" in given else tmp_path / given])


def test_a_table_beside_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"x")
    path = table(tmp_path / "t.parquet", {"url": ["https://a.example/"]})
    with pytest.raises(InputError, match="inputs of one form"):
        open_input([path, tmp_path / "pictures"])


def test_a_table_without_a_usable_column_names_those_there_and_those_wanted(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", {"caption": ["x"], "width": [1]})
    with pytest.raises(
        InputError, match=r"url, sha256, iscc, path, image or pdq .* got only caption \(string\), width \(int64\)"
    ) as caught:
        open_input([path])
    assert caught.value.details["columns"] == ["caption", "width"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"url": "LINK"}, None),
        ({"url": "NONE"}, "a column of"),
        ({"caption": "LINK"}, "one of url, sha256"),
        ({"url": "width"}, "expected text, got 'int64'"),
        ({"url": "LINK", "sha256": "-"}, None),
    ],
)
def test_columns_can_be_mapped(tmp_path: Path, mapping: dict[str, str], words: str | None) -> None:
    path = table(tmp_path / "t.parquet", {"LINK": ["https://a.example/"], "width": [1]})
    if words is None:
        assert all_rows(open_input([path], mapping)) == [{"url": "https://a.example/"}]
    else:
        with pytest.raises(InputError, match=words):
            open_input([path], mapping)


def test_two_columns_that_differ_in_case_alone_must_be_chosen_from(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", {"url": ["a"], "URL": ["b"]})
    with pytest.raises(InputError, match="url=… to choose"):
        open_input([path])
    assert all_rows(open_input([path], {"url": "URL"})) == [{"url": "b"}]


def test_a_column_of_our_name_can_be_left_out_and_is_left_out_by_itself_if_it_holds_something_else(
    tmp_path: Path,
) -> None:
    path = table(tmp_path / "t.parquet", {"url": ["u"], "path": ["on/the/site.png"], "image": ["a caption"]})
    assert all_rows(open_input([path], {"path": "-"})) == [{"url": "u"}]


@pytest.mark.parametrize("coded", [False, True])
def test_text_that_was_written_as_bytes_is_text(tmp_path: Path, coded: bool) -> None:
    columns = {
        "url": pa.array([b"https://a.example/", b"\xff", None], pa.binary()),
        "path": pa.array([b"a.png", b"b\xff.png", None], pa.large_binary()),
        "iscc": pa.array([b"ISCC:X", b"", None]),
        "sha256": ["0" * 64] * 3,
    }
    rows = pa.table({name: pa.chunked_array([pa.array(column)]) for name, column in columns.items()})
    if coded:
        rows = pa.table({name: rows[name].dictionary_encode() for name in rows.column_names})
    pq.write_table(rows, tmp_path / "t.parquet")
    found = all_rows(open_input([tmp_path / "t.parquet"]))
    assert [row["url"] for row in found] == ["https://a.example/", "", None]
    assert [row["path"] for row in found] == ["a.png", "b\ufffd.png", None]
    assert [row["iscc"] for row in found] == ["ISCC:X", "", None]


@pytest.mark.parametrize("name", ["url", "sha256", "iscc"])
def test_a_column_that_may_forbid_is_not_passed_over_unseen(tmp_path: Path, name: str) -> None:
    others = {"pdq": ["0" * 64], "caption": ["x"]}
    path = table(tmp_path / "t.parquet", {name.upper(): pa.array([["https://a.example/"]]), **others})
    with pytest.raises(InputError, match=rf"column {name.upper()}: expected text.* \({name}=- leaves") as caught:
        open_input([path])
    assert "list" in caught.value.details["got"]
    assert all_rows(open_input([path], {name: "-"})) == [{"pdq": "0" * 64}]


def test_a_mapping_for_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InputError, match="have no columns"):
        open_input([tmp_path], {"url": "URL"})


def test_a_file_that_only_calls_itself_parquet_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(MalformedError, match="a Parquet file"):
        open_input([tmp_path / "t.parquet"])


@pytest.mark.parametrize("image", [False, True])
def test_batches_hold_the_same_rows_whatever_is_read_and_can_be_skipped(
    tmp_path: Path, image: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 100)
    monkeypatch.setattr(parquet, "BATCH_FILES", 30)
    rows: dict[str, Any] = {"url": [f"https://a.example/{number}" for number in range(1000)], "other": range(1000)}
    if image:
        rows["image"] = [b"x" * (number % 7) for number in range(1000)]
    [part] = open_input([table(tmp_path / "t.parquet", rows, row_group_size=330)]).parts
    whole, naming = list(part.batches()), copied(part, None, [])
    assert [len(batch) for batch in whole] == [len(batch) for batch in naming]
    assert sum(len(batch) for batch in whole) == part.rows == 1000
    for skip in (0, 1, 5, len(whole)):
        later = list(part.batches(skip))
        assert [batch["url"].to_pylist() for batch in later] == [batch["url"].to_pylist() for batch in whole[skip:]]


def test_kept_rows_are_written_with_all_columns_and_the_same_schema(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 64)
    nested = [{"a": number, "b": [str(number)]} for number in range(300)]
    source = pa.table(
        {
            "url": [f"u{n}" for n in range(300)],
            "n": pa.array(nested),
            "c": pa.array(["x", "y", "z"] * 100).dictionary_encode(),
        }
    ).replace_schema_metadata({"about": "kept"})
    pq.write_table(source, tmp_path / "t.parquet", row_group_size=100, compression="gzip")
    [part] = open_input([tmp_path / "t.parquet"]).parts
    mask = np.arange(300) % 3 == 1
    masks, start = [], 0
    for batch in part.batches():
        masks.append(mask[start : start + len(batch)])
        start += len(batch)
    copied(part, tmp_path / "out.parquet", masks)
    got = pq.read_table(tmp_path / "out.parquet")
    assert got.schema.equals(pq.read_table(tmp_path / "t.parquet").schema, check_metadata=True)
    assert got.to_pylist() == [row for row, keep in zip(source.to_pylist(), mask, strict=True) if keep]
    assert pq.read_metadata(tmp_path / "out.parquet").row_group(0).column(0).compression == "GZIP"


def test_stamps_tell_a_changed_input_and_no_other(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "in" / f"{number}.png").parent.mkdir(exist_ok=True)
        (tmp_path / "in" / f"{number}.png").write_bytes(b"x")
    before = open_input([tmp_path / "in"]).parts[0].stamp()
    assert open_input([tmp_path / "in"]).parts[0].stamp() == before
    (tmp_path / "in" / "1.png").write_bytes(b"xx")
    assert open_input([tmp_path / "in"]).parts[0].stamp() != before


def test_a_folder_is_written_with_its_sidecars_and_links_share_no_captions(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for name in ("a.png", "a.txt", "a.png.json", "b.png", "b.caption", "deep/c.png", "deep/c.txt"):
        (source / name).write_text(name)
    [part] = open_input([source]).parts
    copied(part, tmp_path / "out", [np.array([True, False, True])])
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["a.png", "a.png.json", "a.txt", "deep/c.png", "deep/c.txt"]
    (tmp_path / "out" / "a.txt").write_text("edited")
    assert (source / "a.txt").read_text() == "a.txt"


def test_a_sidecar_that_links_out_of_the_dataset_stays_out(tmp_path: Path) -> None:
    store, source = tmp_path / "blobs", tmp_path / "in"
    store.mkdir()
    source.mkdir()
    (tmp_path / "private.key").write_text("secret")
    for name in ("a", "b"):
        (source / f"{name}.png").write_text(name)
    (source / "a.txt").symlink_to(tmp_path / "private.key")
    (source / "b.txt").symlink_to(source / "b.png")  # within the dataset: it may
    for name in ("c.png", "c.txt"):  # as caches keep them: both are links, side by side elsewhere
        (store / name).write_text(name)
        (source / name).symlink_to(store / name)
    [part] = open_input([source]).parts
    copied(part, tmp_path / "out", [np.array([True, True, True])])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "b.txt", "c.png", "c.txt"]


def test_batches_of_a_folder_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "BATCH", 2)
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    [part] = open_input([tmp_path]).parts
    assert [len(batch) for batch in part.batches()] == [2, 2, 1]
    assert [batch["path"].to_pylist() for batch in part.batches(2)] == [["4.png"]]
