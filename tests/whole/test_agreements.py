"""An organisation asks an artist, she offers, it accepts, and its filter keeps the picture; at the command line."""

from __future__ import annotations

from tests.registry.catalogue import picture
from tests.whole.conftest import People

USE = ("--use", "train-gen", "--model", "acme/lantern@1")


def test_what_an_artist_offers_is_taken_and_kept_by_the_next_filter(person: People) -> None:
    ada, lab = person("ada").joins("artist", "Ada Rossi"), person("lab").joins("organisation", "Lantern Labs")
    for number in (1, 2):
        (ada.home / f"{number}.png").write_bytes(picture(884_410 + number))
    monthly = 'model = "subscription", amount = 5, currency = "USD", period = "P1M"'
    for number, price in ((1, 'model = "negotiate"'), (2, monthly)):
        terms = ada.home / f"{number}.toml"
        rule = f'permission = "license"\nprice = {{ {price} }}\naudience = ["commercial", "research"]\n'
        terms.write_text(f'preset = "paid"\nprice = {{ {price} }}\n[train-gen]\n{rule}', encoding="utf-8")
        ada.does("register", str(ada.home / f"{number}.png"), "--terms", str(terms))
    works = {each["title"]: each["work"] for each in ada.does("works", "list")["works"]}
    (lab.home / "in").mkdir()
    for number in (1, 2):
        (lab.home / "in" / f"{number}.png").write_bytes((ada.home / f"{number}.png").read_bytes())
    index = str(max(each["log_index"] for each in ada.does("works", "list")["works"]))
    lab.does("snapshot", "pull", "--covering", index)
    out = str(lab.home / "out")
    before = lab.does("filter", str(lab.home / "in"), "-o", out, *USE, "--decisions", "all")
    assert before["counts"]["license"] == 2
    assert before["kept"] == 0
    unasked = lab.types("licences", "request", works["1"], *USE)
    assert unasked.code == 4
    assert "nobody was asked" in unasked.err
    asked = lab.types("licences", "request", works["1"], *USE, "--message", "We would like to.", "--yes")
    assert asked.code == 0, asked
    (found,) = ada.does("licences", "requests", "--state", "open")["requests"]
    ask = found["request"]
    assert ada.types("licences", "requests").err.startswith("1 request waits for you: ")
    shown = ada.types("licences", "requests", "show", ask)
    for line in ("waits for the artist", "asks for train-gen, commercial", "It says: We would like to.", works["1"]):
        assert line in shown.out, shown
    unsure = ada.types("licences", "requests", "offer", ask, "--price", "2", "--currency", "usd", "--notice-days", "1",
                       "--ends", "2031-01-01")  # fmt: skip
    assert unsure.code == 4
    for line in ("you offer 2.00 USD a work, which stands for 30 days", "the licence ends 2031-01-01",
                 "obliges to stop-new-runs after 1 day of notice"):  # fmt: skip
        assert line in unsure.err, unsure
    offered = ada.types("licences", "requests", "offer", ask, "--price", "2", "--currency", "usd", "--yes")
    assert offered.code == 0, offered
    dear = lab.types("licences", "requests", "accept", ask, "--budget", "1USD", "--yes")
    assert dear.code == 1, dear
    taken = lab.types("licences", "requests", "accept", ask, "--budget", "2USD", "--yes")
    assert "due at once: 2.00 USD" in taken.out, taken
    assert "2.00 USD a work" in taken.out
    unsure = lab.types("licences", "agree", works["1"], works["2"], *USE)
    assert unsure.code == 4
    (licence,) = [each["licence"] for each in lab.does("licences", "list")["licences"]]
    for line in ("5.00 USD a work and period, every P1M, for 1 work:", works["2"],
                 "on the condition, in the artist's words: only for commercial use or research",
                 "Due at once: nothing", f"{works['1']}  left out: {licence} covers it already",
                 "Agree to this for 1 work"):  # fmt: skip
        assert line in unsure.err, unsure
    subscribed = lab.does("licences", "agree", works["2"], *USE, "--yes")
    assert subscribed["quote"]["totals"] == [{"amount": "0", "currency": "USD", "works": 1}]
    after = lab.does("filter", str(lab.home / "in"), "-o", out, *USE, "--overwrite")
    assert after["kept"] == 2
    assert [each["state"] for each in lab.does("licences", "requests")["requests"]] == ["accepted"]
    assert "agreement" in lab.types("licences", "list").out
    again = lab.types("licences", "request", f"{out}.decisions.parquet", works["2"], *USE)
    assert (again.code, "Nothing is left to ask for" in again.out) == (0, True), again
    assert "covers 1 work already, not asked for again: " + works["2"] in again.out
    nothing = lab.types("licences", "agree", works["2"], *USE)
    assert (nothing.code, nothing.out.endswith("covers it already\nNothing was taken.\n")) == (0, True), nothing
    refused = ada.types("licences", "requests", "refuse", ask, "--yes")
    assert "the offer was accepted" in refused.err
    other = lab.does("filter", str(lab.home / "in"), "-o", out, "--use", "train-gen", "--model", "acme/lantern@2",
                     "--overwrite")  # fmt: skip
    assert other["kept"] == 0
    anew = ("--use", "train-gen", "--model", "acme/lantern@2")
    sent = lab.does("licences", "request", works["1"], *anew, "--yes")["requests"]
    ask = sent[0]["request"]["request"]
    figures = ("--price", "2", "--currency", "usd", "--yes")
    ada.does("licences", "requests", "offer", ask, *figures)
    unsure = lab.types("licences", "requests", "refuse", ask)
    assert (unsure.code, "The artist offers 2.00 USD a work" in unsure.err) == (4, True), unsure
    declined = lab.does("licences", "requests", "refuse", ask, "--message", "Too dear.", "--yes")
    assert declined["request"]["state"] == "declined"
    shown = ada.types("licences", "requests", "show", ask)
    for line in ("the offer was declined", "says: Too dear.", "offers a price"):
        assert line in shown.out, shown
    ada.does("licences", "requests", "offer", ask, *figures)
    assert "an offer stands until" in lab.types("licences", "requests", "withdraw", ask, "--yes").err
    back = ada.types("licences", "requests", "withdraw", ask, "--yes")
    assert (back.code, "the artist took the offer back" in back.out) == (0, True), back
    assert "expected an offer that stands" in ada.types("licences", "requests", "withdraw", ask, "--yes").err
    over = lab.types("licences", "requests", "withdraw", ask, "--yes")
    assert (over.code, "was taken back by who asked" in over.out) == (0, True), over
    late = ada.types("licences", "requests", "offer", ask, *figures)
    assert (late.code != 0, "the request was taken back" in late.err) == (True, True), late
