"""An artist's first hour at the command line: register, look, tighten, loosen, withdraw, and prove all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from licet.statements.keys import SigningKey
from licet.terms import ATOMS
from tests.whole.conftest import People
from tests.whole.stage import Person

NOBODY = "http://127.0.0.1:9"  # nobody answers there: what is checked is checked offline
PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")


@pytest.fixture(scope="module")
def registered(artist: Person) -> list[str]:
    """Three works under one statement, as the command says it to a person."""
    told = artist.types("register", artist.draws("pictures", 101, 102, 103))
    assert told.code == 0, told
    assert told.out.startswith("3 works registered under stm_")
    assert told.out.rstrip().endswith("of the log.")
    works = {work["title"]: work["work"] for work in artist.does("works", "list")["works"]}
    return [works[title] for title in ("101", "102", "103")]


@pytest.fixture(scope="module")
def statement(artist: Person, registered: list[str]) -> Path:
    """The statement file of the registration."""
    work = artist.does("works", "show", registered[0])["work"]
    assert artist.does("statement", "fetch", work["statement"], "-o", "mine.json")["statement"] == work["statement"]
    return artist.folder / "mine.json"


def test_the_account_says_who_it_is_in_words(artist: Person, trainer: Person) -> None:
    document = artist.does("account", "show")
    assert (document["kind"], document["name"], document["level"]) == ("artist", "Mei Lin", 0)
    assert artist.types("account", "show").out.startswith(f"Mei Lin (artist) is {artist.account}, claim level 0 of 4 (")
    assert trainer.does("account", "show")["kind"] == "organisation"


def test_login_says_who_one_is_or_how_to_get_in(artist: Person, person: People) -> None:
    told = artist.types("login")
    assert (told.code, told.out.startswith(f"You are Mei Lin (artist, {artist.account}) at ")) == (0, True), told
    assert artist.does("login")["account"] == artist.account
    nobody = person("nobody-yet")
    ways = nobody.types("login")
    assert (ways.code, "licet account create" in ways.out, "licet account join" in ways.out) == (4, True, True), ways
    assert nobody.does("login", code=4)["account"] is None


def test_one_signature_covers_all_and_denies_all_but_search(artist: Person, registered: list[str]) -> None:
    works = artist.does("works", "list")["works"]
    assert len({work["work"] for work in works}) == 3
    assert len({work["statement"] for work in works}) == 1
    terms = artist.does("terms", "show", registered[0])["terms"]
    assert {atom: rule["permission"] for atom, rule in terms.items()} == {
        atom: "allow" if atom == "search" else "deny" for atom in ATOMS
    }
    told = artist.types("terms", "show", registered[0])
    assert "anyone may show them in search results" in told.out
    assert "train a model that makes content" in told.out


def test_registering_again_signs_nothing_and_says_so(artist: Person, registered: list[str]) -> None:
    told = artist.types("register", "pictures", "--preset", "no-ai")
    assert told.code == 0
    assert "Nothing is new" in told.out
    assert all(work in told.out for work in registered)
    assert len(artist.does("works", "list")["works"]) == 3


def test_what_loosens_waits_and_what_tightens_does_not(artist: Person, registered: list[str]) -> None:
    work = registered[1]
    before = artist.does("works", "show", work)["work"]
    told = artist.types("terms", "set", work, *PAID)
    assert told.code == 0
    assert "This loosens: it takes effect at 20" in told.out
    assert "Signing other terms before that cancels it." in told.out
    assert artist.does("works", "show", work)["work"]["terms_hash"] == before["terms_hash"]

    tightened = artist.does("terms", "set", work, "--preset", "no-ai")
    assert (tightened["effect"], tightened["pending_until"], tightened["works"]) == ("tighten", None, 1)
    assert artist.does("works", "show", work)["work"]["log_index"] == tightened["log_index"]


def test_terms_that_are_revoked_permit_search_alone_at_once(artist: Person) -> None:
    artist.draws("offered", 105, 106)
    artist.does("register", "offered", *PAID)
    works = {work["title"]: work["work"] for work in artist.does("works", "list")["works"]}
    offered = [works["105"], works["106"]]
    artist.does("terms", "set", offered[1], "--preset", "research")  # waits: what is revoked is this, too

    (done,) = artist.does("terms", "revoke", *offered)["statements"]
    assert (done["effect"], done["works"]) == ("tighten", 2)
    for work in offered:
        shown = artist.does("terms", "show", work)
        assert (shown["waiting"], shown["terms_hash"]) == (None, shown["in_force"])
        assert [atom for atom, rule in shown["terms"].items() if rule["permission"] != "deny"] == ["search"]
    again = artist.types("terms", "revoke", *offered)
    assert (again.code, again.out) == (0, "Nothing but search is permitted: nothing to take back.\n")
    assert artist.does("terms", "revoke", code=2)["error"]["field"] == "works"


def test_terms_that_deny_search_deny_it_still_when_revoked(artist: Person) -> None:
    artist.draws("hidden", 107)
    (artist.folder / "hidden.toml").write_text('preset = "research"\nsearch = "deny"\n')
    (work,) = artist.does("register", "hidden", "--terms", "hidden.toml")["works"]
    assert artist.does("terms", "revoke", work["work"])["statements"][0]["effect"] == "tighten"
    assert {rule["permission"] for rule in artist.does("terms", "show", work["work"])["terms"].values()} == {"deny"}


def test_a_withdrawn_work_is_denied_from_then_on(artist: Person, registered: list[str]) -> None:
    refused = artist.does("works", "withdraw", registered[2], code=4)["error"]
    assert refused["message"] == "not confirmed: nothing was withdrawn; nobody answered, and --yes agrees beforehand"
    told = artist.types("works", "withdraw", registered[2], "--yes")
    assert told.code == 0
    assert told.out.startswith("1 work withdrawn, entry ")
    assert artist.does("works", "show", registered[2])["work"]["withdrawn"]
    rows = [line.split()[:4] for line in artist.types("works", "list").out.splitlines()]
    assert [registered[2], "103", "upload", "withdrawn"] in rows


def test_a_statement_is_verified_offline_against_the_pinned_registry(artist: Person, statement: Path) -> None:
    document = artist.does("statement", "verify", statement, LICET_URL=NOBODY)
    assert document["verified"] is True
    assert document["kind"] == "consent"
    assert any("signed by the pinned root" in check for check in document["checks"])


def test_without_a_pin_a_statement_is_only_self_consistent(artist: Person, person: People, statement: Path) -> None:
    stranger = person("stranger", NOBODY)
    told = stranger.types("statement", "verify", statement)
    assert told.code == 1
    assert "self-consistent, not anchored" in told.out
    policy = artist.home / "profiles" / "default" / "trust.json"
    assert stranger.does("statement", "verify", statement, "--policy", policy)["verified"] is True
    false = {**json.loads(policy.read_text()), "root": SigningKey.generate().public.hex()}
    (stranger.folder / "false.json").write_text(json.dumps(false))
    refused = stranger.types("statement", "verify", statement, "--policy", "false.json", "--json")
    assert refused.code == 1
    assert refused.document["error"]["code"] == "verification"


def test_the_log_is_verified_whole_and_held_to_what_was_seen(artist: Person, registered: list[str]) -> None:
    first = artist.does("log", "verify")
    assert first["verified"] is True
    artist.draws("one more", 104)
    index = artist.does("register", "one more")["log_index"]
    told = artist.types("log", "verify")
    assert told.code == 0
    assert "All that was seen of it before, " in told.out
    since = artist.types("log", "verify", "--continue")
    assert since.code == 0
    found = re.search(r"(\d+) entries were verified before; (\d+) were read now\.", since.out)
    assert found
    assert told.out.startswith(f"localhost/licet: {found[1]} entries ")
    assert since.out.startswith(f"localhost/licet: {int(found[1]) + int(found[2])} entries ")  # a snapshot may be new
    both = artist.does("log", "consistency", str(first["size"]))
    assert both["old"] == {"size": first["size"], "root": first["root"]}
    assert both["new"]["size"] > first["size"]
    memory = artist.home / "profiles" / "default" / "log.json"
    seen = json.loads(memory.read_text())
    assert seen["size"] > index

    # A log that is not the one that was seen is found out, and so is a memory that is damaged.
    memory.write_text(json.dumps({**seen, "root": "A" * 43 + "="}))
    rewritten = artist.types("log", "verify", "--json")
    assert rewritten.code == 1
    assert rewritten.document["error"]["code"] == "verification"
    memory.write_text("{")
    damaged = artist.types("log", "verify", "--json")
    assert damaged.code == 2
    assert "log.json" in damaged.message
    memory.unlink()


def test_a_token_is_shown_once_listed_and_revoked(artist: Person) -> None:
    told = artist.types("token", "create", "--scope", "query", "--expires", "2d")
    assert told.code == 0
    token = told.out.strip()
    assert token.startswith("lct_")
    assert "it is not shown again" in told.err
    listed = artist.types("token", "list").out
    assert token not in listed
    identifier = next(line.split()[0] for line in listed.splitlines() if line.split()[1] == "query")
    assert artist.does("account", "show", LICET_TOKEN=token)["scopes"] == ["query"]
    assert artist.does("token", "revoke", identifier)["revoked"] == identifier
    assert f"{identifier}  query" in (after := artist.types("token", "list").out)
    assert "revoked" in after
    assert "revoked" in artist.types("account", "show", LICET_TOKEN=token).err
