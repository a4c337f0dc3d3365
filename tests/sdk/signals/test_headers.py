"""Headers say what they say in every case of their letters; and what a peer lets pass does not pass here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.signals import combine
from licet.signals.readers.headers import MAX_LINES, read_headers
from licet.signals.readers.html import read_html
from licet.signals.strictness import permissions
from licet.terms.atoms import TRAINING

AT = "https://art.example/work/a.png"
NO_TRAINING = dict.fromkeys(TRAINING, "deny")
NO_AI = {**NO_TRAINING, "input": "deny"}


def _said(*headers: tuple[str, str], picture: bool = True) -> dict[str, str]:
    found = 0
    for each in read_headers(headers, AT, picture=picture):
        found |= each.mask
    return {use: said for use, said in permissions(found).items() if said != "unset"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("X-Robots-Tag", "noai", NO_AI),
        ("x-robots-tag", "NoAI", NO_AI),
        ("X-ROBOTS-TAG", "noindex, gptbot: NOAI", {**NO_AI, "search": "deny"}),
        ("X-Robots-Tag", "unavailable_after: 25 Jun 2026 15:00:00 PST, noai", NO_AI),
        ("X-Robots-Tag", "max-snippet: 20, all, nofollow", {}),
        ("Content-Usage", "train-ai=n", {"train-gen": "deny", "finetune-style": "deny"}),
        ("content-usage", "train-ai=n;why=1, other=n, search=y", {
            "search": "allow", "train-gen": "deny", "finetune-style": "deny"
        }),
        ("Content-Usage", "", {}),
        ("Content-Signal", "Search=Yes, AI-TRAIN=no,ai-input=no", {"search": "allow", **NO_AI}),
        ("Content-Signal", "ai-train", dict.fromkeys(TRAINING, "review")),
        ("Content-Signal", "use=reference", {"index": "review", "input": "review"}),
        ("Content-Signal", "use=full", {}),
        ("tdm-reservation", "1", dict.fromkeys([*TRAINING, "mine", "index", "input", "evaluate"], "deny")),
        ("TDM-Reservation", "0", {"mine": "allow"}),
        ("tdm-reservation", "2", dict.fromkeys([*TRAINING, "mine", "index", "input", "evaluate"], "review")),
        ("Link", '</>; rel="license"', {}),
        ("Link", "</rsl.xml>; rel=next", {}),
    ],
)  # fmt: skip
def test_a_header_says(name: str, value: str, expected: dict[str, str]) -> None:
    assert _said((name, value)) == expected


def test_the_drafts_own_examples_of_what_is_unknown() -> None:
    assert _said(("Content-Usage", "train-ai=y, search=n")) == {
        "search": "deny", "train-gen": "allow", "finetune-style": "allow"
    }  # fmt: skip
    assert _said(("Content-Usage", "train-ai;allow=n, train-ai=y")).items() >= {"train-gen": "allow"}.items()
    assert _said(("Content-Usage", 'train-ai;has;parameters="?"')) == {}
    # The draft has this with a semicolon at its end, which is no structured field: somebody looks at it.
    assert set(_said(("Content-Usage", 'train-ai;has;parameters="?";')).values()) == {"review"}
    # All unknown, says the draft; that a denial stood there first is still for somebody to look at.
    assert _said(("Content-Usage", 'train-ai=y, train-ai, search=n, search="n"')) == {"search": "review"}


def test_several_lines_of_one_name_are_read_together() -> None:
    assert _said(("Content-Usage", "train-ai=n"), ("content-usage", "search=n")).keys() == {
        "search", "train-gen", "finetune-style"
    }  # fmt: skip
    taken_back = _said(("Content-Usage", "train-ai=n"), ("Content-Usage", "train-ai=y"))
    assert taken_back == {"train-gen": "review", "finetune-style": "review"}


def test_rules_for_pictures_bind_pictures() -> None:
    assert _said(("X-Robots-Tag", "noimageai"), picture=True) == NO_AI
    assert _said(("X-Robots-Tag", "noimageai"), picture=False) == {}


@pytest.mark.parametrize(
    "value",
    [
        '<https://art.example/rsl.xml>; rel="license"; type="application/rsl+xml"',
        "</rsl.xml>;rel=license;type=application/rsl+xml",
        '</>; rel=next, </rsl.xml>; title="a, b; c"; REL="next License"; Type="Application/RSL+XML; v=1"',
    ],
)
def test_licences_that_are_linked_are_awaited(value: str) -> None:
    (found,) = read_headers([("Link", value)], AT)
    assert found.awaits == "https://art.example/rsl.xml"
    assert {each.verdict for each in combine([found]).uses} == {"deny"}


# In four ways datadiligence 0.1.7 lets everything pass: without a key, for letters of another case, for standards that
# it does not know, and whenever an exception is raised. None of them is a way past here.


def test_nothing_is_asked_of_anybody_so_no_key_can_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPAWNING_OPT_KEY", "LICET_TOKEN", "LICET_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert _said(("X-Robots-Tag", "noai")) == NO_AI


def test_letters_of_another_case_say_the_same() -> None:
    assert _said(("X-ROBOTS-tag", "NOai")) == _said(("x-robots-tag", "noai")) == NO_AI
    assert _said(("TDM-RESERVATION", "1")) == _said(("tdm-reservation", "1"))


def test_standards_that_are_not_robots_rules_count() -> None:
    for name, value in [
        ("Content-Usage", "train-ai=n"),
        ("Content-Signal", "ai-train=no"),
        ("Link", "</r>; rel=license; type=application/rsl+xml"),
    ]:
        assert combine(read_headers([(name, value)], AT)).verdict(["train-gen"]).verdict == "deny"


def test_what_cannot_be_read_is_looked_at_and_raises_nothing() -> None:
    for headers in (
        [("Content-Usage", "train-ai=n,,")],
        [("Content-Usage", "TRAIN-AI=N")],
        [("Content-Usage", "a" * 20_000)],
        [("X-Robots-Tag", "x" * 20_000)],
        [("Link", "<x>")] * (MAX_LINES + 1),
    ):
        found = combine(read_headers(headers, AT))
        assert {each.verdict for each in found.uses} == {"review"}, headers[0][0]


NAMES = st.sampled_from(
    ["Content-Usage", "content-signal", "X-Robots-Tag", "TDM-Reservation", "tdm-policy", "Link", "Content-Type"]
)
VALUES = st.text(st.characters(max_codepoint=0x2FF), max_size=80) | st.from_regex(
    r'(train-ai|search|ai-train|noai|<[a:/\[]*>|rel|type|license|"|;|,|=|:| |y|n|1){0,12}'
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_any_headers_are_read(headers: list[tuple[str, str]]) -> None:
    combine(read_headers(headers, AT))


PAGE = """<!DOCTYPE html><html><head><title>Æ</title>
<META NAME="Robots" CONTENT="NoAI, NoImageAI"><meta name="tdm-policy" content="/p.json">
<meta name="TDM-Reservation" content="1"><link rel="License" type="application/rsl+xml" href="/rsl.xml">
<script type="application/ld+json">{"@type": "ImageObject", "license": "https://cc.example/by",
 "usageInfo": {"@type": "odrl:Policy", "odrl:prohibition": [{"odrl:action": {"@id": "odrl:distribute"}}]}}</script>
