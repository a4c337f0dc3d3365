"""Spawning's ``/ai.txt``: the form of robots.txt, about training instead of crawling, often by endings of files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import AI_TXT
from licet.signals.robots import Group, Robots, parse_robots, path_of
from licet.signals.strictness import UNSET, mask
from licet.signals.types import Signal
from licet.terms.atoms import TRAINING

WELL_KNOWN: Final = "/ai.txt"
CARRIER: Final = "ai.txt"


def read_ai_txt(body: bytes, url: str) -> tuple[Signal, ...]:
    """Return what a site's ``ai.txt`` says of ``url``, to everybody or to any crawler of AI."""
    parsed = parse_robots(body)
    path = path_of(url)
    found = list(damage(parsed))
    for group in groups_of(parsed):
        rule = group.rule_for(path)
        if rule is not None:
            denied = UNSET if rule.allow else mask("deny", TRAINING)
            said = f"{'Allow' if rule.allow else 'Disallow'}: {rule.pattern}"
            reason = "mentioned" if rule.allow else "denied"
            found.append(AI_TXT.signal(CARRIER, f"line {rule.number}", said, denied, reason))
    return tuple(found)


def damage(parsed: Robots) -> Iterator[Signal]:
    """Yield what of a file could not be read."""
    if parsed.too_long or parsed.unreadable:
        said = "more than 500 KiB" if parsed.too_long else "bytes that are no text"
        yield AI_TXT.unreadable(CARRIER, "file", said, "too-long" if parsed.too_long else "unreadable")


def groups_of(parsed: Robots) -> list[Group]:
    """Return the groups that speak to everybody or to a crawler of AI."""
    named = [group for name, group in parsed.agents.items() if name in AI_CRAWLERS or name == "spawning-ai"]
    return [parsed.everybody, *named] if parsed.everybody is not None else named
