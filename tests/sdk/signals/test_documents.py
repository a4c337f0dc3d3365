"""Documents that say what may be done: RSL, tdmrep.json, ai.txt, ODRL, TDM·AI, Croissant."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import MalformedError
from licet.signals import Signal, combine
from licet.signals.documents import loads, parse_xml
from licet.signals.files import read_file
from licet.signals.readers.ai_txt import read_ai_txt
from licet.signals.readers.odrl import read_odrl, read_tdmai
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import read_tdmrep
from licet.signals.strictness import permissions
from licet.terms.atoms import ATOMS, TRAINING

AT = "https://art.example/work/a.png"


def said(signals: tuple[Signal, ...]) -> dict[str, str]:
    found = 0
    for each in signals:
        found |= each.mask
    return {use: permission for use, permission in permissions(found).items() if permission != "unset"}


def rsl(licence: str, url: str = "/", attributes: str = "", root: str = "") -> bytes:
    return (
        f'<rsl xmlns="https://rslstandard.org/rsl" {root}><content url="{url}" {attributes}>{licence}</content></rsl>'
    ).encode()


def licensed(licence: str, **given: str) -> dict[str, str]:
    return said(read_rsl(rsl(f"<license>{licence}</license>", **given), AT, at="https://art.example/rsl.xml"))


AI_ALL = {*TRAINING, "input", "index", "evaluate", "generate"}


def test_rsl_prohibits_beats_permits_and_what_is_not_permitted_is_not_licensed() -> None:
    assert licensed('<prohibits type="usage">ai-all</prohibits>') == dict.fromkeys(AI_ALL, "deny") | {}
    both = licensed('<permits type="usage">ai-train search</permits><prohibits type="usage">ai-train</prohibits>')
    assert {use for use, each in both.items() if each == "deny"} >= set(TRAINING)
    assert both["search"] == "allow"
    only = licensed('<permits type="usage">search</permits>')
    assert only == {use: "allow" if use == "search" else "deny" for use in ATOMS}


def test_rsl_payments_and_conditions_make_offers() -> None:
    for paid in (
        '<payment type="training"><amount currency="USD">5</amount></payment>',
        '<payment type="attribution"/>',
        '<payment><amount currency="EUR">0.01</amount></payment>',
        '<permits type="user">non-commercial</permits>',
        '<prohibits type="geo">US</prohibits>',
    ):
        offered = licensed(f'<permits type="usage">ai-train</permits>{paid}')
        assert offered["train-gen"] == "license", paid
        assert "finetune-style" not in offered, "not every reading of ai-train covers it"
        assert offered["search"] == "deny"
    assert licensed('<permits type="usage">ai-train</permits><payment type="free"/>')["train-gen"] == "allow"
    assert licensed('<permits type="usage">ai-train</permits>', attributes='server="https://s.example"')[
        "train-gen"
    ] == "license"  # fmt: skip
    assert set(licensed('<payment type="purchase"/>').values()) == {"license"}
    assert licensed("") == {}


def test_rsl_is_read_liberally_and_strictly_where_it_is_not_understood() -> None:
    for tokens in ("ai-train,search", " AI-Train | train-ai ", "ai-training\nsearch"):
        assert licensed(f"<prohibits>{tokens}</prohibits>")["train-gen"] == "deny"
    assert set(licensed('<prohibits type="usage">telepathy</prohibits>').values()) == {"review"}
    reporting = '<permits type="usage">all</permits><reporting profile="https://r.example/1"/>'
    assert set(licensed(reporting).values()) == {"deny"}
    alternatives = rsl(
        '<license><permits type="usage">search</permits></license>'
        '<license><permits type="usage">ai-train</permits><payment type="training"/></license>'
    )
    found = said(read_rsl(alternatives, AT, at=""))
    assert (found["search"], found["train-gen"], found["input"]) == ("allow", "license", "deny")


def test_rsl_of_the_longest_address_that_covers_it_counts_and_says_how_old_it_may_get() -> None:
    body = (
        b'<rsl xmlns="https://rslstandard.org/rsl" max-age="30"><content url="/"><license><prohibits>all</prohibits>'
        b'</license></content><content url="/work/*.png$"><license><permits>all</permits></license></content>'
        b'<content url="https://other.example/work/a.png"><license><prohibits>search</prohibits></license></content></rsl>'
    )
    (found, *_) = read_rsl(body, AT, at="https://art.example/rsl.xml")
    assert (found.reason, found.max_age, found.terms) == ("permitted", 30 * 86_400, "https://art.example/rsl.xml")
    assert read_rsl(body, "https://art.example/b", at="")[0].reason == "prohibited"
    assert read_rsl(rsl("", url="/other/"), AT, at="")[0].reason == "not-covered"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rsl",
        b"<rss/>",
        b'<!DOCTYPE r [<!ENTITY a "b">]>' + rsl("<license/>"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r [<!ENTITY a "b">]><rsl><content/></rsl>').encode("utf-16"),
        rsl("<license/>")[:-20],
        b"<a>" * 300 + b"</a>" * 300,
        b"<a>" + b"<b/>" * 200_001 + b"</a>",
        b"<a>" + b" " * (9 << 20) + b"</a>",
        rsl("<license>\xff</license>").replace("\xff".encode(), b"\xff"),
    ],
)
def test_rsl_that_cannot_be_read_licenses_nothing(body: bytes) -> None:
    assert set(said(read_rsl(body, AT, at="")).values()) == {"deny"}


def test_a_bomb_of_entities_is_refused_before_it_is_expanded() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    for coding in ("utf-8", "utf-16"):
        bomb = f'<!DOCTYPE rsl [<!ENTITY a0 "aaaaaaaaaa">{entities}]><rsl b="&a11;">&a11;</rsl>'.encode(coding)
        started = time.process_time()
        with pytest.raises(MalformedError):
            parse_xml(bomb, "RSL")
        assert time.process_time() - started < 2


def test_nothing_outside_is_loaded(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("telepathy")
    body = f'<!DOCTYPE r [<!ENTITY s SYSTEM "{secret.as_uri()}">]><rsl><content>&s;</content></rsl>'
    assert "telepathy" not in str(read_rsl(body.encode("utf-16"), AT, at=""))


TDMREP = {
    "rules": [
        {"location": "/work/private/*", "tdm-reservation": 0},
        {"location": "/work/*.png$", "tdm-reservation": 1, "tdm-policy": "/policy.json"},
        {"location": "/", "tdm-reservation": 0},
    ]
}
MINING = {*TRAINING, "mine", "index", "input", "evaluate"}


def test_tdmrep_the_first_location_that_matches_counts() -> None:
    body = json.dumps(TDMREP["rules"]).encode()
    (found,) = read_tdmrep(body, AT)
    assert (said((found,)), found.awaits) == (dict.fromkeys(MINING, "deny"), "https://art.example/policy.json")
    assert said(read_tdmrep(body, "https://art.example/work/private/a.png")) == {"mine": "allow"}
    assert said(read_tdmrep(body, "https://art.example/work/a.pngx")) == {"mine": "allow"}
    assert read_tdmrep(b"[]", AT) == ()


def test_the_example_of_the_tdmrep_report() -> None:
    body = (
        b'[{"location": "/directory-a/", "tdm-reservation": 1}, '
        b'{"location": "/directory-b/html/", "tdm-reservation": 1, '
        b'"tdm-policy": "https://provider.com/policies/policy.json"}, '
        b'{"location": "/directory-b/images/*.jpg", "tdm-reservation": 0}]'
    )

    def at(path: str) -> list[tuple[str, str | None]]:
        return [(each.said[:18], each.terms) for each in read_tdmrep(body, "https://provider.com" + path)]

    assert at("/directory-a/x.html") == [("tdm-reservation: 1", None)]
    assert at("/directory-b/html/x") == [("tdm-reservation: 1", "https://provider.com/policies/policy.json")]
    assert at("/directory-b/images/x.jpg") == [("tdm-reservation: 0", None)]
    assert at("/directory-b/images/x.png") == at("/Directory-A/") == []
    assert said(read_tdmrep(b'[{"location": "/%77ork/", "tdm-reservation": 1}]', AT))["mine"] == "deny"


def test_tdmrep_is_read_leniently() -> None:
    # The comma too many stands in an example of the report itself.
    assert said(read_tdmrep(b'\xef\xbb\xbf[{"location": "/", "tdm-reservation": 1,},]', AT))["mine"] == "deny"
    assert said(read_tdmrep(b'{"location": "/*", "tdm-reservation": "1"}', AT))["mine"] == "deny"
    assert said(read_tdmrep(b'[{"location": ",]/", "tdm-reservation": 0},{"location": "*", "tdm-reservation": 1}]', AT))
    assert said(read_tdmrep(b'[{"location": "work", "tdm-reservation": true}]', AT))["mine"] == "deny"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"7", b"[" * 100_000, b"[7]", b'[{"location": 1, "tdm-reservation": 1}]', b" " * (1 << 21),
        b'[{"location": "/", "tdm-reservation": 7}]', b"\xff\xfe[", b'[{"location":"/","tdm-reservation":"\xff"}]',
    ],
)  # fmt: skip
def test_tdmrep_that_cannot_be_read_is_looked_at(body: bytes) -> None:
    assert combine(read_tdmrep(body, AT)).verdict(["mine"]).verdict == "review"


def test_ai_txt_speaks_of_endings() -> None:
    body = b"# Spawning\nUser-Agent: *\nDisallow: *.png\nAllow: *.txt\nDisallow: /\n"
    assert said(read_ai_txt(body, AT)) == dict.fromkeys(TRAINING, "deny")
    assert said(read_ai_txt(body, "https://art.example/a.txt")) == {}
    assert said(read_ai_txt(b"User-agent: gptbot\nDisallow: /", AT))["train-gen"] == "deny"
    assert combine(read_ai_txt(b"Disallow\0: /", AT)).verdict(["mine"]).verdict == "review"


def _odrl(**policy: Any) -> tuple[Signal, ...]:
    return read_odrl(json.dumps({"@type": "Offer", **policy}).encode(), at="https://art.example/p")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"prohibition": {"action": "use"}}, dict.fromkeys(ATOMS, "deny")),
        ({"odrl:prohibition": [{"odrl:action": {"@id": "odrl:distribute"}}]}, {"redistribute": "deny"}),
        ({"prohibition": [{"action": ["http://x.example/ai#gen-ai"]}]}, {
            "train-gen": "deny", "finetune-style": "deny"
        }),
        ({"prohibition": [{"action": "aiTraining"}]}, dict.fromkeys(TRAINING, "deny")),
        ({"permission": [{"action": "ai-training"}]}, {"train-nongen": "allow"}),
        ({"permission": [{"action": "index", "duty": {"action": "attribute"}}]}, {"index": "license"}),
        ({"permission": [{"action": "index", "constraint": [{"leftOperand": "purpose"}]}]}, {"index": "license"}),
        ({"permission": [{"action": [{"rdf:value": {"@id": "odrl:index"}, "refinement": [{}]}]}]}, {
            "index": "license"
        }),
        ({"permission": [{"action": "index"}], "obligation": [{"action": "pay"}]}, {"index": "license"}),
        ({"permission": [{"action": "telepathy"}]}, {}),
        ({"prohibition": [{"action": "telepathy"}]}, dict.fromkeys(ATOMS, "review")),
    ],
)  # fmt: skip
def test_odrl_policies(policy: dict[str, Any], expected: dict[str, str]) -> None:
    assert said(_odrl(**policy)) == expected


def test_odrl_that_is_none_is_looked_at() -> None:
    for body in (b"", b"{}", b"[]", b"[" * 50_000, b'{"a":' * 200 + b"1" + b"}" * 200):
        assert combine(read_odrl(body, at="")).verdict(["mine"]).verdict == "review"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"all": "false"}, {"mine": "deny", "index": "deny", "evaluate": "deny", **dict.fromkeys(TRAINING, "deny")}),
        ({"all": "true", "train-genai": "false"}, {
            "mine": "allow", "index": "allow", "evaluate": "allow", "train-nongen": "allow", "train-gen": "deny",
            "finetune-style": "deny",
        }),
        ({"train-ai": "n"}, dict.fromkeys(TRAINING, "deny")),
        ({"ai-use": "false", "search": "true"}, {"input": "deny", "search": "allow"}),
        ({"search": "perhaps"}, {"search": "review"}),
        ({"search": False}, {"search": "deny"}),
    ],
)  # fmt: skip
def test_tdmai_declarations_go_with_the_work(declared: dict[str, Any], expected: dict[str, str]) -> None:
    value = {"version": "1.0", "iscc": "ISCC:KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY", **declared}
    found = read_tdmai(value, at="")
    assert said(found) == expected
    assert all(each.asset for each in found)
    if "search" not in declared or len(declared) > 1:
        assert said(read_file(json.dumps(value).encode())) == expected


def test_croissant_says_where_its_terms_lie_and_what_they_prohibit() -> None:
    body = json.dumps(
        {
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.1",
            "license": ["https://l.example/1", {"url": "https://l.example/2"}],
            "sc:usageInfo": {"@type": "odrl:Offer", "odrl:prohibition": [{"odrl:action": "gen-ai"}]},
            "distribution": [{"name": "x"}],
        }
    ).encode()
    found = read_file(body)
    assert said(found) == {"train-gen": "deny", "finetune-style": "deny"}
    assert {each.terms for each in found if each.standard == "croissant"} == {
        "https://l.example/1",
        "https://l.example/2",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["use", "odrl:mine", "/", "1", "", "*"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["permission", "prohibition", "action", "duty", "@id", "rdf:value", "location", "tdm-reservation",
             "tdm-policy",
             "all", "train-ai", "iscc", "license", "usageInfo", "conformsTo"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read(value: Any) -> None:
    body = json.dumps(value).encode()
    for signals in (read_odrl(body, at=""), read_tdmrep(body, AT), read_tdmai(value, at=""), read_file(body)):
        combine(signals)


_LONG = "<!--" + "x" * 5_000 + "-->"
_NOAI = '<meta name="robots" content="noai"><p>'


@pytest.mark.parametrize(
    "page",
    [
        f"{_LONG}<!DOCTYPE html><html><head>{_NOAI}</html>".encode(),
        f"{' ' * 5_000}<html>{_NOAI}</html>".encode(),
        f"<title>Page</title>{_NOAI}".encode(),
        f"<html>{_NOAI}</html>".encode("utf-16"),
        f"<html>{_NOAI}{_LONG}<rdf:RDF></rdf:RDF></html>".encode(),
        f'<html>{_NOAI}<script type="application/rsl+xml"><rsl xmlns="https://rslstandard.org/rsl"/></script>'.encode(),
    ],
    ids=["after a comment", "after spaces", "without html", "wide", "with metadata", "with RSL"],
)
def test_a_page_is_one_wherever_in_its_file_it_begins(page: bytes) -> None:
    assert said(read_file(page))["train-gen"] == "deny"


def test_rsl_is_read_whatever_stands_before_it() -> None:
    document = rsl('<license><prohibits type="usage">ai-train</prohibits></license>')
    late = document.replace(b"<rsl", _LONG.encode() + b"<rsl", 1)
    assert said(read_file(late)) == said(read_file(document)) != {}


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    for before in (b"", b"{", b"[", b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'):
        for signals in (
            read_odrl(before + body, at=""),
            read_tdmrep(before + body, AT),
            read_rsl(before + body, AT, at=""),
            read_ai_txt(before + body, AT),
            read_file(before + body),
        ):
            combine(signals)


TAGS = st.sampled_from(["permits", "prohibits", "payment", "reporting", "license", "amount", "content"])


@given(
    st.lists(st.tuples(TAGS, st.sampled_from(["", "usage", "user", "free", "x"]), st.text("ai-tranl, ", max_size=10)))
)
def test_rsl_that_prohibits_in_addition_never_loosens(elements: list[tuple[str, str, str]]) -> None:
    inner = "".join(f'<{tag} type="{kind}">{text}</{tag}>' for tag, kind, text in elements)
    before = combine(read_rsl(rsl(f"<license>{inner}</license>"), AT, at=""))
    more = f"<license>{inner}<prohibits>ai-train</prohibits></license>"
    after = combine(read_rsl(rsl(more), AT, at=""))
    assert after.verdict(["train-gen"]).verdict == "deny"
    ranks = ["unknown", "license", "review", "deny"]
    for one, other in zip(before.uses, after.uses, strict=True):
        if one.use in TRAINING:
            assert ranks.index(other.verdict) >= ranks.index(one.verdict)


def test_a_comma_in_a_text_is_none_too_many() -> None:
    assert loads(b'["a,]", "b\\",}",]') == ["a,]", 'b",}']


FEED = (
    '<?xml version="1.0"?><rss version="2.0" xmlns:rsl="https://rslstandard.org/rsl"><channel><title>t</title>'
    "<description>&lt;html&gt; in a text</description>{}<item><title>a</title>{}</item></channel></rss>"
)
CONTENT = (
    '<rsl:content url="https://a.example/1"><rsl:license><rsl:prohibits type="usage">ai-train</rsl:prohibits>'
    "</rsl:license></rsl:content>"
)


@pytest.mark.parametrize("places", [(CONTENT, ""), ("", CONTENT)])
def test_licences_in_a_feed_are_read_wherever_they_stand(places: tuple[str, str]) -> None:
    found = combine(read_file(FEED.format(*places).encode(), "https://a.example/feed"))
    assert (found.verdict(["train-gen"]).verdict, found.verdict(["train-gen"]).reason) == ("deny", "prohibited")
    assert {each.standard for each in found.signals} == {"rsl"}


def test_a_feed_that_only_declares_licences_says_nothing_and_a_broken_one_licenses_nothing() -> None:
    assert read_file(FEED.format("", "").encode(), "https://a.example/feed") == ()
    mentioned = b"<rss><channel><description>rslstandard.org/rsl</description></channel></rss>"
    assert read_file(mentioned, "https://a.example/feed") == ()
    broken = combine(read_file(FEED.format(CONTENT, "")[:-20].encode(), "https://a.example/feed"))
    assert broken.verdict(["train-gen"]).verdict == "deny"
    alone = combine(read_file(FEED.format("<rsl:license/>", "").encode(), "https://a.example/feed"))
    assert (alone.verdict(["search"]).verdict, alone.verdict(["search"]).reason) == ("review", "unreadable")
