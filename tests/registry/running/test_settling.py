"""Files of payment orders: there before anything is prepared, and gone if nothing was written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from registry.errors import Invalid
from registry.running.settling.remitting import _writing


def test_a_file_is_its_owners_alone_and_only_there_if_something_was_written(tmp_path: Path) -> None:
    kept, nothing = tmp_path / "kept.xml", tmp_path / "nothing.xml"
    with _writing(kept) as write:
        write(b"<Document/>", "")
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (b"<Document/>", 0o600)
    with _writing(nothing):
        assert nothing.exists()
    assert not nothing.exists()
    with pytest.raises(RuntimeError), _writing(nothing):
        raise RuntimeError
    assert not nothing.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [("there.xml", "expected a file that is not there yet"), ("no/folder.xml", "expected a place for a new file")],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_prepared(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "there.xml").write_bytes(b"mine")
    with pytest.raises(Invalid, match=said), _writing(tmp_path / name):
        pytest.fail("nothing is to be prepared")
    assert (tmp_path / "there.xml").read_bytes() == b"mine"
