"""The kit for a site: each of its files, read as crawlers read it, is never looser than the terms."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError
from licet.signals import combined_mask
from licet.signals.combining import with_policy
from licet.signals.readers.ai_txt import read_ai_txt
from licet.signals.readers.headers import read_headers
from licet.signals.readers.html import read_html
from licet.signals.readers.odrl import read_odrl
from licet.signals.readers.robots_txt import read_robots
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import read_tdmrep
from licet.signals.strictness import permission_on
from licet.signals.types import Signal
from licet.signals.writers import Subject
from licet.signals.writers.kit import README, archive, kit, site_of
from licet.signals.writers.written import looser, signed
from licet.terms import ATOMS, Terms, preset
from licet.terms.rules import DENY
from tests.sdk.signals.test_writers import _SUBJECTS

SITE = "https://ada.example"
AT = f"{SITE}/works/heron.png"


def lines_of(place: str, text: str) -> list[tuple[str, str]]:
    """What a server sends that has this in its configuration."""
    if place.endswith("nginx.conf"):
        return re.findall(r"^add_header (\S+) '([^']*)' always;$", text, re.MULTILINE)
    if place.endswith("apache.conf"):
        found = re.findall(r'^Header always set (\S+) "((?:[^"\\]|\\.)*)"$', text, re.MULTILINE)
        return [(name, value.replace('\\"', '"').replace("%%", "%")) for name, value in found]
    assert text.startswith("/*\n")
    return [(name.strip(), value) for name, _, value in (line.partition(": ") for line in text.splitlines()[1:])]


def read(files: dict[str, bytes], place: str) -> tuple[Signal, ...]:
    body = files[place]
    if place.startswith("servers/"):
        found = read_headers(lines_of(place, body.decode()), AT, picture=True)
    elif place == "robots.txt":
        found = read_robots(body, AT)
    elif place == "ai.txt":
        found = read_ai_txt(body, AT)
    elif place == ".well-known/tdmrep.json":
        found = read_tdmrep(body, AT)
    elif place.endswith(".html"):
        found = read_html(body, AT, picture=True)
    elif place == "licet/rsl.xml":
        found = read_rsl(body, AT, at=f"{SITE}/{place}")
    else:
        return ()
    whole: list[Signal] = []
    for each in found:
        target = (each.awaits or "").removeprefix(f"{SITE}/")
        if target == "licet/rsl.xml":
            whole += read_rsl(files[target], AT, at=each.awaits or "")
        elif target == "licet/tdm-policy.json":
            whole += with_policy(each, read_odrl(files[target], at=each.awaits or ""))
        else:
            assert not each.awaits
            whole.append(each)
    return tuple(whole)


@given(_SUBJECTS, st.sampled_from([None, SITE]), st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_file_of_the_kit_is_looser_than_the_terms(subject: Subject, site: str | None, silent: bool) -> None:
    if silent:
        rules = {**subject.terms.rules, "search": preset("no-ai").rules["generate"]}
        subject = Subject(terms=Terms(rules), artist=subject.artist, unsaid=frozenset({"search"}))
    files = kit(subject, site)
    masks = []
    for place in files:
        signals = read(files, place)
        assert not [each for each in signals if each.unreadable], place
        masks.append(combined_mask(signals))
        assert not looser(masks[-1], signed(subject.terms)), place
        if silent and place in ("robots.txt", "servers/_headers") and site is None:
            assert permission_on(masks[-1], "search") == "unset"
    for use in ("train-gen", "train-nongen", "finetune-style", "input", "mine"):
        if subject.terms.rules[use].permission == "deny":
            assert any(permission_on(mask, use) == "deny" for mask in masks)
    assert set(json.loads(files["licet/terms.json"])["terms"]) == set(ATOMS)


def test_the_archive_holds_every_file_and_is_the_same_again() -> None:
    files = kit(Subject(terms=preset("no-ai")), SITE)
    made = archive(files)
    assert made == archive(kit(Subject(terms=preset("no-ai")), SITE))
    with zipfile.ZipFile(io.BytesIO(made)) as held:
        assert held.testzip() is None
        assert {name: held.read(name) for name in held.namelist()} == files
    assert README in files
    assert b"License: https://ada.example/licet/rsl.xml" in files["robots.txt"]
    assert b"https://" not in kit(Subject(terms=preset("no-ai")))["robots.txt"]


def test_words_for_people_leave_out_what_is_left_unsaid() -> None:
    denied = Terms(dict.fromkeys(ATOMS, DENY))
    for unsaid, said in ((frozenset(), True), (frozenset({"search"}), False)):
        files = kit(Subject(terms=denied, unsaid=unsaid))
        assert ("search results" in files["licet/terms.html"].decode()) == said
        assert ("unsaid" in json.loads(files["licet/terms.json"])) != said


@pytest.mark.parametrize(
    ("given", "site"),
    [
        ("https://Ada.example/", SITE),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://画.example", "https://xn--gfz.example"),
    ],
)
def test_a_site_is_named_by_its_origin(given: str, site: str) -> None:
    if "xn--" in site:
        site = "https://" + "画.example".encode("idna").decode()
    assert site_of(given) == site


@pytest.mark.parametrize(
    "given",
    ["", "ada.example", "ftp://ada.example", "https://", "https://ada.example/blog", "https://ada.example?x",
     "https://me@ada.example", "https://ada.example:x", "https://a'b.example", "https://a$b.example",
     "https://a b.example", "https://ada.example\nX: y", "https://[::1", "https://" + "a" * 400 + ".example"],
)  # fmt: skip
def test_what_is_no_site_is_refused_by_name(given: str) -> None:
    with pytest.raises(InputError, match="at: expected the address of a site"):
        site_of(given)
