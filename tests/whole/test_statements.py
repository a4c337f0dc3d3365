"""A month on paper and as a page, at the command line, of a real registry; and what an auditor states of one."""

from __future__ import annotations

from licet import times
from tests.registry.catalogue import picture
from tests.whole.conftest import People
from tests.whole.stage import Service

USE = ("--use", "train-gen", "--model", "acme/paper@1")


def test_an_account_writes_its_month_down(person: People) -> None:
    ada, lab = person("ada-paper").joins("artist", "Ada Rossi"), person("lab-paper").joins("organisation", "Paper Labs")
    month = times.to_text(times.now())[:7]
    nil = lab.types("balance", "--statement", month, "-o", "nil.html")
    assert nil.code == 0, nil
    assert f"The statement for {month} is in nil.html: 0 postings." in nil.out
    assert "Nothing happened in this month" in (lab.folder / "nil.html").read_text("utf-8")
    (ada.home / "1.png").write_bytes(picture(884_511))
    ada.does("register", str(ada.home / "1.png"), "--preset", "paid", "--price", "5", "--currency", "USD")
    (work,) = ada.does("works", "list")["works"]
    lab.does("snapshot", "pull", "--covering", str(work["log_index"]))
    asked = lab.types("licences", "request", work["work"], *USE, "--yes")
    assert asked.code == 0, asked
    (found,) = ada.does("licences", "requests", "--state", "open")["requests"]
    ada.does("licences", "requests", "offer", found["request"], "--price", "2", "--currency", "usd", "--yes")
    lab.does("licences", "requests", "accept", found["request"], "--budget", "2USD", "--yes")
    for who, side, net in ((ada, "escrow", "-1.8"), (lab, "receivable", "2")):
        told = who.does("balance", "--statement", month, "-o", "paper.pdf")
        assert (told["verified"], told["state"], told["postings"], told["placed"]) == (True, "open", 1, [])
        assert [(each["account"].partition(":")[0], each["closing"]) for each in told["balances"]] == [(side, net)]
        assert (who.folder / "paper.pdf").read_bytes().startswith(b"%PDF-")
        page = who.types("balance", "--statement", month, "-o", "paper.html")
        assert page.code == 0, page
        text = (who.folder / "paper.html").read_text("utf-8")
        for said in (
            "The month is open",
            "2.00" if who is lab else "1.80",
            "statements/licence/lic_" if who is lab else "lic_",
            "checks hold",
        ):
            assert said in text, said
    again = lab.types("balance", "--statement", month, "-o", "paper.html")
    assert again.code == 2
    assert "paper.html" in again.err
    other = lab.types("balance", "--statement", "2026-13", "-o", "other.html")
    assert other.code == 2
    assert "a month such as 2026-11" in other.err
    lab.does("audit", "pull", "--period", month, "-o", "evidence.zip")
    checks = lab.types("audit", "verify", "evidence.zip")
    assert checks.code == 0, checks
    assert "prices-agreed: 1 line at the price of an artist's signed answer" in checks.out
    traced = lab.types("trace", work["work"], "--evidence", "evidence.zip")
    assert traced.code == 0, traced
    assert f"{work['work']}: 1 use in 1 month of evidence" in traced.out
    assert "per-work 2.00 USD" in traced.out
    assert "licence-answer stm_" in traced.out
    own = ada.does("trace", str(ada.home / "1.png"))
    assert own["works"] == [work["work"]]
    assert [(each["period"], each["shown"]) for each in own["months"]] == [(month, False)]
    unseen = ada.types("trace", work["work"]).out
    said = f"{work['work']}: 1 month of evidence; uses are not shown below claim level 2 (`licet claim`)"
    assert unseen.splitlines()[:2] == [said, f"  {month}: not shown"]
    lab.does("audit", "report", "evidence.zip", "-o", "report.html")
    assert "duties" not in (lab.folder / "report.html").read_text("utf-8")


def test_an_auditor_states_a_finding_that_only_those_concerned_read(person: People, service: Service) -> None:
    lab, other = person("lab-found").joins("organisation", "Found Labs"), person("ada-found").joins("artist", "Ada")
    auditor, month = person("auditor-found"), times.to_text(times.now())[:7]
    auditor.environment["LICET_TOKEN"] = service.office("invite", "--role", "auditor", "--name", "Ola Berg")["token"]
    assert auditor.does("audit", "findings")["findings"] == []
    assert "disputes" in auditor.does("disputes", "list")  # without an account in the profile
    (auditor.folder / "shown.txt").write_text("what was seen", "utf-8")
    concerned = lab.account
    given = ("--concerns", concerned, "--period", month, "--check", "event-effects")
    full = ("audit", "finding", "one run too few", *given, "--evidence", "shown.txt", "--examined", "7")
    unsure = auditor.types(*full)
    assert (unsure.code, f"{concerned}, {month}: event-effects, 1 of 7" in unsure.err) == (4, True), unsure
    assert auditor.does("audit", "findings")["findings"] == []
    named = ("audit", "finding", "x", "--concerns", concerned, "--period", month, "--yes", "--check")
    for misnames, near in (("event-amount", "event-amounts"), ("balances --about books", "dst_ or bat_")):
        misnamed = auditor.types(*named, *misnames.split())
        assert (misnamed.code, near in misnamed.err) == (2, True), misnamed
    found = auditor.types(*full, "--yes")
    assert found.code == 0, found
    assert f"{concerned} is told of it." in found.out
    for who in (auditor, lab):
        told = who.types("audit", "findings", "--period", month)
        assert told.code == 0, told
        assert f"{concerned}: event-effects, by " in told.out
        assert "1 of 7: one run too few" in told.out
    assert other.types("audit", "findings").out == "No auditor has found anything.\n"
    refused = lab.types("audit", "finding", "of myself", *given)
    assert (refused.code, "expected an auditor's token" in refused.err) == (4, True), refused
    wrong = auditor.types("audit", "finding", "x", "--concerns", "org_01", "--period", month, "--check", "x")
    assert (wrong.code, "concerns" in wrong.err) == (2, True), wrong
