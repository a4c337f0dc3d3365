"""The month's end at the command line: invoices, a bank's files, payouts, refunds, and an audit of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from licet import times
from tests import forking
from tests.registry.settlement.bankfile import ACCOUNT, Booked, file, statement
from tests.whole.conftest import People
from tests.whole.stage import SECONDS, Person, Service, Told

pytestmark = pytest.mark.slow  # some forty commands, each a process
MONTH = times.to_text(times.now())[:7]


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

    def suspense(self) -> dict[str, str]:
        """Return why each entry in suspense is there."""
        return {each["suspense"]: each["entry"] for each in self.does("bank", "list", "--suspense")["entries"]}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A registry with an account at a bank, which holds nothing back."""
    service = Service(
        tmp_path_factory.mktemp("registry"),
        bank_accounts=ACCOUNT,
        payout_hold="0s",
        payout_change_hold="0s",
        snapshot_delay="1s",
    )
    yield service
    service.end()


def test_what_is_owed_is_invoiced_paid_remitted_refunded_and_audited(
    bank: Service, person: People, tmp_path: Path
) -> None:
    office = Office(bank, tmp_path)
    mei = person("mei", bank.url).joins("artist", "Mei Lin 林美")
    lantern = person("lantern", bank.url).joins("organisation", "Lantern Labs")
    office.does("attest", mei.account, "--level", "2", "--evidence", "her drawings")
    _uses(mei, lantern)
    assert lantern.types("balance").out == "25 USD  owed by you\n"

    refused = office.types("close", "--period", MONTH)
    assert (refused.code, refused.out) == (2, "")
    assert "--period: expected a month that ended at least 5 minutes ago" in refused.err
    invoices = office.does("invoices", "issue", "--period", MONTH)["issued"]
    assert [each["due"] for each in invoices] == ["25"]
    assert office.does("invoices", "issue", "--period", MONTH)["issued"] == []
    number, reference = str(invoices[0]["number"]), invoices[0]["reference"]
    shown = lantern.types("invoices", "show", number)
    assert f"to pay under {reference}" in shown.out
    assert lantern.does("invoices", "show", reference) == lantern.does("invoices", "show", number)
    for name in ("x/y", "inv_x"):
        missing = lantern.does("invoices", "show", name, code=2)["error"]["message"]
        assert missing.startswith("invoice: expected inv_"), missing

    _pays(office, number, reference)
    assert lantern.types("balance").out == "2 EUR  to your credit: kept for what you will owe\n"
    _is_paid(office, mei)

    charge = lantern.does("invoices", "show", number)["lines"][0]["transfer"]
    refunded = office.does("charges", "refund", charge, "--reason", "not her picture")
    assert len(refunded["credit_notes"]) == 1
    assert "11.25 USD  paid to you and taken back since: kept from what comes next\n" in mei.types("balance").out
    assert "12.5 USD  to your credit: kept for what you will owe\n" in lantern.types("balance").out

    for who in (mei, lantern):
        who.does("audit", "pull", "--period", MONTH, "-o", "evidence.zip")
        who.does("audit", "report", "evidence.zip", "-o", "evidence.html")  # drawn only once it verifies
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
    """The invoice is paid by the bank's files, which hold more than that; what cannot be is refused by name."""
    paid = Booked("20", reference="A1", text=f"thanks {reference}")
    assert "1 new, 0 known, 0 not booked, 0 in suspense" in office.books("S1", paid).out
    assert "0 new, 1 known" in office.books("S1", paid).out
    changed = office.books("S1", Booked("21", reference="A1"))
    assert (changed.code, "was recorded with other content" in changed.err) == (2, True)
    told = office.books(
        "S2",
        Booked("5", reference="B1", text="for the pictures"),
        Booked("2", currency="EUR", reference="B2", structured=[reference]),
        Booked("7", reference="B3", structured=["RF18539007547034"]),
        Booked("1.50", credit=False, reference="B4", text="fees"),
    )
    assert "4 new, 0 known, 0 not booked, 4 in suspense" in told.out
    waiting = office.suspense()
    assert set(waiting) == {"no-reference", "currency", "unknown-reference", "unknown-debit"}
    other = office.types("bank", "match", waiting["currency"], "--invoice", number)
    assert (other.code, "expected an invoice in EUR" in other.err) == (2, True)
    (payer,) = {each["organisation"] for each in office.does("invoices", "list")["invoices"]}
    office.does("bank", "match", waiting["no-reference"], "--invoice", number)
    office.does("bank", "match", waiting["currency"], "--organisation", payer)
    office.does("bank", "match", waiting["unknown-debit"], "--charges")
    assert set(office.suspense()) == {"unknown-reference"}
    for name, data in {"broken": file()[:-9], "noise": b"%PDF\0\xff"}.items():
        (office.folder / f"{name}.xml").write_bytes(data)
        refused = office.types("bank", "record", f"{name}.xml")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"licet-registry: {name}.xml: line "), refused.err


def _is_paid(office: Office, mei: Person) -> None:
    """What is payable goes out by the bank, once, to where the artist said."""
    given = ("payout", "set", "--name", "林美", "--country", "DE", "--iban")
    wrong = mei.does(*given, "DE02120300000000202052", code=2)["error"]["message"]
    assert wrong.count("expected an IBAN whose check digits hold") == 1, wrong
    mei.does(*given, "DE02120300000000202051")
    nothing = office.types("remittances", "prepare", "--period", "2025-01", "-o", "none.xml")
    assert (nothing.code, nothing.out) == (0, "nothing to pay of what was credited up to the end of 2025-01\n")
    prepared = office.does("remittances", "prepare", "--period", MONTH, "-o", office.folder / "order.xml")
    (remittance,) = prepared["prepared"]
    assert (remittance["account"], remittance["amount"]) == (mei.account, "22.5")
    assert "<EndToEndId>" in (office.folder / "order.xml").read_text()
    assert mei.types("balance").out == "22.5 USD  on its way to your bank\n"
    took = Booked("22.50", credit=False, reference="C1", end_to_end=remittance["remittance"])
    assert "1 new, 0 known, 0 not booked" in office.books("S3", took).out
    assert "paid on 2026-11-30" in mei.types("remittances", "list").out
    assert mei.types("balance").out == "nothing is owed either way\n"
