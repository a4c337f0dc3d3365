"""An artist revokes a licence at the command line; its rows must go, and the organisation says what it did."""

from __future__ import annotations

from licet import times
from tests.registry.catalogue import picture
from tests.whole.conftest import People
from tests.whole.stage import Service

USE = ("--use", "train-gen", "--model", "acme/lantern@1")
TERMS = """
preset = "paid"
price = { model = "per-training-run", amount = 0.05, currency = "USD" }

[train-gen]
permission = "license"
price = { model = "per-training-run", amount = 0.05, currency = "USD" }
revocation = { notice_days = 0, effect = "retire-model" }
"""


def test_below_claim_level_2_every_command_says_what_waits_and_a_licence_is_revoked(
    person: People, service: Service
) -> None:
    ben, lab = person("ben").joins("artist", "Ben Osei"), person("studio").joins("organisation", "Studio")
    (ben.home / "terms.toml").write_text(TERMS, encoding="utf-8")
    (ben.home / "1.png").write_bytes(picture(884_502))
    done = ben.does("register", str(ben.home / "1.png"), "--terms", str(ben.home / "terms.toml"))
    lab.does("snapshot", "pull", "--covering", str(done["log_index"]))
    taken = lab.does("filter", str(ben.home / "1.png"), "-o", str(lab.home / "out"), *USE, "--dataset", "lamps",
                     "--accept", "--budget", "1USD")  # fmt: skip
    assert taken["kept"] == 1
    for command in (("licences", "list"), ("revenue", "list"), ("revenue", "shares", "--period", this_month())):
        told = ben.types(*command)
        assert (told.code, "not shown" in told.out or "None is shown." in told.out) == (0, True), told
        assert "Your claim level is 0 of 4" in told.err, told
        assert "`licet claim domain" in told.err, told
    waits = ben.types("balance").out
    assert "0.045 USD  in escrow" in waits
    assert "It waits because your claim level is 0 of 4" in waits
    (charge,) = ben.does("charges", "list")["charges"]
    hidden = ben.types("licences", "show", charge["source"])
    assert (hidden.code, "shown from claim level 2 on; yours is 0" in hidden.err) == (4, True), hidden
    asked = ben.types("licences", "revoke", charge["source"])
    assert "Studio" in asked.err, asked
    assert ben.does("licences", "revoke", charge["source"], "--yes")["duties"]


def this_month() -> str:
    """This month, as commands have it."""
    return f"{times.now():%Y-%m}"


def test_a_licence_is_revoked_rechecked_and_its_duty_stated_done(person: People, service: Service) -> None:
    ada, lab = person("ada").joins("artist", "Ada Rossi"), person("lab").joins("organisation", "Lantern Labs")
    service.office("attest", ada.account, "--level", "2", "--evidence", "her drawings")
    (ada.home / "terms.toml").write_text(TERMS, encoding="utf-8")
    (ada.home / "1.png").write_bytes(picture(884_501))
    done = ada.does("register", str(ada.home / "1.png"), "--terms", str(ada.home / "terms.toml"))
    (lab.home / "in").mkdir()
    (lab.home / "in" / "1.png").write_bytes((ada.home / "1.png").read_bytes())
    lab.does("snapshot", "pull", "--covering", str(done["log_index"]))
    out = str(lab.home / "out")
    taken = lab.does("filter", str(lab.home / "in"), "-o", out, *USE, "--dataset", "lanterns", "--accept", "--budget",
                     "1USD")  # fmt: skip
    assert taken["kept"] == 1
    (licence,) = [each["licence"] for each in ada.does("licences", "list")["licences"]]
    unsure = ada.types("licences", "revoke", licence)
    assert unsure.code == 4
    for line in (
        "Lantern Labs",
        "at once no new run may use the works, and the models trained on them must be retired",
    ):
        assert line in unsure.err, unsure
    assert ada.does("duties")["duties"] == []
    revoked = ada.types("licences", "revoke", licence, "--reason", "No more.", "--yes")
    assert revoked.code == 0, revoked
    for who in (ada, lab):
        (line,) = who.types("licences", "list").out.splitlines()
        assert line.startswith(f"{licence}  acme/lantern@1  1 work  0.05 USD  1 work revoked, held until 20"), line
    again = ada.types("licences", "revoke", licence, "--yes")
    assert (again.code, "was revoked already" in again.err) == (4, True), again

    (duty,) = [each["duty"] for each in lab.does("duties", "--state", "overdue")["duties"]]
    gone = lab.types("recheck", f"{out}.decisions.parquet")
    assert gone.code == 1, gone
    for line in ("licence-revoked", f"due   {duty}  retire-model since"):
        assert line in gone.out, gone
    shown = lab.types("duties", "show", duty)
    assert "She says: No more." in shown.out, shown
    early = lab.types("duties", "done", duty, "--statement", "Long ago.", "--at", "2020-01-01", "--yes")
    assert (early.code, "--at: expected a time from 20" in early.err) == (2, True), early
    stated = lab.types("duties", "done", duty, "--statement", "Version 1 was retired.", "--yes")
    assert stated.code == 0, stated
    assert "states that at" in ada.types("duties", "show", duty).out
    assert (
        "1 use posted"
        not in lab.types(
            "run", "report", "--model", "acme/lantern@1", "--dataset", f"{out}.manifest.json", "--run", "2"
        ).out
    )
    other = lab.does("filter", str(lab.home / "in"), "-o", out, *USE, "--overwrite")
    assert other["kept"] == 0
