"""The month's end at the command line: invoices, a bank's files, payouts, refunds, and an audit of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.registry.settlement.bankfile import ACCOUNT, Booked, file, statement
from tests.whole.clock import AFTER, Clock
from tests.whole.conftest import People
from tests.whole.stage import SECONDS, Person, Service, Told

pytestmark = pytest.mark.slow  # some thirty commands, each a process
MONTH = f"{AFTER:%Y-%m}"


class Office:
    """Whoever types ``licet-registry``, with files of the bank."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder

    def types(self, *arguments: str | Path) -> Told:
        """Run a command to its end; none ever shows a traceback."""
        told = forking.run(
            self.service.programs / "licet-registry", *map(str, arguments),
            cwd=self.folder, environment=self.service.environment, seconds=SECONDS,
        )  # fmt: skip
        assert "Traceback" not in told[2], told[2]
        return Told(*told)

    def does(self, *arguments: str | Path) -> dict[str, Any]:
        """Run a command that succeeds, and return its document."""
        return self.service.office(*arguments)

    def books(self, name: str, *booked: Booked) -> Told:
        """Record a statement of the bank."""
        (self.folder / f"{name}.xml").write_bytes(file(statement(name, *booked)))
        return self.types("bank", "record", f"{name}.xml")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """It is the 10th of the next month."""
    made = Clock(tmp_path)
    made.set(AFTER)
    return made


@pytest.fixture
def bank(clock: Clock, tmp_path: Path) -> Iterator[Service]:
    """A registry with an account at a bank, which holds nothing back."""
    service = clock.serves(tmp_path / "registry", bank_accounts=ACCOUNT, payout_hold="0s", payout_change_hold="0s")
    yield service
    service.end()


def test_what_is_owed_is_invoiced_paid_remitted_refunded_and_audited(
    bank: Service, clock: Clock, person: People, tmp_path: Path
) -> None:
    office = Office(bank, tmp_path)
    mei = clock.over(person("mei", bank.url)).joins("artist", "Mei Lin 林美")
    lantern = clock.over(person("lantern", bank.url)).joins("organisation", "Lantern Labs")
    office.does("attest", mei.account, "--level", "2", "--evidence", "her drawings")
    _uses(mei, lantern)
    assert lantern.types("balance").out == "25.00 USD  owed by you\n"

    refused = office.types("close", "--period", MONTH)
    assert (refused.code, refused.out) == (2, "")
    assert "--period: expected a month that ended at least 5 minutes ago" in refused.err
    (invoice,) = office.does("invoices", "issue", "--period", MONTH)["issued"]
    number, reference = str(invoice["number"]), invoice["reference"]
    assert f"to pay under {reference}" in lantern.types("invoices", "show", number).out

    _pays(office, number, reference)
    assert lantern.types("balance").out == "nothing is owed either way\n"
    _is_paid(office, mei)
    _is_disputed(office, mei, lantern)
    assert "11.25 USD  paid to you and taken back since: kept from what comes next\n" in mei.types("balance").out
    assert "12.50 USD  to your credit: kept for what you will owe\n" in lantern.types("balance").out

    lantern.does("audit", "pull", "--period", MONTH, "-o", "evidence.zip")
    lantern.does("audit", "report", "evidence.zip", "-o", "evidence.html")  # drawn only once it verifies
    verified = office.types("verify")
    assert (verified.code, verified.out) == (0, "everything derived equals its source\n"), verified


def _uses(mei: Person, lantern: Person) -> None:
    """One licensed picture is used by two runs, at 12.50 USD each."""
    folder = mei.draws("pictures", 661_001)
    index = mei.does("register", folder, "--preset", "paid", "--price", "12.5", "--currency", "USD")["log_index"]
    lantern.does("snapshot", "pull", "--covering", str(index))
    model = ("--model", "lantern/lantern@1")
    wanted = ("--use", "train-gen", "--purpose", "commercial", *model, "--dataset", "d")
    lantern.does("filter", folder, "-o", "kept", *wanted, "--accept", "--budget", "50USD")
    lantern.does("run", "report", *model, "--dataset", "kept.manifest.json", "--run", "2")


