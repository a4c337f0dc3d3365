"""What sites say about works against what was signed: looser, silent, unread or stricter, worst first."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from licet.catalogue import comparing
from licet.catalogue.comparing import Compared, Place, compare, listed, write_csv
from licet.errors import InputError
from licet.signals.cache import Cache
from licet.terms import Price, Terms, preset
from tests.sdk.signals.sites import Site, sites

__all__ = ["sites"]

WORK, OTHER = "wrk_00000000000000000000000001", "wrk_00000000000000000000000002"
NO_AI = preset("no-ai")
PAID = preset("paid", Price(model="per-work", amount="1", currency="USD"))


def compared(*places: Place, terms: Terms = NO_AI, cache: Cache | None = None) -> Compared:
    with cache or Cache() as kept:
        return compare(places, {each.work: terms for each in places}, kept, loopback=True)


def kinds(found: Compared) -> dict[str, set[str]]:
    said: dict[str, set[str]] = {}
    for each in found.differences:
        said.setdefault(each.kind, set()).update(each.uses)
    return said


def test_what_a_site_permits_and_was_refused_is_looser_and_named(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nContent-Usage: train-ai=y\n")
    site.says("/a.png", b"x")
    found = compared(Place(WORK, f"{site.url}/a.png"))
    first = found.differences[0]
    assert (first.kind, first.said, first.host, first.by) == ("looser", "allow", "localhost", "aipref in robots.txt")
    assert first.uses["train-gen"] == "deny"
    assert "search" not in kinds(found)["silent"], "what is allowed anyway needs no word"
    assert "input" in kinds(found)["silent"]
    told = "\n".join(found.lines())
    assert f"{site.url}/a.png says allow (aipref in robots.txt), you signed: deny train-gen" in told
    assert found.same == 0


def test_what_an_artist_signed_said_by_the_site_is_the_same_and_more_is_stricter(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nDisallow:\n")
    site.says("/.well-known/tdmrep.json", b'[{"location": "/", "tdm-reservation": 1}]')
    site.says("/a.png", b"x", X_Robots_Tag="noai, noindex")
    same = compared(Place(WORK, f"{site.url}/a.png"))
    assert "looser" not in kinds(same)
    assert {"train-gen", "train-nongen", "mine", "input"}.isdisjoint(kinds(same).get("silent", set()))
    stricter = compared(Place(WORK, f"{site.url}/a.png"), terms=PAID)
    assert "train-gen" in kinds(stricter)["stricter"]


def test_a_site_that_cannot_be_read_is_for_somebody_to_look_at(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"", 503)
    found = compared(Place(WORK, f"{site.url}/a.png"))
    assert set(kinds(found)) == {"unread"}


def test_hosts_that_are_not_reached_said_nothing(tmp_path: Path) -> None:
    places = [Place(WORK, f"http://{host}/a.png") for host in ("127.0.0.1:1", "nowhere.invalid", "10.0.0.1")]
    with Cache() as cache:
        found = compare(places, {WORK: NO_AI}, cache)
    assert found.same == 0
    assert [(each.kind, each.host, each.said, each.by) for each in found.differences] == [
        ("unreached", host, "nothing", None) for host in ("10.0.0.1", "127.0.0.1", "nowhere.invalid")
    ]
    told = "\n".join(found.lines())
    assert "Not reached, so nobody knows what is said there:" in told
    assert "http://127.0.0.1:1/robots.txt: 127.0.0.1 is not on the public internet" in told
    assert "http://nowhere.invalid/robots.txt: the name nowhere.invalid has no address" in told
    assert "cannot be read" not in told
    assert " says " not in told
    write_csv(tmp_path / "found.csv", found.differences)
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text("utf-8").splitlines()))
    assert [row["problem"] for row in rows] == [each.problem for each in found.differences]


def test_what_a_reached_site_says_holds_where_the_picture_is_not_reached(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nContent-Usage: train-ai=n\n")
    site.says("/a.png", b"", 302, Location="http://nowhere.invalid/a.png")
    found = compared(Place(WORK, f"{site.url}/a.png"))
    assert kinds(found).keys() == {"unreached"}
    assert "train-gen" not in kinds(found)["unreached"], "denied there, as it was signed"
    assert found.differences[0].problem == (
        "http://nowhere.invalid/robots.txt: the name nowhere.invalid has no address"
    )


def test_hosts_are_asked_once_and_a_job_that_was_stopped_goes_on_from_its_cache(
    sites: list[Site], tmp_path: Path
) -> None:
    site, other = sites
    for each in sites:
        each.says("/robots.txt", b"User-agent: *\nContent-Usage: train-ai=y\n")
        each.says("/a.png", b"x")
    places = [Place(WORK, f"{site.url}/a.png"), Place(OTHER, f"{site.url}/a.png"), Place(OTHER, f"{other.url}/a.png")]
    first = compared(*places, cache=Cache(tmp_path / "kept.sqlite"))
    assert first.places == 3
    assert site.count("/a.png") == 1
    again = compared(*places, cache=Cache(tmp_path / "kept.sqlite"))
    assert again == first
    assert site.count("/robots.txt") == 1


def test_a_list_names_works_where_there_are_several_and_its_lines_where_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"url,work\n# seen in a search\nhttps://x.example/1,{WORK}\n\nhttps://x.example/2 , {OTHER}\n")
    assert listed(file, [WORK, OTHER]) == [Place(WORK, "https://x.example/1"), Place(OTHER, "https://x.example/2")]
    file.write_text("https://x.example/1\n")
    assert listed(file, [WORK]) == [Place(WORK, "https://x.example/1")]
    for text, told in (
        ("https://x.example/1", "line 1: expected an address, and one of the works"),
        (f"https://x.example/1,{WORK}\nftp://x.example/1,{WORK}", "line 2: "),
        ("https://x.example/1,wrk_x", "got 'https://x.example/1,wrk_x'"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=r"list\.csv") as caught:
            listed(file, [WORK, OTHER])
        assert told in caught.value.message
    for content in (b"\xff\xfe\x00", b"\0"):
        file.write_bytes(content)
        with pytest.raises(InputError):
            listed(file, [WORK, OTHER])
    with pytest.raises(InputError, match="expected a list of addresses"):
        listed(tmp_path / "none.csv", [WORK])


def test_a_table_of_differences_is_inert_and_written_over_nothing(sites: list[Site], tmp_path: Path) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nContent-Usage: train-ai=y\n")
    found = compared(Place(WORK, f"{site.url}/a.png"))
    write_csv(tmp_path / "found.csv", found.differences)
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text("utf-8").splitlines()))
    assert rows[0]["kind"] == "looser"
    assert "train-gen=deny" in rows[0]["signed"].split()
    assert rows[0]["problem"] == ""
    assert comparing._inert("=1+1") == "'=1+1"
    assert len(rows) == len(found.differences)
    with pytest.raises(InputError, match="expected a new file"):
        write_csv(tmp_path / "found.csv", found.differences)
