"""Pages: rules for robots in their head, reservations, RSL linked or written into them, licences in JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import ROBOTS_META, RSL
from licet.signals.readers.croissant import read_json_ld
from licet.signals.readers.headers import RSL_TYPE, joined, robots_rules
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import reservation
from licet.signals.types import Signal
from licet.signals.usages import content_signal, content_usage

MAX_BYTES: Final = 4 << 20  # of a page; what follows is not read, and said
MAX_SCRIPTS: Final = 100
_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")  # that UTF-16 begins with
_ASCII: Final = "".join(map(chr, range(32, 127)))
_NAMED: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)  # by the page itself
_ROBOTS: Final = frozenset({"robots", "googlebot", "bingbot", "baiduspider", "yandex", *AI_CRAWLERS})


def read_html(body: bytes, url: str, *, charset: str | None = None, picture: bool = False) -> tuple[Signal, ...]:
    """Return what the page at ``url`` says of itself; with ``picture``, of a picture on it as well."""
    return tuple(_signals(body, url, charset, picture))


def _signals(body: bytes, url: str, charset: str | None, picture: bool) -> Iterator[Signal]:
    from lxml import etree

    if len(body) > MAX_BYTES:
        yield ROBOTS_META.unreadable("html", "end", f"{len(body):,} bytes", "too-long")
        body = body[:MAX_BYTES]
    if b"\0" in body and not body.startswith(_MARKS):
        yield ROBOTS_META.unreadable("html", "page", "bytes that are no text")
        return
    if not body.strip():
        return
    coding = _known(charset)
    if coding is None and not body.startswith(_MARKS):
        named = (_known(each[1].decode("ascii")) for each in _NAMED.finditer(body))
        coding = "utf-8" if any(each is not None and not _like_ascii(each) for each in named) else None
    elif coding is not None and not body.startswith(_MARKS) and not _like_ascii(coding):
        # What says to be wide and is written in ASCII is ASCII: who reads it as it says would find nothing there.
        if b"<" not in body:
            yield ROBOTS_META.unreadable("html", "page", f"text in {coding} that is not read")
            return
        coding = None
    try:
        parser = etree.HTMLParser(encoding=coding, no_network=True, huge_tree=False, recover=True)
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        yield ROBOTS_META.unreadable("html", "page", body[:400].decode("utf-8", "replace"))
        return
    if root is not None:
        yield from _of_elements(root, url, picture)


def _of_elements(root: Any, url: str, picture: bool) -> Iterator[Signal]:
    reservations: list[str] = []
    policy: str | None = None
    scripts = 0
    for element in root.iter("meta", "link", "script"):
        if element.tag == "meta":
            name, content = (element.get("name") or "").strip().lower(), element.get("content") or ""
            if name in _ROBOTS:
                yield from robots_rules([content], "html", f"meta {name}", picture=picture)
            elif name == "tdm-reservation":
                reservations.append(content)
            elif name == "tdm-policy":
                policy = policy or content
            elif name == "content-usage":
                yield from content_usage([content], "html", "meta content-usage")
            elif name == "content-signal":
                yield from content_signal([content], "html", "meta content-signal")
            continue
        kind = (element.get("type") or "").partition(";")[0].strip().lower()
        if element.tag == "link":
            if kind == RSL_TYPE and "license" in (element.get("rel") or "").lower().split():
                href = element.get("href") or ""
                yield RSL.pointer("html", "link", href, joined(url, href))
            continue
        if kind not in (RSL_TYPE, "application/ld+json"):
            continue
        scripts += 1
        if scripts > MAX_SCRIPTS:
            yield ROBOTS_META.unreadable("html", "script", f"more than {MAX_SCRIPTS} scripts of terms", "too-long")
            return
        text = (element.text or "").strip().encode("utf-8", "replace")
        if kind == RSL_TYPE and element.get("src"):
            yield RSL.pointer("html", "script", element.get("src"), joined(url, element.get("src")))
        elif kind == RSL_TYPE:
            yield from read_rsl(text, url, at=url, carrier="html")
        else:
            yield from read_json_ld(text, "script")
    for value in reservations:
        yield from reservation(value, policy, "html", "meta tdm-reservation", url)


def _known(charset: str | None) -> str | None:
    """Return a charset that Python knows as libxml2 is to take it; None for one that nobody knows."""
    import codecs

    try:
        return codecs.lookup(charset).name if charset else None
    except LookupError:
        return None


def _like_ascii(coding: str) -> bool:
    """Return whether ASCII is the same in ``coding``."""
    try:
        return _ASCII.encode("ascii").decode(coding) == _ASCII
    except (UnicodeDecodeError, LookupError):
        return False
