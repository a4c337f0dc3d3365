"""robots.txt is read as the reference parser reads it, and no line of a later standard is lost."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.signals.readers.robots_txt import read_robots
from licet.signals.robots import MAX_BYTES, MAX_LINE, _lines, escaped, matches, parse_robots, path_of, unescaped
from licet.signals.strictness import permissions
from licet.terms.atoms import TRAINING
from tests.sdk.signals.robots_cases import CASES, COUNTED, ESCAPES, NO_TOKENS, PATHS, SITE, TOKENS

AT = "https://art.example/work/a.png"


def _body(text: str) -> bytes:
    return text.replace("|", "\n").encode() + b"\n"


@pytest.mark.parametrize(("text", "agent", "may", "may_not"), CASES)
def test_who_may_fetch_what(text: str, agent: str, may: list[str], may_not: list[str]) -> None:
    robots = parse_robots(_body(text))
    for expected, paths in ((True, may), (False, may_not)):
        for path in paths:
            url = "" if path == "<empty>" else path if "://" in path[:8] else SITE + path
            assert robots.allowed(agent, url) is expected, (url, expected)


def test_a_line_is_cut_where_it_is_too_long() -> None:
    for key, allowed in (("allow: ", True), ("disallow: ", False)):
        path = "/x/" + "a" * (MAX_LINE - len(key) - 3)
        rest = "disallow: /\n" if allowed else ""
        robots = parse_robots(f"user-agent: FooBot\n{rest}{key}{path}/qux\n".encode())
        assert robots.allowed("FooBot", f"http://foo.bar{path}/fux") is allowed
        assert robots.allowed("FooBot", "http://foo.bar/fux") is not allowed


@pytest.mark.parametrize(("body", "expected"), COUNTED)
def test_lines_end_in_every_way_and_a_mark_before_them_is_skipped(body: bytes, expected: int) -> None:
    assert len(list(_lines(body))) == expected


def test_addresses_patterns_and_tokens() -> None:
    assert {url: path_of(url) for url in PATHS} == PATHS
    assert {text: escaped(text.encode()) for text in ESCAPES} == ESCAPES
    for name in TOKENS:
        assert parse_robots(f"user-agent: {name}\ndisallow: /".encode()).agents.keys() == {name.lower()}
    for name in NO_TOKENS - {" Foobot "}:  # spaces around a value are none of it
        assert name.lower() not in parse_robots(f"user-agent: {name}\ndisallow: /".encode()).agents


def _said(body: bytes, url: str = AT) -> dict[str, str]:
    found = 0
    for each in read_robots(body, url):
        found |= each.mask
    return {use: said for use, said in permissions(found).items() if said != "unset"}


def test_a_crawler_that_is_shut_out_is_denied_what_it_is_there_for() -> None:
    body = b"User-agent: GPTBot\nDisallow: /work/\n\nUser-agent: ChatGPT-User\nDisallow: /elsewhere/\n"
    assert _said(body) == dict.fromkeys(sorted(TRAINING), "deny")
    assert _said(body, "https://art.example/elsewhere/b.png") == {"input": "deny"}
    assert _said(b"User-agent: *\nDisallow: /").keys() >= {*TRAINING, "input", "search", "mine"}
    assert _said(b"User-agent: GPTBot\nAllow: /") == {}, "letting a crawler in permits nothing"


def test_escapes_that_need_not_be_do_not_open_what_they_shut() -> None:
    body = b"User-agent: GPTBot\nDisallow: /%77ork/\nUser-agent: *\nContent-Usage: /w%6Frk/ search=n\n"
    assert _said(body) == {**dict.fromkeys(sorted(TRAINING), "deny"), "search": "deny"}
    every = "".join(f"%{code:02X}" for code in range(128))
    assert unescaped(every) == re.sub("%[0-9A-F]{2}", lambda found: _plain(found[0]), every)


def _plain(escape: str) -> str:
    letter = chr(int(escape[1:], 16))
    return letter if re.fullmatch("[A-Za-z0-9._~-]", letter) else escape


def test_the_example_of_the_aipref_draft() -> None:
    body = (
        b"User-Agent: *\nAllow: /\nDisallow: /never/\nContent-Usage: train-ai=n\nContent-Usage: /ai-ok/ train-ai=y\n"
        b"\nUser-Agent: ExampleBot\nAllow: /\nContent-Usage: train-ai=y\n"
    )

    def usage(agent: str, path: str) -> list[str]:
        signals = read_robots(body, "https://e.example" + path, {agent: frozenset()})
        return [each.said for each in signals if each.standard == "aipref"]

    robots = parse_robots(body)
    assert [robots.allowed("other", "https://e.example" + path) for path in ("/test", "/never/test")] == [True, False]
    assert usage("other", "/test") == ["train-ai=n"]
    assert usage("other", "/ai-ok/test") == ["train-ai=y"]
    assert sorted(usage("examplebot", "/test")) == ["train-ai=n", "train-ai=y"], "everybody's counts beside its own"


def test_preferences_signals_and_licences_are_found_wherever_they_stand() -> None:
    body = (
        b"LICENSE: /rsl.xml\nContent-Signal: ai-train=no\nUser-agent: *\ncontent-usage : search=n # no\n"
        b"Content-Signal: /other/ search=no\n"
    )
    found = {(each.standard, each.said): each for each in read_robots(body, AT)}
    assert found.keys() == {("content-signals", "ai-train=no"), ("aipref", "search=n"), ("rsl", "/rsl.xml")}
    assert found["rsl", "/rsl.xml"].awaits == "https://art.example/rsl.xml"
    assert set(permissions(found["rsl", "/rsl.xml"].mask).values()) == {"deny"}, "what is not obtained is not licensed"


def test_contradictions_come_out_strictest_and_damage_is_reported() -> None:
    twice = b"User-agent: *\nContent-Signal: ai-train=yes\nContent-Signal: ai-train=no, search=perhaps\n"
    assert _said(twice) == {**dict.fromkeys(sorted(TRAINING), "deny"), "search": "review"}
    assert set(_said(b"User-agent: *\nContent-Usage: Train-AI=n\n").values()) == {"review"}
    assert set(_said(b"User-agent: *\0\nDisallow: /x\n").values()) == {"review"}
    assert _said("User-agent: CCBot\nDisallow: /\n".encode("utf-16")).items() >= {("mine", "deny")}


def test_a_file_that_never_ends_is_read_in_time_and_said_to_be_too_long() -> None:
    rules = b"".join(b"Disallow: /%d*%s$\n" % (number, b"*a" * 30) for number in range(9000))
    body = b"User-agent: *\n" + rules + b"Disallow: /work"
    assert len(body) > MAX_BYTES
    started = time.process_time()
    found = read_robots(body, "https://art.example/work/" + "a" * 4000)
    assert time.process_time() - started < 3
    assert any(each.reason == "too-long" for each in found)
    assert set(permissions(found[0].mask).values()) == {"review"}


@given(st.binary(max_size=400), st.sampled_from(["/", "/a/b?c", "/%E3*", "//x"]))
def test_anything_at_all_is_read(body: bytes, path: str) -> None:
    for prefix in (b"", b"User-agent: *\n", b"User-agent: gptbot\nDisallow: /", b"Content-Usage: ", b"License: "):
        for each in read_robots(prefix + body, "https://art.example" + path):
            assert each.carrier == "robots.txt"


@given(st.text("ab*$/", max_size=12), st.text("ab/", max_size=12))
def test_patterns_match_as_their_definition_says(pattern: str, path: str) -> None:
    end = "$" if pattern.endswith("$") else ""
    expression = ".*".join(map(re.escape, pattern.removesuffix("$").split("*"))) + end.replace("$", r"\Z")
    assert matches(pattern, path) == (re.match(expression, path, re.DOTALL) is not None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5), ("0.5", 0.5), ("1,5", 1.5), (".5", 0.5), ("-1", 0), ("soon", 0), ("1e9", 0), ("nan", 0), ("9" * 99, 0)],
)
def test_a_delay_is_a_number_of_seconds_and_ends_no_list_of_agents(value: str, seconds: float) -> None:
    text = f"User-agent: a\nCrawl-delay: {value}\nUser-agent: b\nDisallow: /x\n"
    robots = parse_robots(text.encode())
    group = robots.group_for("a")
    assert group is not None
    assert group.delay == seconds
    assert not robots.allowed("a", "https://a.example/x")
    other = robots.group_for("b")
    assert other is not None
    assert other.delay == 0
