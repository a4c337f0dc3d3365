"""Which files are registered: what was named, what folders hold, each once, and nothing silently left out."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.catalogue.pictures import Pictures
from licet.errors import InputError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_folders_are_searched_through_and_through_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "deep/er/c.webp", "notes.txt", ".hidden.png", ".git/d.png", "deep/.cache/e.png")
    found = [path.relative_to(tmp_path).as_posix() for path in Pictures([tmp_path])]
    assert found == ["a.png", "b.JPG", "deep/er/c.webp"]


def test_a_picture_without_an_ending_and_one_of_a_format_that_is_not_read_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "phone.heic", "README")
    (tmp_path / "3f9a").write_bytes(b"\xff\xd8\xff\xe0")
    assert [path.name for path in Pictures([tmp_path])] == ["3f9a", "phone.heic"]


def test_a_file_is_taken_as_named_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "scan", ".hidden.png")
    named = [tmp_path / "scan", tmp_path / ".hidden.png"]
    assert list(Pictures(named)) == named


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.png", "one/b.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "one" / "a.png")
    named = [tmp_path / "one" / "b.png", tmp_path / "link.png", tmp_path / "one"]
    assert list(Pictures(named)) == [tmp_path / "one" / "b.png", tmp_path / "link.png"]


def test_folders_in_folders_and_links_among_them_make_no_second_of_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "all/b/1.png", "all/c/2.png", "all/a/.kept/3.png", "all/notes.bin")
    (tmp_path / "all/a/link-to-1.png").symlink_to(tmp_path / "all/b/1.png")
    (tmp_path / "all/c/up").symlink_to(tmp_path / "all")
    (tmp_path / "all/a/link-to-hidden.png").symlink_to(tmp_path / "all/a/.kept/3.png")
    (tmp_path / "all/z-again.png").symlink_to(tmp_path / "all/a/.kept/3.png")
    (tmp_path / "all/link-to-other.png").symlink_to(tmp_path / "all/notes.bin")
    (tmp_path / "all/c/twin.png").hardlink_to(tmp_path / "all/c/2.png")
    (tmp_path / "all/gone.png").symlink_to(tmp_path / "nowhere")
    expected = ["all/a/link-to-hidden.png", "all/b/1.png", "all/c/2.png", "all/link-to-other.png"]

    def found(*names: str) -> list[str]:
        pictures = Pictures([tmp_path / name for name in names])
        listed = [path.relative_to(tmp_path).as_posix() for path in pictures]
        assert len(listed) == len(pictures)
        return listed

    assert found("all") == found("all", "all") == found("all", "all/c", "all/a/link-to-1.png") == expected
    assert found("all/c", "all") == ["all/c/2.png", *(name for name in expected if name != "all/c/2.png")]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.lists(st.sampled_from(["a", "a.b", "a-", "é", "Z"]), min_size=1, max_size=3).map(tuple), min_size=1))
def test_the_order_is_that_of_the_parts_of_paths(parts: set[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        touch(root, *("/".join(each) + ".png" for each in parts))
        assert list(Pictures([root])) == sorted(root.rglob("*.png"))


def test_what_a_listing_holds_does_not_grow_with_the_folders(tmp_path: Path) -> None:
    def peak(folders: int) -> int:
        for folder in range(folders):
            touch(tmp_path, *(f"{folder:03d}/{file:04d}.png" for file in range(100)))
        pictures = Pictures([tmp_path])
        tracemalloc.start()
        try:
            assert sum(1 for _ in pictures) == len(pictures) == 100 * folders
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(4)
    assert peak(40) < few + 20_000  # 3,600 more files


def test_what_is_not_there_and_what_holds_no_picture_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "texts/notes.txt", "pictures/a.png")
    with pytest.raises(InputError, match=r"nowhere\.png: expected a picture or a folder that exists"):
        Pictures([tmp_path / "pictures", tmp_path / "nowhere.png"])
    with pytest.raises(
        InputError, match=r"texts: expected a folder with pictures \(\.apng, \.avif.*got one without any"
    ):
        Pictures([tmp_path / "pictures", tmp_path / "texts"])
