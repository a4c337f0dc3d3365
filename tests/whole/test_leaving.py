"""An account is taken home whole at the command line."""

from __future__ import annotations

from tests.whole.conftest import People
from tests.whole.stage import Person


def left(person: People, name: str, seed: int) -> Person:
    who = person("leaver").joins("artist", name)
    who.does("register", who.draws("pictures", seed))
    return who


def test_an_export_holds_all_of_an_account_and_nothing_of_another(person: People) -> None:
    ada, bea = left(person, "Ada Leaves", 901), left(person, "Bea Stays", 902)
    made = ada.does("account", "export", "-o", "home")
    sections = ("works", "states", "statements", "thumbnails", "keys", "tokens", "signed", "verified")
    assert [made[name] for name in sections] == [1, 1, 1, 1, 1, 1, 2, 2]
    files = [path for path in (ada.folder / "home").rglob("*") if path.is_file()]
    held = b"\n".join(path.read_bytes() for path in files)
    assert b"Ada Leaves" in held
    assert ada.account.encode() in held
    assert b"Bea" not in held
    assert bea.account.encode() not in held
    for statement in (ada.folder / "home" / "signed").iterdir():
        ada.does("statement", "verify", statement)  # against the pinned root
    assert ada.types("account", "export", "-o", "home").code == 2
    assert ada.does("account", "export", "-o", "home.tar")["works"] == 1
    assert ada.does("account", "export", "-o", "home.zip")["works"] == 1
    assert not [path for path in ada.folder.iterdir() if path.name.endswith(".partial")]


def test_an_erasure_says_first_what_it_does_and_asks(person: People) -> None:
    ada = left(person, "Ada Goes", 903)
    told = ada.types("account", "erase", "--dry-run")
    assert told.code == 0
    assert "would be erased" in told.out
    assert "1 work of 1 would go on to deny every use" in told.out
    refused = ada.types("account", "erase")
    assert refused.code != 0
    assert "nothing was erased" in refused.err
    assert ada.does("account", "show")["name"] == "Ada Goes"
    done = ada.does("account", "erase", "--yes")
    assert (done["erased"], done["kept"], done["denied"]) == (2, 0, 1)
    assert ada.does("statement", "fetch", done["statement"], "-o", "erase.json")["statement"] == done["statement"]
    assert ada.types("account", "show").code != 0
