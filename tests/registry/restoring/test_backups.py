"""A backup file from anywhere: what is no backup is named, and nothing in it can grow beyond the file."""

from __future__ import annotations

import zipfile
from typing import Any, cast

import pytest

from registry.archive.places import MANIFEST
from registry.errors import ArchiveError
from registry.restoring.backups import read_backup

_NO_KEY = cast("Any", None)  # none of these gets as far as its key


def test_a_piece_that_would_grow_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(MANIFEST, bytes(50_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(ArchiveError, match="expected a piece that is stored as it is"):
        read_backup(path, _NO_KEY, "log.example/licet")


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "found no file"), (b"", "not one"), (b"PK" + bytes(40), "not one"), (b"x" * 1000, "not one")],
)
def test_what_is_no_backup_is_named(tmp_path, content, told):
    path = tmp_path / "backup.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"backup\.zip.*{told}"):
        read_backup(path, _NO_KEY, "log.example/licet")


def test_a_zip_without_a_manifest_is_named(tmp_path):
    path = tmp_path / "backup.zip"
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("holiday.jpg", b"x")
    with pytest.raises(ArchiveError, match="without its manifest"):
        read_backup(path, _NO_KEY, "log.example/licet")
