"""A share of revenue at the command line: offered, agreed, reported, closed, corrected, told to who earns by steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clock import BEFORE, TENTH, Clock
from tests.whole.conftest import People
from tests.whole.stage import Service
from tests.whole.test_settlement import Office

pytestmark = pytest.mark.slow  # some twenty commands, each a process

USE = ("--use", "train-gen", "--model", "lantern/lantern@1")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """It is the 20th of the month before this one."""
    made = Clock(tmp_path)
    made.set(BEFORE)
    return made


@pytest.fixture
def office(clock: Clock, tmp_path: Path) -> Iterator[Service]:
    """A registry under that clock."""
    service = clock.serves(tmp_path / "registry")
    yield service
    service.end()


def test_a_share_of_revenue_from_the_offer_to_the_artists_balance(
    office: Service, clock: Clock, person: People, tmp_path: Path
) -> None:
    first = f"{BEFORE:%Y-%m}"
    ada, lab = person("ada", office.url), person("lab", office.url)
    for who, kind, name in ((ada, "artist", "Ada Rossi"), (lab, "organisation", "Lantern Labs")):
        clock.over(who).joins(kind, name)
    office.office("attest", ada.account, "--level", "2", "--evidence", "her drawings")
    folder = ada.draws("pictures", 905_001)
    (tmp_path / "terms.toml").write_text('preset = "paid"\nprice = { model = "negotiate" }\n')
    done = ada.does("register", folder, "--terms", tmp_path / "terms.toml")
    lab.does("snapshot", "pull", "--covering", str(done["log_index"]))
    work = done["works"][0]["work"]
    ask = lab.does("licences", "request", work, *USE, "--yes")["requests"][0]["request"]["request"]
    share = ("--share", "30%", "--currency", "USD", "--minimum", "50")
    ada.does("licences", "requests", "offer", ask, *share, "--yes")
    taken = lab.types("licences", "requests", "accept", ask, "--budget", "10USD", "--yes")
    assert "due at once: 0.00 USD" in taken.out, taken
    assert "Owed at the least for each month: 50.00 USD\n" in taken.out
    assert "more than the budget of 10.00 USD, which only limits what is due at once" in taken.out
    licence = taken.out.partition(",")[0]
    # This month's report is open, and not missing yet.
    assert lab.types("revenue", "list").out == "No reports, and none is missing of a month that is over.\n"
    assert lab.does("filter", folder, "-o", "kept", *USE, "--dataset", "d")["kept"] == 1
    lab.does("run", "report", *USE[2:], "--dataset", "kept.manifest.json", "--run", "2")

    of_month = ("revenue", "report", licence, "--period", first)
    said = lab.types(*of_month, "--revenue", "4000USD", "--yes")
    assert "4,000.00 USD net revenue: reported, entry" in said.out, said
    assert f"It counts at the close of {first}." in said.out
    assert "was reported before" in lab.types(*of_month, "--revenue", "4000USD", "--yes").out
    other = lab.types(*of_month, "--revenue", "3000USD", "--yes")
    assert (other.code, "--correct" in other.err) == (2, True), other
    assert lab.does(*of_month, "--revenue", "3000USD", "--correct", "--yes")["said"]
    listed = ada.types("revenue", "list").out
    assert "4,000.00 USD net revenue  corrected since" in listed
    assert "proven: the log" in ada.types("revenue", "show", listed.split()[0]).out
    as_it_stands = ada.types("revenue", "shares", "--period", first)
    assert f"{first} is not closed" in as_it_stands.err
    steps = ["  30% of 3,000.00 USD net revenue = 900.00 USD", "  900.00 USD × 1 / 1 = 900.00 USD"]
    assert as_it_stands.out.splitlines() == [f"{licence}  {ada.account}  900.00 USD for 1 work", *steps]

    second = clock.set(TENTH)
    office.office("close", "--period", first)
    assert ada.types("balance").out == "810.00 USD  payable to you\n"
    closed = ada.types("balance", "--period", first)
    assert closed.code == 0, closed
    assert all(step in closed.out for step in steps)
    ada.does("balance", "--statement", first, "-o", "month.html")
    late = lab.does(*of_month, "--revenue", "2000USD", "--correct", "--yes")
    assert late["report"]["counts_at"] == second
    back = ada.types("revenue", "shares", licence, "--period", second, "--lang", "zh").out
    assert "减去此前已计收的 900.00 USD = −300.00 USD" in back, back
    assert ada.types("balance").out == "810.00 USD  payable to you\n"


def test_what_a_close_cannot_charge_is_said_to_the_office_and_to_the_organisation_alone(
    office: Service, clock: Clock, person: People, tmp_path: Path
) -> None:
    first = f"{BEFORE:%Y-%m}"
    ada, lab = person("ada", office.url), person("lab", office.url)
    for who, kind, name in ((ada, "artist", "Ada Rossi"), (lab, "organisation", "Lantern Labs")):
        clock.over(who).joins(kind, name)
    price = '{ model = "subscription", amount = "9000000000", currency = "USD", period = "P1M" }'
    (tmp_path / "terms.toml").write_text(f'preset = "paid"\nprice = {price}\n')
    done = ada.does("register", ada.draws("pictures", 905_101, 905_102, 905_103), "--terms", tmp_path / "terms.toml")
    lab.does("snapshot", "pull", "--covering", str(done["log_index"]))
    for each in done["works"]:
        lab.does("licences", "agree", each["work"], *USE, "--yes")

    clock.set(TENTH)
    told = Office(office, tmp_path).types("close", "--period", first)
    assert "allocation.left_out" in told.err
    closed, *left = told.out.splitlines()  # what is logged is not in it
    assert closed.startswith(f"{first} is closed, log index ")
    licence = left[0].partition(":")[0]
    since = f"{licence}: {first} is left out since {TENTH:%Y-%m-%dT}"
    assert [line.startswith(since) for line in left] == [True], left
    assert "expected at most 18,014,398,509.481982 USD owed at a time, got 18,000,000,000.00 USD owed" in left[0]
    assert lab.types("balance").out.splitlines() == [
        "18,000,000,000.00 USD  owed by you",
        f"not yet computed: what {licence} owes for {first}",
    ]
    (waits,) = lab.does("balance")["not_yet_computed"]
    assert (waits["licence"], waits["period"]) == (licence, first)
    assert "not yet computed" not in ada.types("balance").out
