"""robots.txt as RFC 9309 and its reference parser read it, with the lines that later standards have added.

Allow and Disallow are matched as ``google/robotstxt`` matches them, whose test cases hold it. What other parsers throw
away is kept: ``Content-Usage`` (AIPREF) and ``Content-Signal`` by group, with the path that they may begin with,
``Crawl-delay`` by group, and ``License`` (RSL), which stands for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_BYTES: Final = 512_000  # RFC 9309 asks for 500 KiB to be read; what follows is not read, and said
MAX_LINE: Final = 2083 * 8 - 1  # bytes; the rest of a longer line is dropped, as the reference parser does

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]*")
_NOT_ASCII: Final = re.compile(r"%[0-9a-fA-F]{2}|[\x80-\xff]")
_ESCAPED: Final = re.compile(r"%(2D|2E|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")  # letters, digits, -._~
_KEYS: Final = {
    b"user-agent": "agent", b"useragent": "agent", b"user agent": "agent",
    b"allow": "allow",
    b"disallow": "disallow", b"dissallow": "disallow", b"dissalow": "disallow", b"disalow": "disallow",
    b"diasllow": "disallow", b"disallaw": "disallow",
    b"content-usage": "usage", b"content-signal": "signal", b"content-signals": "signal", b"license": "license",
    b"crawl-delay": "delay",
}  # fmt: skip
_DELAY: Final = re.compile(rb"\d{1,9}(\.\d{0,9})?|\.\d{1,9}")
_WORDS: Final = {b"user-agent", b"useragent", b"allow", b"disallow"}  # whose colon may be missing


class Line(NamedTuple):
    """A line that means something: its number from 1, ``path`` it is for ("" for all), and what it says."""

    number: int
    path: str
    value: str


class Rule(NamedTuple):
    """An Allow or Disallow: the longest pattern that matches decides, of equal ones the one that allows."""

    pattern: str
    allow: bool
    number: int


class Group:
    """What a file says to one agent, from all of its groups. ``delay`` is the longest Crawl-delay, in seconds."""

    __slots__ = ("delay", "rules", "signals", "usages")

    def __init__(self) -> None:
        self.delay = 0.0
        self.rules: list[Rule] = []
        self.usages: list[Line] = []
        self.signals: list[Line] = []

    def rule_for(self, path: str) -> Rule | None:
        """Return the rule that decides on ``path``; None where none matches."""
        best: Rule | None = None
        length = 0
        for rule in self.rules:
            priority = _priority(rule, path)
            if priority > length or (priority == length and best is not None and rule.allow):
                best, length = rule, priority
        return best

    def usages_for(self, path: str) -> list[Line]:
        """Return the Content-Usage lines for ``path``: those of the longest path that matches."""
        return _longest(self.usages, path)

    def signals_for(self, path: str) -> list[Line]:
        """Return the Content-Signal lines for ``path``, likewise."""
        return _longest(self.signals, path)


class Robots:
    """A robots.txt, taken apart."""

    __slots__ = ("agents", "everybody", "licences", "outside", "too_long", "unreadable")

    def __init__(self) -> None:
        self.agents: dict[str, Group] = {}
        self.everybody: Group | None = None  # of ``*``
        self.outside = Group()  # usage lines before any group, which some sites write
        self.licences: list[Line] = []
        self.too_long = False
        self.unreadable = False

    def group_for(self, agent: str) -> Group | None:
        """Return what is said to a product token; None where nothing is."""
        return self.agents.get(agent.lower()) or self.everybody

    def allowed(self, agent: str, url: str) -> bool:
        """Return whether ``agent`` may fetch ``url``, whose path is escaped as it must be."""
        group = self.group_for(agent)
        rule = group.rule_for(path_of(url)) if group is not None else None
        return rule is None or rule.allow


def parse_robots(body: bytes) -> Robots:
    """Return ``body`` taken apart, whatever it is: what is no line of a robots.txt says nothing."""
    robots = Robots()
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = body[: 2 * MAX_BYTES].decode("utf-16", "replace").encode()
    robots.too_long = len(body) > MAX_BYTES
    robots.unreadable = b"\0" in body[:MAX_BYTES]
    current: list[Group] = []
    open_to_agents = True  # whether an agent now joins the others of the group
    for number, key, value in _lines(body[:MAX_BYTES]):
        if key == "agent":
            if not open_to_agents:
                current, open_to_agents = [], True
            group = _group_of(robots, value)
            if group is not None:
                current.append(group)
        elif key == "license":
            robots.licences.append(Line(number, "", _text(value)))
        elif key == "delay":  # to the reference parser it is no line at all, so it ends no list of agents
            for group in current:
                group.delay = max(group.delay, _seconds(value))
        elif key in ("allow", "disallow"):
            open_to_agents = False
            pattern = escaped(value)
            rules = [Rule(pattern, key == "allow", number)]
            if key == "disallow" and (plain := unescaped(pattern)) != pattern:
                # Addresses are written plainly, so the pattern as it stands would shut nothing.
                rules.append(Rule(plain, allow=False, number=number))
            for group in current:
                group.rules += rules
        else:
            open_to_agents = False
            line = _with_path(number, value)
            for group in current or [robots.outside]:
                (group.usages if key == "usage" else group.signals).append(line)
    return robots


def path_of(url: str) -> str:
    """Return path, parameters and query of ``url``, from the slash on: what rules are matched with."""
    start = 2 if url.startswith("//") else 0
    early = _first_of(url, start)
    scheme = url.find("://", start)
    after = start if scheme < 0 or early < scheme else scheme + 3
    path = _first_of(url, after)
    end = url.find("#", start)
    if path >= len(url) or -1 < end < path:
        return "/"
    found = url[path : end if end >= 0 else len(url)]
    return found if found.startswith("/") else "/" + found


def matches(pattern: str, path: str) -> bool:
    """Return whether ``path`` begins as ``pattern`` says: ``*`` is any text, ``$`` at the end is the end of it."""
    anchored = pattern.endswith("$")
    parts = (pattern[:-1] if anchored else pattern).split("*")
    first, rest = parts[0], parts[1:]
    if not path.startswith(first):
        return False
    if not rest:
        return not anchored or len(path) == len(first)
    place = len(first)
    for part in rest[:-1]:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    last = rest[-1]
    if anchored:
        return path.endswith(last) and len(path) - len(last) >= place
    return path.find(last, place) >= 0


def escaped(pattern: bytes) -> str:
    """Return a pattern as addresses are written: what is not ASCII in escapes, escapes in upper case."""

    def one(found: re.Match[str]) -> str:
        text = found.group()
        return text.upper() if text.startswith("%") else f"%{ord(text):02X}"

    return _NOT_ASCII.sub(one, pattern.decode("latin-1"))


def unescaped(pattern: str) -> str:
    """Return a pattern with what need not be escaped written plainly, as canonical addresses are."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), pattern)