def _pays(office: Office, number: str, reference: str) -> None:
    """The invoice is paid by the bank's files; what these do not tell is told by hand, and what is none is refused."""
    paid = Booked("20", reference="A1", text=f"thanks {reference}")
    told = office.books("S1", paid, Booked("5", reference="B1", text="for the pictures"))
    assert "2 new, 0 known, 0 not booked, 1 in suspense" in told.out
    (waiting,) = office.does("bank", "list", "--suspense")["entries"]
    assert waiting["suspense"] == "no-reference"
    office.does("bank", "match", waiting["entry"], "--invoice", number)
    (office.folder / "broken.xml").write_bytes(file()[:-9])
    refused = office.types("bank", "record", "broken.xml")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("licet-registry: broken.xml: line "), refused.err


def _is_paid(office: Office, mei: Person) -> None:
    """What is payable goes out by the bank, once, to where the artist said."""
    mei.does("payout", "set", "--name", "林美", "--country", "DE", "--iban", "DE02120300000000202051")
    prepared = office.does("remittances", "prepare", "--period", MONTH, "-o", office.folder / "order.xml")
    (remittance,) = prepared["prepared"]
    assert (remittance["account"], remittance["amount"]) == (mei.account, "22.5")
    assert "<EndToEndId>" in (office.folder / "order.xml").read_text()
    took = Booked("22.50", credit=False, reference="C1", end_to_end=remittance["remittance"])
    assert "1 new, 0 known, 0 not booked" in office.books("S3", took).out
    assert "paid on 2026-11-30" in mei.types("remittances", "list").out


def _is_disputed(office: Office, mei: Person, lantern: Person) -> None:
    """A charge is disputed, answered, and decided by somebody who is no party."""
    charges = lantern.does("charges", "list", "--period", MONTH)["charges"]
    assert [each["amount"] for each in charges] == ["12.5", "12.5"]
    said = ("--charge", charges[0]["charge"], "--text", "not her picture")
    unasked = lantern.types("disputes", "open", *said)
    assert (unasked.code, "nothing was signed" in unasked.err) == (4, True), unasked
    dispute = lantern.does("disputes", "open", *said, "--yes")["dispute"]["dispute"]
    assert "contested" in mei.types("charges", "list").out
    mei.does("disputes", "answer", dispute, "--position", "contest", "--text", "It is: 林美.", "--yes")
    shown = office.types("disputes", "show", dispute).out
    assert "not her picture" in shown
    assert "It is: 林美." in shown
    by = ("--by", office.does("invite", "--role", "operator", "--name", "Office")["account"])
    decided = office.does("disputes", "decide", dispute, "--outcome", "upheld", *by, "--reason", "two pictures")
    assert decided["outcome"] == "upheld"
    shown = mei.types("disputes", "show", dispute).out
    assert "is decided, and whoever lost can appeal" in shown
    assert f"or does not appeal until {decided['appeal_until'][:10]}" in shown
    refused = lantern.types("disputes", "appeal", dispute, "--text", "Not enough.", "--yes")
    assert (refused.code, "only whoever lost" in refused.err) == (4, True), refused
    unasked = mei.types("disputes", "appeal", dispute, "--text", "It is mine: 林美.")
    assert (unasked.code, "nothing was signed" in unasked.err) == (4, True), unasked
    appealed = mei.does("disputes", "appeal", dispute, "--text", "It is mine: 林美.", "--yes")["dispute"]
    assert (appealed["state"], appealed["holds"]) == ("appealed", True)
    assert dispute in office.types("disputes", "list", "--state", "appealed").out
    assert "It is mine: 林美." in office.types("disputes", "show", dispute).out
    again = office.types("disputes", "review", dispute, "--outcome", "upheld", *by, "--reason", "as I said")
    assert (again.code != 0, "expected another operator" in again.err) == (True, True), again
    by = ("--by", office.does("invite", "--role", "operator", "--name", "Second")["account"])
    office.does("disputes", "review", dispute, "--outcome", "upheld", *by, "--reason", "two pictures, indeed")
    shown = mei.types("disputes", "show", dispute).out
    assert "was decided for whoever opened it" in shown
    assert "two pictures, indeed" in shown
