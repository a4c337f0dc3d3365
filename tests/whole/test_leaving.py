"""An account is taken home whole at the command line."""

from __future__ import annotations

import time
from urllib.request import urlopen

import msgspec

from licet import Client
from licet.audit.misconduct import encode
from licet.audit.omission import Covered, Omission
from licet.catalogue.forms import digest_form
from licet.home import Home
from licet.index.store import SnapshotStates
from licet.statements import envelope as envelopes
from licet.statements.kinds import Snapshot
from licet.wire.common import KeyEvidence
from licet.wire.works import StatementKept
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
    assert b"Bea Stays" not in held  # three letters alone stand in some signature now and then
    assert bea.account.encode() not in held
    for statement in (ada.folder / "home" / "signed").iterdir():
        ada.does("statement", "verify", statement)  # against the pinned root
    assert ada.types("account", "export", "-o", "home").code == 2
    told = ada.types("account", "export", "-o", "again").out
    assert "1 work, " in told, told
    assert "1 key, " in told
    assert "2 signed" in told
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


def test_a_work_left_out_by_an_erasure_is_explained_and_accuses_nobody(person: People) -> None:
    """She erases without a deny, keeps what was signed and what a snapshot says, and makes a document of it."""
    ada, reader = left(person, "Ada Accuses", 904), person("reader").joins("artist", "Rea Der")
    (kept,) = (ada.home / "profiles" / "default" / "statements").glob("stm_*.json")
    signed = msgspec.json.decode(kept.read_bytes(), type=StatementKept)
    work, url = signed.works[0], ada.environment["LICET_URL"]
    with Client(url, home=Home(ada.home)) as client:
        (form,) = (digest_form(each, ada.account) for each in client.find_works(works=[work]))
    erased = ada.does("account", "erase", "--yes", "--no-deny")["statement"]
    reader.does("statement", "fetch", erased, "-o", "erase.json")
    at = reader.does("statement", "verify", "erase.json")["log_index"]
    for _ in range(120):
        with urlopen(f"{url}/snapshots/latest/states?work={work}") as answer:
            told = msgspec.json.decode(answer.read(), type=SnapshotStates)
        size = envelopes.read_as(Snapshot, told.snapshot.envelope).log_size
        if size > at:
            break
        time.sleep(0.5)
    receipt = signed.receipt
    proven = KeyEvidence(signed.envelope, receipt.salt, receipt.entry, receipt.proof)
    document = encode(Omission(proven, Covered(form, 0, []), told.snapshot, told.states[0]))
    (reader.folder / "accusation.json").write_bytes(document)
    shown = reader.does("log", "misconduct", "accusation.json", code=5)
    assert (shown["misconduct"], shown["result"]) == (None, "unless-erased")
    assert shown["unless"] == {"account": ada.account, "after": receipt.log_index, "before": size}
    explained = reader.does("log", "misconduct", "accusation.json", "--rebuttal", "erase.json", code=1)
    assert (explained["misconduct"], explained["result"]) == (False, "explained")
    assert f"log entry {at}" in explained["explained"]
    asked = reader.types("log", "misconduct", "accusation.json")
    assert "unless the account was erased" in asked.out
    assert "--rebuttal FILE" in asked.out
    (reader.folder / "accusation.json").write_text("not JSON")
    wrong = reader.types("log", "misconduct", "accusation.json", "--json")
    assert "expected JSON, got something else at byte" in wrong.message
