"""What is kept in LICET_HOME is private, whole, and refused by name when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from licet.datasets.usage.spool import Spool
from licet.errors import InputError
from licet.home import AccountFile, Home, TrustFile, write_private
from licet.statements.keys import SigningKey

ACCOUNT = AccountFile("http://localhost:8000", "art_0", "artist", "Mei", "00", "11")


def test_what_is_kept_comes_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    profile = Home(tmp_path).profile()
    assert (profile.account, profile.trust, profile.token) == (None, None, None)
    profile.account = ACCOUNT
    profile.trust = TrustFile("http://localhost:8000", "licet.example", "00", "2026-11-22T00:00:00.000Z")
    profile.token = "lct_secret"
    again = Home(tmp_path).profile()
    assert again.account == ACCOUNT
    assert again.token == "lct_secret"
    for path in profile.folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_every_folder_that_is_made_for_secrets_is_its_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")
    SigningKey.generate().save(home.profile().key_path)
    home.profile("lantern").token = "lct_secret"
    Spool(home.spool).close()
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    Home(tmp_path / "open").profile().token = "lct_secret"
    made = [path for path in tmp_path.rglob("*") if path != tmp_path / "open"]
    assert {path.name for path in made} >= {"new", "home", "profiles", "default", "lantern", "spool.sqlite"}
    for path in made:
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755  # it is somebody's


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    profile = Home(tmp_path).profile("work")
    write_private(profile.folder / "account.json", b'{"url": 1}')
    with pytest.raises(InputError, match=r"account\.json"):
        _ = profile.account


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x" * 65, "a\nb"])
def test_a_profile_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="profile"):
        Home(tmp_path).profile(name)


def test_a_write_that_breaks_off_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "token"
    write_private(target, b"old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("licet.home.os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_private(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
