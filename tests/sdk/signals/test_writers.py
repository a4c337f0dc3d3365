"""What is written in a dialect is never looser than the terms when it is read back, whatever the terms are."""

from __future__ import annotations

import json
from functools import reduce
from html import escape
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError
from licet.signals import combine, combined_mask, verdicts_of
from licet.signals.combining import with_policy
from licet.signals.files import read_file
from licet.signals.readers.ai_txt import read_ai_txt
from licet.signals.readers.c2pa import training_mining
from licet.signals.readers.headers import read_headers
from licet.signals.readers.html import read_html
from licet.signals.readers.odrl import read_odrl, read_tdmai
from licet.signals.readers.robots_txt import read_robots
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import read_tdmrep
from licet.signals.strictness import PERMISSIONS, permission_on
from licet.signals.types import Signal
from licet.signals.writers import DIALECTS, Subject, Written, write
from licet.signals.writers.written import looser, signed
from licet.terms import ATOMS, PRICE_MODELS, Price, Terms, preset, sentences
from licet.terms.rules import ALLOW, DENY, Attribution, Rule, Territory

AT = "https://art.example/works/heron.png"
ISCC = "ISCC:KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY"
MACHINE = {"rsl": "https://reg.example/t.rsl.xml", "tdmrep": "https://reg.example/t.tdmrep.json"}
WORDS = {"deny": "deny", "license": "license", "allow": "unknown"}


def _price(model: str) -> Price:
    figures: dict[str, object] = {}
    if model in ("per-work", "per-training-run", "per-output", "subscription"):
        figures |= {"amount": "0.05", "currency": "USD"}
    if model == "subscription":
        figures["period"] = "P1M"
    if model == "pool":
        figures["currency"] = "EUR"
    if model == "revenue-share":
        figures["share_bps"] = 250
    return Price.model_validate({"model": model, **figures})


_OFFERS = st.builds(
    lambda model, audience, territory: Rule(
        permission="license",
        price=_price(model),
        audience=audience,
        territory=territory,
        attribution=Attribution(text='Su <Tang> & "Co"') if model == "attribution" else None,
    ),
    st.sampled_from(PRICE_MODELS),
    st.sampled_from([None, ("commercial",), ("non-commercial", "research")]),
    st.sampled_from([None, Territory(allow=("EU", "JP")), Territory(deny=("US",))]),
)
_RULES: st.SearchStrategy[Rule] = st.one_of(st.just(DENY), st.just(ALLOW), _OFFERS)
_TERMS = st.one_of(
    st.builds(lambda rules: Terms(dict(zip(ATOMS, rules, strict=True))), st.lists(_RULES, min_size=10, max_size=10)),
    _RULES.map(lambda rule: Terms(dict.fromkeys(ATOMS, rule))),
)
_SUBJECTS = st.builds(
    lambda terms, address, machine, artist, server: Subject(
        terms=terms, address=address, machine=machine, artist=artist, iscc=ISCC, title="A & <b>", server=server
    ),
    _TERMS,
    st.sampled_from([None, "https://reg.example/work?a=1&b=<2>"]),
    st.sampled_from([{}, MACHINE]),
    st.sampled_from([None, "Su Tang", 'Ann "<&>" ]]>']),
    st.sampled_from([None, "https://reg.example"]),
)


