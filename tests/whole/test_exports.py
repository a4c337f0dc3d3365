"""A statement in other people's forms, at the command line: made from what a real registry signed, verified offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.conftest import People
from tests.whole.stage import Person

NOBODY = "http://127.0.0.1:9"
PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")


@pytest.fixture(scope="module")
def exporter(person: People) -> Person:
    """An artist with the file of a statement and the registry's receipt for it."""
    made = person("exporter").joins("artist", "Su Tang")
    statement = made.does("register", made.draws("pictures", 721), *PAID)["statement"]
    made.does("statement", "fetch", statement, "-o", "mine.json")
    made.does("statement", "fetch", statement, "--receipt", "-o", "mine.cose")
    return made


def verified(who: Person, *arguments: str, code: int = 0) -> dict[str, object]:
    return who.does("statement", "verify", *arguments, code=code, LICET_URL=NOBODY)


def test_every_form_says_what_the_statement_says_and_is_verified_offline(exporter: Person) -> None:
    own = verified(exporter, "mine.json")
    forms = {
        "mine.vc": ("--as", "vc"),
        "mine.scitt": ("--as", "scitt"),
        "mine.transparent": ("--as", "scitt", "--receipt", "mine.cose"),
    }
    for name, form in forms.items():
        made = exporter.does("statement", "export", "mine.json", *form, "-o", name, LICET_URL=NOBODY)
        path = exporter.folder / name
        assert made["bytes"] == path.stat().st_size
        assert made["receipts"] == ("--receipt" in form)
        found = verified(exporter, name)
        same = ("verified", "root", "kind", "log_index", "logged_at")
        assert [found[each] for each in same] == [own[each] for each in same]
        assert own["verified"] is True
    placed = verified(exporter, "mine.cose", "--entry", "mine.json")
    assert placed["log_index"] == own["log_index"]
    assert any("a COSE receipt for entry" in str(each) for each in placed["checks"])  # type: ignore[attr-defined]


def test_a_form_with_one_byte_changed_is_refused(exporter: Person) -> None:
    exporter.does("statement", "export", "mine.json", "--as", "scitt", "--receipt", "mine.cose", "-o", "whole")
    for name, more in (("whole", ()), ("mine.cose", ("--entry", "mine.json"))):
        data = bytearray((exporter.folder / name).read_bytes())
        data[-1] ^= 1
        (exporter.folder / "bent").write_bytes(data)
        assert "error" in verified(exporter, "bent", *more, code=1)


def test_what_cannot_be_exported_is_said_and_leaves_no_file(exporter: Person, person: People) -> None:
    def refused(who: Person, *arguments: str | Path, code: int = 2) -> str:
        told = who.types("statement", "export", *arguments, "-o", "none", "--json", LICET_URL=NOBODY)
        assert told.code == code
        assert not (who.folder / "none").exists()
        return told.message

    assert "--receipt: expected it with --as scitt" in refused(
        exporter, "mine.json", "--as", "vc", "--receipt", "mine.cose"
    )
    assert "cannot be read" in refused(exporter, "absent.json", "--as", "vc")
    assert "expected a statement file" in refused(exporter, "mine.cose", "--as", "scitt")
    stranger = person("stranger-export").joins("artist", "Eve")
    assert refused(stranger, exporter.folder / "mine.json", "--as", "vc")
    assert exporter.types("statement", "fetch", "stm_0", "--receipt", "-o", "none", "--json").code not in (0, 1)
    assert exporter.does("statement", "verify", "mine.cose", code=2, LICET_URL=NOBODY)["error"]["message"].endswith(
        "(--entry names it)"
    )
