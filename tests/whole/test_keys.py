"""Keys at the command line (semantics 1 to 3): a second one, a new one, a lost one, one for an agency."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from licet.client import Client, account
from licet.errors import InputError
from licet.home import Home
from licet.statements.keys import SigningKey
from tests.whole.conftest import People
from tests.whole.stage import Person, Service

PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")


@pytest.fixture
def mei(person: People) -> Person:
    """An artist with an account of her own."""
    return person("keys").joins("artist", "Mei Lin")


def own_key(mei: Person) -> Path:
    return mei.home / "profiles" / "default" / "key.pem"


def proves(mei: Person, statement: str) -> list[str]:
    """Fetch a statement and verify it offline; return what was checked."""
    mei.does("statement", "fetch", statement, "-o", f"{statement}.licet")
    document = mei.does("statement", "verify", f"{statement}.licet", LICET_URL="http://127.0.0.1:9")
    assert document["verified"] is True
    return list(document["checks"])


def test_a_key_is_added_listed_and_revoked(mei: Person) -> None:
    added = mei.does("account", "key", "add", "--to", "second.pem")
    key = SigningKey.load(mei.folder / "second.pem")
    assert key.keyid == added["key"]
    assert stat.S_IMODE((mei.folder / "second.pem").stat().st_mode) == 0o600
    assert proves(mei, added["statement"])
    again = mei.does("account", "key", "add", "--to", "second.pem")
    assert (again["key"], again["log_index"]) == (added["key"], added["log_index"])
    assert mei.does("monitor", "--once")["findings"] == []  # this home let the key in itself
    listed = mei.types("account", "key", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == [key.keyid, SigningKey.load(own_key(mei)).keyid]
    revoked = mei.does("account", "key", "revoke", key.keyid[:12])
    assert revoked["key"] == key.keyid
    assert f"revoked from {revoked['log_index']}" in mei.types("account", "key", "list").out
    assert proves(mei, revoked["statement"])
    assert "a key of this account" in mei.does("account", "key", "revoke", "0000", code=2)["error"]["message"]
    events = [each["kind"] for each in mei.does("account", "events")["events"]]
    assert events == ["key-revoked", "key-added"]


def test_a_rotated_key_signs_on_and_the_old_one_is_kept(mei: Person) -> None:
    before = SigningKey.load(own_key(mei))
    mei.does("register", mei.draws("pictures", 8201), "--preset", "no-ai")
    told = mei.types("account", "key", "rotate")
    assert told.code == 0, told
    after = SigningKey.load(own_key(mei))
    assert mei.does("monitor", "--once")["findings"] == []  # the key before was this home's, too
    assert after.keyid != before.keyid
    assert told.out.startswith(f"Key {after.keyid} signs from now on")
    shown = mei.types("account", "show").out
    assert f"{before.keyid[:16]}… root (revoked)" in shown
    assert f"{after.keyid[:16]}… root" in shown
    assert f"{after.keyid[:16]}… root (revoked)" not in shown
    kept = own_key(mei).with_name(f"key.{before.keyid[:16]}.pem")
    assert SigningKey.load(kept).keyid == before.keyid
    work = mei.does("works", "list")["works"][0]["work"]
    loosened = mei.does("terms", "set", work, *PAID)
    assert any(after.keyid in check for check in proves(mei, loosened["statement"]))
    own_key(mei).write_bytes(kept.read_bytes())
    refused = mei.does("terms", "set", work, "--preset", "research", code=4)
    assert "may only tighten (revoked from log index" in refused["error"]["message"]


def test_a_rotation_that_was_broken_off_goes_on(mei: Person) -> None:
    following = own_key(mei).with_name("key.next.pem")
    key = SigningKey.generate()
    key.save(following)
    assert mei.does("account", "key", "rotate")["key"] == key.keyid
    assert not following.exists()
    key.save(following)  # as if the files had not been moved
    own_key(mei).write_bytes(
        own_key(mei).with_name(next(own_key(mei).parent.glob("key.[0-9a-f]*.pem")).name).read_bytes()
    )
    assert mei.does("account", "key", "rotate")["key"] == key.keyid
    assert SigningKey.load(own_key(mei)).keyid == key.keyid
    assert len(mei.does("account", "key", "list")["keys"]) == 2


def test_whoever_lost_every_key_comes_back_with_a_code_and_may_tighten(mei: Person, person: People) -> None:
    mei.does("register", mei.draws("pictures", 8202), *PAID)
    codes = mei.does("account", "recovery-codes")["codes"]
    assert len(set(codes)) == 10
    back = person("recovered")
    wrong = back.does("account", "recover", mei.account, "--code", "0000-0000-0000-0000-0000-0000", code=4)
    assert "recovery code" in wrong["error"]["message"]
    recovered = back.does("account", "recover", mei.account, "--code", codes[3])
    assert recovered["account"] == mei.account
    assert back.does("account", "show")["name"] == "Mei Lin"
    work = back.does("works", "list")["works"][0]["work"]
    refused = back.does("terms", "set", work, "--preset", "research", code=4)
    assert "recovered at" in refused["error"]["message"]
    tightened = back.does("terms", "set", work, "--preset", "no-ai")
    assert any("recovered at" in check for check in proves(back, tightened["statement"]))
    again = person("again").does("account", "recover", mei.account, "--code", codes[3], code=4)
    assert "was not used" in again["error"]["message"]


def test_an_agency_gets_a_key_and_what_it_may_do(mei: Person) -> None:
    told = mei.types("account", "key", "add", "--to", "agency.pem", "--class", "delegate")
    assert told.code == 0
    assert "licet account key delegate" in told.out
    key = SigningKey.load(mei.folder / "agency.pem").keyid
    assert mei.types("account", "key", "delegate", key, "--scope", "key-register").code == 2
    assert mei.types("account", "key", "delegate", key, "--scope", "consent", "--days", "91").code == 2
    given = mei.does("account", "key", "delegate", key[:10], "--scope", "consent", "work-update", "--works", "500")
    assert given["key"] == key
    assert proves(mei, given["statement"])
    assert "may sign consent, work-update until" in mei.types("account", "events").out


def test_an_agency_registers_and_states_terms_with_the_key_it_was_given_and_the_artist_hears_of_it(
    mei: Person, person: People
) -> None:
    key = mei.does("account", "key", "add", "--to", "agency.pem", "--class", "delegate")["key"]
    given = mei.does("account", "key", "delegate", key, "--scope", "consent", "--works", "2", "--days", "30")
    token = mei.does("token", "create", "--scope", "register")["token"]
    agency = person("agency")
    joining = ("account", "join", mei.account, "--key", mei.folder / "agency.pem")
    assert "--delegation" in agency.does(*joining, code=2, LICET_TOKEN=token)["error"]["message"]
    told = agency.types(*joining, "--delegation", given["statement"], LICET_TOKEN=token)
    assert told.code == 0, told
    assert "It may sign consent until 20" in told.out
    assert "Under one statement: 2 works." in told.out

    done = agency.does("register", agency.draws("pictures", 8211, 8212), "--preset", "no-ai")
    assert (len(done["works"]), done["effect"]) == (2, "initial")
    work = done["works"][0]["work"]
    loosened = agency.does("terms", "set", work, *PAID)
    assert (loosened["effect"], loosened["pending_until"] is not None) == ("loosen", True)
    assert any(f"signed by key {key}" in check for check in proves(mei, loosened["statement"]))
    refused = agency.does("works", "withdraw", work, "--yes", code=4)["error"]["message"]
    assert "of a kind that was delegated (consent)" in refused
    many = agency.does("register", agency.draws("more", 8213, 8214, 8215), "--preset", "no-ai", code=4)["error"][
        "message"
    ]
    assert "expected at most 2 works, as was delegated, got 3" in many

    events = mei.does("account", "events")["events"]
    assert [each["kind"] for each in events][:2] == ["delegate-signed", "delegate-signed"]
    assert "is to loosen 1 work" in events[0]["detail"]
    # What is held is hers to cancel, or to sign for herself.
    assert mei.does("terms", "undo", work)["statements"]
    assert mei.does("works", "show", work)["work"]["waiting"] is None
    mei.does("account", "key", "revoke", key)
    assert "revoked" in agency.does("terms", "set", work, *PAID, code=4)["error"]["message"]


def test_a_program_joins_a_team_by_a_link_and_signs_once_it_is_let_in(person: People) -> None:
    team, program = person("inviting").joins("organisation", "Wick Labs"), person("invited")
    made = team.does("account", "member", "invite", "--class", "delegate", "--for", "Jo", "--days", "2")
    asked = program.does("account", "join", made["link"])
    assert (asked["state"], asked["name"], asked["account"]) == ("asked", "Wick Labs", team.account)
    assert program.does("account", "join", made["link"])["key"] == asked["key"]  # the same key again
    thief = person("thief").does("account", "join", made["link"], code=2)
    assert "one that nobody has used" in thief["error"]["message"]
    listed = team.types("account", "member", "list", "--state", "asked").out
    assert (
        listed
        == f"{made['invitation']}  asked  delegate  until {made['expires_at'][:10]}  key {asked['key'][:16]}  Jo\n"
    )
    for wrong in ("0" * 16, asked["key"][:7]):
        refused = team.does("account", "member", "admit", wrong, code=2)
        assert "of a key that asks to be let in" in refused["error"]["message"]
    told = " ".join(re.findall("....", asked["key"][:16]))  # as pages show it
    assert team.does("account", "member", "admit", told)["key"] == asked["key"]
    assert "a token of the team" in program.types("account", "join", made["link"]).out
    token = team.does("token", "create", "--scope", "query,usage")["token"]
    early = program.types("account", "join", made["link"], LICET_TOKEN=token)
    assert "what it may sign" in early.out
    team.does("account", "key", "delegate", asked["key"][:16], "--scope", "run")
    joined = program.does("account", "join", made["link"], LICET_TOKEN=token)
    assert (joined["state"], joined["key"], joined["delegation"]["scope"]) == ("joined", asked["key"], ["run"])
    assert program.does("account", "show")["account"] == team.account
    back = team.does("account", "member", "invite")
    assert team.does("account", "member", "withdraw", back["invitation"])["state"] == "withdrawn"
    gone = person("late").does("account", "join", back["link"], code=2)
    assert "withdrawn" in gone["error"]["message"]
    assert team.does("account", "member", "invite", "--days", "31", code=2)["error"]["message"].startswith("--days")


def test_of_two_who_make_an_account_in_one_profile_at_once_one_does(service: Service, tmp_path: Path) -> None:
    def make(name: str) -> str:
        with Client(service.url, home=Home(tmp_path)) as client:
            try:
                account.create(client, "artist", name)
            except InputError as error:
                return error.message
        return name

    with ThreadPoolExecutor() as pool:
        told = sorted(pool.map(make, ("Ada", "Bob", "Cleo")))
    with Client(service.url, home=Home(tmp_path)) as client:
        me = client.me()
        assert client.profile.account is not None
        assert (client.profile.account.name, client.profile.account.account) == (me.name, me.account)
    refused = f"this profile is {me.account} already; another one needs another --profile or LICET_HOME"
    assert told == [me.name, refused, refused]


def test_an_account_that_was_opened_before_the_call_broke_off_has_the_name_of_then(
    service: Service, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    with Client(service.url, home=home) as client:
        account.create(client, "artist", "First")
    profile = home.profile()
    genesis = msgspec.json.decode((profile.statements / "genesis.json").read_bytes())["envelope"]
    (profile.folder / "genesis.json").write_bytes(msgspec.json.encode(genesis))  # as it was before the answer came
    for name in ("account.json", "token"):
        (profile.folder / name).unlink()
    with Client(service.url, home=home) as client:
        account.create(client, "artist", "Second")
        assert client.profile.account is not None
        assert client.profile.account.name == client.me().name == "First"


def test_a_token_with_a_spend_limit_says_so_where_it_is_made_and_listed(person: People) -> None:
    team = person("spenders")
    team.does("account", "create", "--kind", "organisation", "--name", "Spenders")
    made = team.does("token", "create", "--scope", "license", "usage", "--spend-limit", "500 usd/month")
    assert made["spend_limit"] == {"amount": "500", "currency": "USD", "per": "month"}
    listed = next(each for each in team.does("token", "list")["tokens"] if each["id"] == made["id"])
    assert (listed["spend_limit"], listed["spent"]) == (made["spend_limit"], "0")
    assert "  0.00 of 500.00 USD this month\n" in team.types("token", "list").out
    for wrong in ("500", "500USD", "500USD/year", "USD500/month", "1,5USD/month", "500XXX/month"):
        error = team.does("token", "create", "--scope", "license", "--spend-limit", wrong, code=2)["error"]
        assert error["message"] == f"--spend-limit: expected an amount a month, such as 500USD/month, got {wrong!r}"


def test_topics_of_alerts_are_switched_off_and_on(mei: Person) -> None:
    off = mei.does("account", "alerts", "--off", "money,claims", "uses")
    assert off["off"] == ["uses", "money", "claims"]
    now = mei.does("account", "alerts", "--on", "claims", "--off", "terms")
    assert (now["off"], now["always"]) == (["uses", "money", "terms"], ["security"])
    told = mei.types("account", "alerts")
    assert "Off: uses, money, terms.\nAlways on: security.\n" in told.out
    for wrong in (("--off", "security"), ("--on", "everything"), ("--off", "money", "--on", "money")):
        assert wrong[0 if len(wrong) == 2 else 2] in mei.does("account", "alerts", *wrong, code=2)["error"]["message"]
    always = mei.does("account", "alerts", "--off", "security", code=2)["error"]["message"]
    assert always == "--off: expected topics that are not always told, got 'security'"
    assert mei.does("account", "alerts")["off"] == now["off"]
