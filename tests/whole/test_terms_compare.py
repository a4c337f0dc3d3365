"""What the web says about an artist's works, against what she signed, as she types it."""

from __future__ import annotations

from tests.registry.catalogue import picture
from tests.sdk.signals.sites import Site, sites
from tests.whole.conftest import People

__all__ = ["sites"]
LOOPBACK = {"LICET_SIGNALS_LOOPBACK": "1"}


def test_sites_that_say_less_than_was_signed_are_listed(person: People, sites: list[Site]) -> None:
    site, silent = sites
    site.says("/robots.txt", b"User-agent: *\nContent-Signal: ai-train=yes, search=yes\n")
    for each in sites:
        each.says("/goldfish.png", b"x")
    ada, bea = person("ada-compare").joins("artist", "Ada Rossi"), person("bea-compare").joins("artist", "Bea")
    file = ada.home / "1.png"
    file.write_bytes(picture(884_714))
    ada.does("register", str(file), "--preset", "no-ai")
    (work,) = (each["work"] for each in ada.does("works", "list")["works"])
    seen = ada.folder / "seen.csv"
    seen.write_text(f"{site.url}/goldfish.png\n{silent.url}/goldfish.png,{work}\n")

    done = ada.does("terms", "compare", work, "--also", seen, "--csv", "found.csv", code=1, **LOOPBACK)
    assert (done["places"], done["same"]) == (2, 0)
    first = done["differences"][0]
    assert (first["kind"], first["said"], first["uses"]["train-gen"]) == ("looser", "allow", "deny")
    assert first["by"] == "content-signals in robots.txt"
    assert any(each["kind"] == "silent" and each["url"].startswith(silent.url) for each in done["differences"])
    assert (
        (ada.folder / "found.csv")
        .read_text()
        .startswith("kind,host,url,work,said,uses,signed,by,problem\nlooser,localhost")
    )
    told = ada.types("terms", "compare", "--all", "--also", seen, **LOOPBACK)
    assert (told.code, "Looser than you signed." in told.out) == (1, True), told
    assert site.count("/robots.txt") == 1, "what was fetched lately is kept"

    for typed, said in (
        ((), "works: expected either works or --all, got neither"),
        ((work,), "works: expected works with addresses, or --also FILE, got neither"),
        ((work, "--also", "none.csv"), "none.csv: expected a list of addresses"),
        ((work, "--also", seen, "--csv", "found.csv"), "nothing is written over"),
    ):
        refused = ada.types("terms", "compare", *typed, **LOOPBACK)
        assert (refused.code, said in refused.err) == (2, True), refused
    assert bea.types("terms", "compare", work, "--also", seen, **LOOPBACK).code != 0