def _lines(body: bytes) -> Iterator[tuple[int, str, bytes]]:
    for beginning in (b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"):
        if body.startswith(beginning):
            body = body.removeprefix(beginning)
            break
    for number, whole in enumerate(_LINE_END.split(body), 1):
        line = whole[:MAX_LINE].partition(b"#")[0].strip(b" \t\v\f")
        name, colon, value = line.partition(b":")
        if not colon:
            words = line.split()
            if len(words) != 2 or words[0].lower() not in _WORDS:
                continue
            name, value = words
        key = _KEYS.get(name.strip(b" \t").lower())
        if key is not None:
            yield number, key, value.strip(b" \t\v\f")


def _group_of(robots: Robots, value: bytes) -> Group | None:
    if value[:1] == b"*" and (len(value) == 1 or value[1:2].isspace()):
        if robots.everybody is None:
            robots.everybody = Group()
        return robots.everybody
    token = _TOKEN.match(value)
    name = token.group().decode().lower() if token else ""
    return robots.agents.setdefault(name, Group()) if name else Group()  # one that is none still takes its lines


def _with_path(number: int, value: bytes) -> Line:
    """Return a usage line with the path taken off that it may begin with."""
    if not value.startswith(b"/"):
        return Line(number, "", _text(value))
    words = value.split(None, 1)
    return Line(number, unescaped(escaped(words[0])), _text(words[1]) if len(words) > 1 else "")


def _longest(lines: list[Line], path: str) -> list[Line]:
    found = [line for line in lines if not line.path or matches(line.path, path)]
    longest = max((len(line.path) for line in found), default=0)
    return [line for line in found if len(line.path) == longest]


def _priority(rule: Rule, path: str) -> int:
    """Return how long the pattern is that matches; 0 for one that does not, or that is empty."""
    if matches(rule.pattern, path):
        return len(rule.pattern)
    if rule.allow:  # .../index.html stands for its folder as well
        folder, slash, name = rule.pattern.rpartition("/")
        if slash and name.startswith("index.htm") and matches(folder + "/$", path):
            return len(folder) + 2
    return 0


def _first_of(url: str, start: int) -> int:
    return min((place for each in "/?;" if (place := url.find(each, start)) >= 0), default=len(url))


def _seconds(value: bytes) -> float:
    """Return a number of seconds as people write it; 0 for what is none."""
    found = _DELAY.fullmatch(value.replace(b",", b"."))
    return float(found[0]) if found else 0.0


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
