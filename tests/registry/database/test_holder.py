"""The note about who holds a folder: any bytes may be in it, and the lock alone decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry.database.holder import NAME, Hold, holder_of
from registry.errors import DataFolderError, HeldError


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=st.binary(max_size=200))
@example(note=b"[" * 16_000)
@example(note=b'{"pid": 1, "since": "", "more": ' + b"[" * 16_000)
@example(note=b'{"pid": 99999999999999999999, "since": ""}')
def test_any_note_of_a_dead_holder_is_survived(tmp_path: Path, note: bytes):
    (tmp_path / NAME).write_bytes(note)
    assert holder_of(tmp_path) is None
    hold = Hold(tmp_path)
    hold.take()
    hold.release()
    assert (tmp_path / NAME).read_bytes() == b""


def test_who_died_without_letting_go_is_remembered(tmp_path: Path):
    first = Hold(tmp_path)
    first.take("http://localhost:1")
    first.announce(dsn="postgresql://x", run="/tmp/licet-x")
    seen = holder_of(tmp_path)
    first.forget()  # as the kernel does for the dead
    second = Hold(tmp_path)
    second.take()
    assert second.previous == seen
    assert seen is not None
    assert (seen.url, seen.dsn, seen.run) == ("http://localhost:1", "postgresql://x", "/tmp/licet-x")
    second.release()
    third = Hold(tmp_path)
    third.take()
    assert third.previous is None
    third.release()


def test_a_reader_does_not_disturb_a_holder(tmp_path: Path):
    hold = Hold(tmp_path)
    hold.take()
    for _ in range(3):
        assert holder_of(tmp_path) is not None
        with pytest.raises(HeldError):
            Hold(tmp_path).take()
    hold.release()
    assert holder_of(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(DataFolderError, match="cannot write"):
        Hold(tmp_path / "nowhere").take()
    (tmp_path / NAME).symlink_to("/etc/hostname")
    with pytest.raises(DataFolderError, match="cannot write"):
        Hold(tmp_path).take()
