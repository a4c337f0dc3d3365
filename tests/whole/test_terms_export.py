"""What an artist signed, as files for her site and in copies of her pictures; read back by the command for signals."""

from __future__ import annotations

import json
import zipfile

from tests.registry.catalogue import picture
from tests.whole.conftest import People


def test_signed_terms_are_written_for_others_and_read_back(person: People) -> None:
    ada, other = person("ada-export").joins("artist", "Ada Rossi"), person("bea-export").joins("artist", "Bea")
    file = ada.home / "1.png"
    file.write_bytes(picture(884_713))
    ada.does("register", str(file), "--preset", "paid", "--price", "5", "--currency", "USD")
    (work,) = ada.does("works", "list")["works"]
    name = work["work"]
    done = ada.does("terms", "export", name, "-o", "site", "--embed", str(file), "--at", "https://ada.example/licet")
    assert done["terms_hash"] == ada.does("terms", "show", name)["terms_hash"]
    assert {each["dialect"] for each in done["documents"]} >= {
        "rsl",
        "tdmrep",
        "aipref",
        "cawg",
        "xmp",
        "odrl",
        "robots",
    }
    assert done["left_out"] == []
    (declared,) = [each["text"] for each in done["documents"] if each["dialect"] == "tdmai"]
    assert json.loads(declared)["iscc"] == work["iscc"].split()[0]
    (ada.home / "2.png").write_bytes(picture(884_714))
    not_it = ada.types("terms", "export", name, "-o", "two", "--embed", str(file), str(ada.home / "2.png"))
    expected = f"--embed: expected a picture that {name} was registered with"
    assert (not_it.code, expected in not_it.err) == (2, True), not_it
    assert not (ada.folder / "two").exists()
    (read,) = ada.does("signals", "site/1.png", "--use", "train-gen")["results"]
    (own,) = ada.does("signals", str(file), "--use", "train-gen")["results"]
    assert own["verdict"] == "unknown"
    assert read["verdict"] in {"license", "deny"}  # what is on offer may be refused where a word covers more
    assert f"/en/work/{name}".encode() in (ada.folder / "site" / "1.png").read_bytes()
    one = ada.types("terms", "export", name, "--as", "robots")
    assert one.code == 0, one
    assert "User-agent: " in one.out
    same = ada.does("terms", "export", name, "-o", "site", "--embed", str(file), "--at", "https://ada.example/licet")
    assert same["files"] == done["files"]  # all of it is there, as it would be
    again = ada.types("terms", "export", name, "-o", "site")
    assert (again.code, "nothing is written over" in again.err) == (2, True), again
    hers = other.types("terms", "export", name, "-o", "hers")
    assert hers.code != 0
    assert not (other.folder / "hers").exists()


def test_terms_that_are_nowhere_registered_are_written_offline(person: People) -> None:
    someone = person("cy-export")
    done = someone.does("terms", "export", "--preset", "no-ai", "--as", "tdmrep.json", "-o", "site")
    assert [each["dialect"] for each in done["documents"]] == ["tdmrep.json"]
    for typed, said in (
        ((), "work: expected a work, or --terms or --preset, got neither"),
        (("wrk_x", "--preset", "no-ai"), "got both"),
        (("--preset", "no-ai", "--embed", "a.png"), "--output: expected a folder for the copies"),
        (("--preset", "no-ai", "--as", "rls"), "dialect: expected one of rsl, tdmrep"),
    ):
        told = someone.types("terms", "export", *typed)
        assert (told.code, said in told.err) == (2, True), told


def test_a_kit_for_a_site_is_one_file(person: People) -> None:
    someone = person("dee-export")
    told = someone.does("terms", "export", "--preset", "no-ai", "--kit", "kit.zip", "--at", "https://dee.example")
    with zipfile.ZipFile(someone.folder / "kit.zip") as held:
        assert held.namelist() == told["files"]
        assert b"License: https://dee.example/licet/rsl.xml" in held.read("robots.txt")
    for typed, said in (
        (("--kit", "kit.zip"), "nothing is written over"),
        (("--kit", "new.zip", "--at", "https://dee.example/blog"), "at: expected the address of a site"),
        (("--kit", "new.zip", "-o", "site"), "--kit: expected no --output"),
    ):
        refused = someone.types("terms", "export", "--preset", "no-ai", *typed)
        assert (refused.code, said in refused.err) == (2, True), refused
