"""Two artists share what a picture earns, at the command line (semantics 21)."""

from __future__ import annotations

import pytest

from tests.registry.catalogue import picture
from tests.whole.conftest import People
from tests.whole.stage import Person


@pytest.fixture(scope="module")
def pair(person: People) -> tuple[Person, Person]:
    """Two artists, the first with a picture that they made together."""
    ada, ben = person("ada").joins("artist", "Ada Rossi"), person("ben").joins("artist", "Ben Okri")
    (ada.home / "two-hands.png").write_bytes(picture(774_411))
    ada.does("register", str(ada.home / "two-hands.png"), "--preset", "paid", "--price", "0.05", "--currency", "USD")
    return ada, ben


def test_a_split_is_proposed_read_signed_by_all_and_changed_only_by_all(pair: tuple[Person, Person]) -> None:
    ada, ben = pair
    work = ada.does("works", "list")["works"][0]["work"]
    me, other = (who.does("account", "show")["account"] for who in (ada, ben))
    unasked = ada.types("works", "split", work, "--with", f"{other}=40%")
    assert unasked.code == 4  # nobody is there to answer
    assert unasked.err.endswith("not confirmed: nothing was signed; nobody answered, and --yes agrees beforehand\n")
    assert f"  {other}  40%" in unasked.err
    told = ada.types("works", "split", work, "--with", f"{other}=40%", "--yes")
    assert told.code == 0, told
    assert "waits for signatures; nothing has changed" in told.out
    (found,) = ben.does("works", "split", "list", "--state", "open")["splits"]
    split = found["split"]
    shown = ben.types("works", "split", "show", split)
    for line in (f"{me}  60%", f"{other}  40%  not signed yet", "two-hands", f"`licet works split accept {split}`"):
        assert line in shown.out, shown
    accepted = ben.types("works", "split", "accept", split, "--yes")
    assert accepted.code == 0, accepted
    assert f"{split}  in force" in accepted.out
    assert "and for what is in escrow by then" in accepted.out
    assert f"shared    by {split}" in ada.types("works", "show", work).out
    alone = ada.does("works", "split", work, "--with", f"{me}=100%", "--yes")
    assert alone["split"]["state"] == "open"
    assert ada.does("works", "show", work)["work"]["split"]["split"] == split
    ended = ben.does("works", "split", "decline", alone["split"]["split"], "--yes")
    assert ended["split"]["state"] == "declined"
    answer = next(each for each in (accepted.out, told.out) if "entry" in each)
    assert "of the log" in answer


ONE, TWO = (f"art_{26 * '0'}", f"art_{25 * '0'}1")


def test_a_co_owner_restricts_a_shared_work_and_everybody_is_told_who_does(pair: tuple[Person, Person]) -> None:
    ada, ben = pair
    (work,) = [each["work"] for each in ada.does("works", "list")["works"]]
    (listed,) = ben.does("works", "list", "--shared")["works"]
    assert (listed["work"]["work"], listed["own"]) == (work, None)
    assert "you say nothing of it so far" in ben.types("works", "show", work).out
    before = ada.does("works", "show", work)["work"]["terms_hash"]
    stated = ben.types("terms", "set", work, "--preset", "no-ai")
    assert stated.code == 0, stated
    assert "the strictest counts, use by use" in stated.out
    shown = ada.does("works", "show", work)["work"]
    (restriction,) = shown["restricted"]
    assert shown["stated"] == before != shown["terms_hash"] == restriction["terms_hash"]
    assert f"restricts it by {restriction['statement']}" in ada.types("works", "show", work).out
    assert f"restricts it by {restriction['statement']}" in ben.types("works", "show", work).out
    assert ben.does("terms", "show", work)["terms_hash"] == shown["terms_hash"]
    assert ben.does("terms", "set", work, "--preset", "research")["effect"] == "loosen"
    assert len(ben.does("terms", "undo", work)["statements"]) == 1
    assert ben.does("terms", "revoke", work)["statements"] == []  # says so already
    assert ben.does("terms", "set", work, "--preset", "research")["effect"] == "loosen"
    assert len(ben.does("terms", "revoke", work)["statements"]) == 1
    for who in (ada, ben):
        assert who.does("monitor", "--once")["findings"] == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--with", f"{ONE}=40"], "--with: expected ACCOUNT=SHARE, such as art_…=40% or art_…=4000bps"),
        (["--with", "40%"], "--with: expected ACCOUNT=SHARE"),
        (["--with", f"{ONE}=0.001%"], "--with: expected a share of 0.01% to 100%"),
        (["--with", f"{ONE}=60%", "--with", f"{TWO}=50%"], "--with: expected shares that add up to 100%, got '110%'"),
        (["--with", f"{ONE}=60%", "--with", f"{ONE}=10%"], "--with: expected each account once"),
    ],
)
def test_shares_that_are_none_are_refused_before_anything_is_sent(
    pair: tuple[Person, Person], given: list[str], says: str
) -> None:
    refused = pair[0].does("works", "split", "wrk_01", *given, code=2)
    assert refused["error"]["message"].startswith(says), refused
