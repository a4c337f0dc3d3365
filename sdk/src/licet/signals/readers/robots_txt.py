"""robots.txt: crawlers of AI that are shut out, usage preferences, content signals, and where licences lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urljoin

from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import ROBOTS, RSL
from licet.signals.robots import Group, Line, Robots, parse_robots, path_of
from licet.signals.strictness import UNSET, Uses, mask
from licet.signals.types import Signal
from licet.signals.usages import content_signal, content_usage

CARRIER: Final = "robots.txt"
MAX_AGE: Final = 24 * 3600  # RFC 9309: no longer than a day
_MANY: Final = 3  # agents that a line of the table names


def read_robots(body: bytes, url: str, agents: Mapping[str, Uses] = AI_CRAWLERS) -> tuple[Signal, ...]:
    """Return what a robots.txt says of ``url`` to ``agents``: product token in lower case → what it fetches for."""
    return signals_of(parse_robots(body), url, agents)


def signals_of(robots: Robots, url: str, agents: Mapping[str, Uses] = AI_CRAWLERS) -> tuple[Signal, ...]:
    """Return what a file that is taken apart already says of ``url``.

    Preferences count that are stated to everybody (``*``) or to one of ``agents``. A file that is too long, or that is
    no text, is for somebody to look at, beside what could be read of it.
    """
    path = path_of(url)
    found = [*file_signals(robots, url), *_crawling(robots, path, agents)]
    concerned = {id(group): group for group in _groups(robots, agents)}
    for group in concerned.values():
        for line in group.usages_for(path):
            found += content_usage([line.value], CARRIER, _place(line))
        for line in group.signals_for(path):
            found += content_signal([line.value], CARRIER, _place(line))
    return tuple(found)


def file_signals(robots: Robots, url: str) -> Iterator[Signal]:
    """Yield what a file says of everything: that it cannot all be read, and where licences lie."""
    if robots.too_long:
        yield ROBOTS.unreadable(CARRIER, "end", "more than 500 KiB, of which the rest is not read", "too-long")
    if robots.unreadable:
        yield ROBOTS.unreadable(CARRIER, "file", "bytes that are no text")
    for line in robots.licences:
        yield RSL.pointer(CARRIER, _place(line), line.value, urljoin(url, line.value) if _joins(url, line) else "")


def _crawling(robots: Robots, path: str, agents: Mapping[str, Uses]) -> Iterator[Signal]:
    """Yield a signal for each rule that decides on crawlers: shut out is denied, let in is mentioned."""
    shut: dict[tuple[int, bool], list[str]] = {}
    patterns: dict[tuple[int, bool], str] = {}
    rules = {id(group): group.rule_for(path) for group in _groups(robots, agents)}
    for agent in agents:
        group = robots.group_for(agent)
        rule = rules[id(group)] if group is not None else None
        if rule is not None and not (rule.allow and group is robots.everybody):
            key = (rule.number, rule.allow)
            shut.setdefault(key, []).append(agent)
            patterns[key] = rule.pattern
    for (number, allow), names in shut.items():
        uses: Uses = frozenset().union(*(agents[name] for name in names))
        more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
        said = f"{'Allow' if allow else 'Disallow'}: {patterns[number, allow]} ({', '.join(names[:_MANY])}{more})"
        denied = UNSET if allow else mask("deny", uses)
        yield ROBOTS.signal(
            CARRIER, f"line {number}", said, denied, "crawling-allowed" if allow else "crawler-shut-out"
        )


def _groups(robots: Robots, agents: Mapping[str, Uses]) -> Iterator[Group]:
    """Yield the groups that speak to everybody or to one of ``agents``, some more than once."""
    yield robots.outside
    if robots.everybody is not None:
        yield robots.everybody
    for agent in agents:
        group = robots.group_for(agent)
        if group is not None:
            yield group


def _joins(url: str, line: Line) -> bool:
    try:
        return bool(urljoin(url, line.value))
    except ValueError:  # brackets that do not close
        return False


def _place(line: Line) -> str:
    return f"line {line.number}"