<script type="application/rsl+xml"><rsl xmlns="https://rslstandard.org/rsl"><content url=""><license>
<prohibits type="usage">search</prohibits></license></content></rsl></script></head><body></body></html>"""


@pytest.mark.parametrize(
    ("coding", "charset"),
    [
        *(("utf-8", None), ("utf-16", None), ("utf-16", "utf-16"), ("latin-1", "utf-8"), ("utf-8", "x")),
        *(("utf-8", wide) for wide in ("utf-16", "UTF-16LE", "utf-16be", "utf-32", "cp037", "utf-7", "rot13")),
    ],
)
def test_a_page_says_all_of_it_in_any_charset(coding: str, charset: str | None) -> None:
    found = {(each.standard, each.place): each for each in read_html(PAGE.encode(coding), AT, charset=charset)}
    assert found["robots-meta", "meta robots"].said == "NoAI"
    assert found["tdmrep", "meta tdm-reservation"].terms == "https://art.example/p.json"
    assert found["rsl", "link"].awaits == "https://art.example/rsl.xml"
    assert found["schema.org", "script"].terms == "https://cc.example/by"
    assert found["odrl", "script"].said == "prohibition of distribute"
    assert found["rsl", f"{AT} content"].reason == "prohibited"


def test_a_page_that_cannot_be_read_is_looked_at() -> None:
    for page in (
        PAGE.encode() + b" " * (5 << 20),
        PAGE.encode().replace(b"<html>", b"<html>\0"),
        PAGE.encode("utf-16-le"),
        b'<script type="application/ld+json">{"license": </script>',
        b"<script type=application/ld+json>{}</script>" * 200,
    ):
        assert combine(read_html(page, AT)).verdict(["mine"]).verdict in ("review", "deny")
    assert (
        combine(read_html(PAGE.encode("cp037", "replace"), AT, charset="cp037")).verdict(["mine"]).verdict == "review"
    )
    named = PAGE.replace("<title>", '<meta charset="utf-16"><title>').encode()
    assert combine(read_html(named, AT)).verdict(["mine"]).verdict == "deny"
    assert read_html(b"", AT) == read_html(b"<p>nothing", AT) == ()


@given(st.binary(max_size=300))
def test_any_page_is_read(body: bytes) -> None:
    for before in (b"", b"<meta name=robots content=", b'<script type="application/rsl+xml">', b"<link rel=license "):
        combine(read_html(before + body, AT))
