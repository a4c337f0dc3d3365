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
    assert (made["works"], made["statements"], made["thumbnails"], made["keys"], made["tokens"]) == (1, 1, 1, 1, 1)
    files = [path for path in (ada.folder / "home").rglob("*") if path.is_file()]
    held = b"\n".join(path.read_bytes() for path in files)
    assert b"Ada Leaves" in held
    assert ada.account.encode() in held
    assert b"Bea" not in held
    assert bea.account.encode() not in held
    [statement] = (ada.folder / "home" / "statements").iterdir()
    ada.does("statement", "verify", statement)  # against the pinned root
    assert ada.types("account", "export", "-o", "home").code == 2