def _resolved(subject: Subject, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Read the documents that signals wait for, as the fetcher does."""
    found: list[Signal] = []
    for each in signals:
        if each.awaits == MACHINE["rsl"]:
            found += read_rsl(write("rsl", subject).body, AT, at=MACHINE["rsl"])
        elif each.awaits == MACHINE["tdmrep"]:
            found += with_policy(each, read_odrl(write("tdmrep", subject).body, at=MACHINE["tdmrep"]))
        else:
            found.append(each)
    return tuple(found)


def _header(body: bytes) -> list[tuple[str, str]]:
    return [tuple(line.split(": ", 1)) for line in body.decode().splitlines()]  # type: ignore[misc]


def _read(written: Written, subject: Subject) -> tuple[Signal, ...]:
    body = written.body
    match written.dialect:
        case "aipref" | "content-signal" | "headers":
            return _resolved(subject, read_headers(_header(body), AT, picture=True))
        case "robots":
            return _resolved(subject, read_robots(body, AT))
        case "ai.txt":
            return read_ai_txt(body, AT)
        case "rsl":
            return read_rsl(body, AT, at=MACHINE["rsl"])
        case "tdmrep.json":
            return _resolved(subject, read_tdmrep(body, AT))
        case "tdmrep":
            lines = write("tdmrep.json", subject).body
            return _resolved(subject, read_tdmrep(lines, AT))
        case "cawg":
            return tuple(training_mining(json.loads(body), "cawg.training-mining"))
        case "tdmai":
            return read_tdmai(json.loads(body), at="")
        case "html" | "page":
            return _resolved(subject, read_html(body, AT, picture=True))
        case _:
            return read_file(body)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "json"])
@given(subject=_SUBJECTS)
@settings(max_examples=60, deadline=None)
def test_what_is_read_back_is_never_looser_and_is_what_was_foretold(dialect: str, subject: Subject) -> None:
    written = write(dialect, subject)
    signals = _read(written, subject)
    assert not [each for each in signals if each.unreadable]
    read = combined_mask(signals)
    assert {use: permission_on(read, use) for use in ATOMS} == {use: permission_on(written.mask, use) for use in ATOMS}
    assert not looser(read, signed(subject.terms))
    machine = msgspec.structs.replace(written, words=False)
    lost = {each.use: each for each in machine.losses(subject.terms)}
    verdicts = {each.use: each.verdict for each in combine(signals).uses}
    for use, rule in subject.terms.rules.items():
        if use not in lost:
            assert verdicts[use] == WORDS[rule.permission]
        elif lost[use].lost == "stricter":
            assert PERMISSIONS.index(lost[use].read) > PERMISSIONS.index(rule.permission)
        else:
            assert verdicts[use] == "unknown"  # which is no consent


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "json"])
@given(subject=_SUBJECTS)
@settings(max_examples=30, deadline=None)
def test_what_is_left_unsaid_is_never_permitted(dialect: str, subject: Subject) -> None:
    """A dialect that knows silence leaves it out, and is no looser on anything else for that."""
    terms = Terms({**subject.terms.rules, "search": DENY})
    quiet = msgspec.structs.replace(subject, terms=terms, unsaid=frozenset({"search"}))
    written = write(dialect, quiet)
    read = combined_mask(_read(written, quiet))
    assert not looser(read, signed(terms))
    # RSL denies what nothing permits, and what points to such a document does; one word of PLUS covers search.
    if dialect not in ("rsl", "xmp") and not quiet.machine:
        assert permission_on(read, "search") == "unset"


@given(_SUBJECTS)
@settings(max_examples=40, deadline=None)
def test_all_dialects_of_one_work_together_are_not_looser(subject: Subject) -> None:
    read = reduce(int.__or__, (write(name, subject).mask for name in DIALECTS if name != "json"))
    assert not looser(read, signed(subject.terms))
    for use, rule in subject.terms.rules.items():
        if rule.permission == "deny" and use not in ("generate", "redistribute"):
            assert verdicts_of(read)[use] == "deny"


@pytest.mark.parametrize("dialect", ["cawg", "tdmai", "odrl"])
@pytest.mark.parametrize("permission", ["deny", "allow"])
def test_a_dialect_that_can_say_it_says_exactly_that(dialect: str, permission: str) -> None:
    """All that a token covers is under one permission: nothing it speaks of comes out otherwise."""
    terms = Terms(dict.fromkeys(ATOMS, DENY if permission == "deny" else ALLOW))
    losses = write(dialect, Subject(terms=terms, iscc=ISCC)).losses(terms)
    assert {each.lost for each in losses} <= {"silent"}


def test_a_page_for_people_says_all_of_it_in_words_whatever_its_head_can_say() -> None:
    subject = Subject(terms=preset("paid", _price("per-training-run")), address="https://reg.example/t")
    written = write("page", subject)
    assert written.losses(subject.terms) == ()
    for said in (*sentences(subject.terms, "en"), *sentences(subject.terms, "zh-Hans")):
        assert escape(said) in written.body.decode()
    assert write("html", subject).losses(subject.terms)  # the same lines for a page of one's own have no words beside


def test_an_offer_is_said_exactly_where_a_dialect_has_offers() -> None:
    terms = Terms(dict.fromkeys(ATOMS, Rule(permission="license", price=_price("per-training-run"))))
    subject = Subject(terms=terms, address="https://reg.example/t", machine=MACHINE)
    for dialect in ("cawg", "rsl", "odrl", "xmp", "tdmrep"):
        assert {each.lost for each in write(dialect, subject).losses(terms)} <= {"silent"}, dialect
    root = ElementTree.fromstring(write("rsl", subject).body)
    amount = root.find(".//{https://rslstandard.org/rsl}amount")
    assert amount is not None
    assert (amount.text, amount.get("currency")) == ("0.05", "USD")


def test_a_licence_server_is_named_where_nothing_is_free() -> None:
    sold = dict.fromkeys(ATOMS, Rule(permission="license", price=_price("per-training-run")))
    server = "https://reg.example"
    assert b' server="https://reg.example">' in write("rsl", Subject(terms=Terms(sold), server=server)).body
    for rules in ({**sold, "search": ALLOW}, dict.fromkeys(ATOMS, DENY)):
        assert b"server" not in write("rsl", Subject(terms=Terms(rules), server=server)).body


def test_the_presets_in_the_lines_of_the_web() -> None:
    no_ai = Subject(terms=preset("no-ai"))
    assert write("aipref", no_ai).body == b"Content-Usage: train-ai=n, search=y\n"
    assert write("content-signal", no_ai).body == b"Content-Signal: search=yes, ai-input=no, ai-train=no\n"
    assert write("ai.txt", no_ai).body == b"User-Agent: *\nDisallow: /\n"
    assert json.loads(write("tdmrep.json", no_ai).body) == [{"location": "/", "tdm-reservation": "1"}]
    assert b"DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING" in write("xmp", no_ai).body
    robots = write("robots", no_ai).body.decode()
    assert "User-agent: gptbot\n" in robots
    assert "User-agent: oai-searchbot\n" not in robots
    free = Subject(terms=Terms(dict.fromkeys(ATOMS, ALLOW)))
    assert "Disallow" not in write("robots", free).body.decode()


@given(_SUBJECTS)
@settings(max_examples=25, deadline=None)
def test_a_declaration_holds_to_the_schema_of_its_standard(subject: Subject) -> None:
    """https://docs.tdmai.org/technical-specification/json-schema-definition: what is required, and nothing else."""
    declared = json.loads(write("tdmai", subject).body)
    answers = {"all", "train-ai", "train-genai", "ai-use", "search"}
    assert {"version", "iscc", "intent"} <= declared.keys()
    assert declared.keys() <= {"version", "iscc", "intent", "reference", "summary", "policy", *answers}
    assert declared["version"] == "1.0"
    assert declared["intent"] in ("activate", "update", "supersede")
    assert all(declared[name] in ("true", "false") for name in answers & declared.keys())


def test_what_cannot_be_written_is_named() -> None:
    with pytest.raises(InputError, match="iscc: expected the ISCC"):
        write("tdmai", Subject(terms=preset("no-ai")))
    with pytest.raises(InputError, match=r"dialect: expected one of rsl, .* got 'klingon'"):
        write("klingon", Subject(terms=preset("no-ai")))
