"""Headers of an answer over HTTP, by whatever case their names and values are written in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urljoin

from licet.signals.dialects import FOR_PICTURES, ROBOTS_META, ROBOTS_META_RULES, RSL
from licet.signals.fields import MAX_FIELD
from licet.signals.readers.tdmrep import reservation
from licet.signals.strictness import mask
from licet.signals.types import Carrier, Signal
from licet.signals.usages import content_signal, content_usage

RSL_TYPE: Final = "application/rsl+xml"
MAX_LINES: Final = 200  # that say anything; a server that sends more is not read to its end, which is said

#: Of headers that say anything, in lower case.
NAMES: Final = frozenset(
    {"content-usage", "content-signal", "content-signals", "x-robots-tag", "tdm-reservation", "tdm-policy", "link"}
)
_LINK: Final = re.compile(
    r'<([^<>]*)>((?:\s*;\s*[^\s;,="<>]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s";,<>]*))?)*)\s*(?:,|$)'
)
_PARAMETER: Final = re.compile(r';\s*([^\s;,="<>]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,<>]*)))?')


def read_headers(headers: Iterable[tuple[str, str]], url: str, *, picture: bool = False) -> tuple[Signal, ...]:
    """Return what the headers of an answer for ``url`` say; ``picture`` tells that a picture came with them.

    Lines of one name are read together, in their order. Rules for pictures alone do not bind what is none.
    """
    lines: dict[str, list[str]] = {}
    count = 0
    for name, value in headers:
        known = name.strip().lower()
        if known not in NAMES:
            continue
        count += 1
        if count > MAX_LINES:
            return (*_signals(lines, url, picture), ROBOTS_META.unreadable("header", name, value, "too-long"))
        lines.setdefault(known, []).append(value)
    return tuple(_signals(lines, url, picture)) if lines else ()


def robots_rules(values: Iterable[str], carrier: Carrier, place: str, *, picture: bool) -> Iterator[Signal]:
    """Yield what rules such as ``noindex, noai`` say, each perhaps behind the name of an agent, in any case."""
    for value in values:
        if len(value) > MAX_FIELD:
            yield ROBOTS_META.unreadable(carrier, place, value, "too-long")
            continue
        for item in value.split(","):
            # ``agent: rule``, and the colons of ``unavailable_after: 25 Jun 2026 15:00:00 PST``
            rule = item.rpartition(":")[2].strip().lower()
            uses = ROBOTS_META_RULES.get(rule)
            if uses is not None and (picture or rule not in FOR_PICTURES):
                yield ROBOTS_META.signal(carrier, place, item.strip(), mask("deny", uses), "denied")


def rsl_links(values: Iterable[str], url: str) -> Iterator[Signal]:
    """Yield the RSL documents that ``Link`` headers point to: ``rel="license"`` with RSL's media type."""
    for value in values:
        if len(value) > MAX_FIELD:
            yield RSL.unreadable("header", "Link", value, "too-long")
            continue
        for target, parameters in _LINK.findall(value):
            given = {name.lower(): quoted or plain for name, quoted, plain in reversed(_PARAMETER.findall(parameters))}
            kind = given.get("type", "").partition(";")[0].strip().lower()
            if "license" in given.get("rel", "").lower().split() and kind == RSL_TYPE:
                yield RSL.pointer("header", "Link", f"<{target}>", joined(url, target))


def joined(url: str, target: str) -> str:
    """Return the address that ``target`` is at ``url``; as it stands where it is none."""
    try:
        return urljoin(url, target.strip())
    except ValueError:
        return target


def _signals(lines: dict[str, list[str]], url: str, picture: bool) -> Iterator[Signal]:
    if usages := lines.get("content-usage"):
        yield from content_usage(usages, "header", "Content-Usage")
    for name in ("content-signal", "content-signals"):
        if values := lines.get(name):
            yield from content_signal(values, "header", "Content-Signal")
    yield from robots_rules(lines.get("x-robots-tag", ()), "header", "X-Robots-Tag", picture=picture)
    for value in lines.get("tdm-reservation", ()):
        policy = next(iter(lines.get("tdm-policy", ())), None)
        yield from reservation(value, policy, "header", "tdm-reservation", url)
    yield from rsl_links(lines.get("link", ()), url)
