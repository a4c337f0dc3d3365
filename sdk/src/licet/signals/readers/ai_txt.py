"""Spawning's ``/ai.txt``: the form of robots.txt, about training instead of crawling, often by endings of files."""

from __future__ import annotations

from typing import Final

from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import AI_TXT
from licet.signals.robots import parse_robots, path_of
from licet.signals.strictness import UNSET, mask
from licet.signals.types import Signal
from licet.terms.atoms import TRAINING

WELL_KNOWN: Final = "/ai.txt"
CARRIER: Final = "ai.txt"


def read_ai_txt(body: bytes, url: str) -> tuple[Signal, ...]:
    """Return what a site's ``ai.txt`` says of ``url``, to everybody or to any crawler of AI."""
    parsed = parse_robots(body)
    found: list[Signal] = []
    if parsed.too_long or parsed.unreadable:
        said = "more than 500 KiB" if parsed.too_long else "bytes that are no text"
        found.append(AI_TXT.unreadable(CARRIER, "file", said, "too-long" if parsed.too_long else "unreadable"))
    path = path_of(url)
    groups = {id(group): group for name in ("*", "spawning-ai", *AI_CRAWLERS) if (group := parsed.group_for(name))}
    for group in groups.values():
        rule = group.rule_for(path)
        if rule is not None:
            denied = UNSET if rule.allow else mask("deny", TRAINING)
            said = f"{'Allow' if rule.allow else 'Disallow'}: {rule.pattern}"
            found.append(
                AI_TXT.signal(CARRIER, f"line {rule.number}", said, denied, "mentioned" if rule.allow else "denied")
            )
    return tuple(found)
