"""Which files are registered: what was named, what folders hold, each once, and nothing silently left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from licet.catalogue.pictures import collect
from licet.errors import InputError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_folders_are_searched_through_and_through_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "deep/er/c.webp", "notes.txt", ".hidden.png", ".git/d.png", "deep/.cache/e.png")
    found = [path.relative_to(tmp_path).as_posix() for path in collect([tmp_path])]
    assert found == ["a.png", "b.JPG", "deep/er/c.webp"]


def test_a_picture_without_an_ending_and_one_of_a_format_that_is_not_read_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "phone.heic", "README")
    (tmp_path / "3f9a").write_bytes(b"\xff\xd8\xff\xe0")
    assert [path.name for path in collect([tmp_path])] == ["3f9a", "phone.heic"]


def test_a_file_is_taken_as_named_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "scan", ".hidden.png")
    assert collect([tmp_path / "scan", tmp_path / ".hidden.png"]) == [tmp_path / "scan", tmp_path / ".hidden.png"]


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.png", "one/b.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "one" / "a.png")
    named = [tmp_path / "one" / "b.png", tmp_path / "link.png", tmp_path / "one"]
    assert collect(named) == [tmp_path / "one" / "b.png", tmp_path / "link.png"]


def test_what_is_not_there_and_what_holds_no_picture_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "texts/notes.txt", "pictures/a.png")
    with pytest.raises(InputError, match=r"nowhere\.png: expected a picture or a folder that exists"):
        collect([tmp_path / "pictures", tmp_path / "nowhere.png"])
    with pytest.raises(
        InputError, match=r"texts: expected a folder with pictures \(\.apng, \.avif.*got one without any"
    ):
        collect([tmp_path / "pictures", tmp_path / "texts"])
