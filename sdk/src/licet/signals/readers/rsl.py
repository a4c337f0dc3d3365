"""RSL documents: which licences there are for an address, what they permit and prohibit, and what they cost.

Prohibits beats permits, in whichever licence of a content it stands. A use that no licence permits is not licensed, nor
is one whose licence asks for reports in a form that we do not know. What is permitted for nothing and without any
condition is a permission; everything else that is permitted is an offer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from licet.errors import MalformedError
from licet.signals.dialects import RSL, RSL_USAGES
from licet.signals.documents import local, namespace, parse_xml, why
from licet.signals.robots import escaped, matches, path_of
from licet.signals.strictness import ALL, DENY_ALL, UNSET, Uses, mask
from licet.signals.types import Carrier, Signal

NAMESPACE: Final = "https://rslstandard.org/rsl"
MAX_CONTENTS: Final = 10_000
LONGEST_AGE: Final = 366  # days
#: Profiles of reports that can be made from here: none yet, so a licence that asks for one licenses nothing.
REPORTING: Final[frozenset[str]] = frozenset()

_DECLARED: Final = re.compile(rb"xmlns(:[\w.-]+)?\s*=\s*[\"']https?://(www\.)?rslstandard\.org/")
_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_FREE: Final = frozenset({"", "free"})
_DAY: Final = 86_400


class _Licence(NamedTuple):
    """What one licence grants: uses free of any condition, uses on offer, and uses that it may or may not mean."""

    free: Uses
    offered: Uses
    unclear: Uses


def read_rsl(
    body: bytes, url: str | None, *, at: str, carrier: Carrier = "document", asset: bool = False
) -> tuple[Signal, ...]:
    """Return what an RSL document that lies ``at`` an address says of ``url``; of whatever carries it, for None.

    A document that cannot be read licenses nothing.
    """
    try:
        root = parse_xml(body, "RSL")
    except MalformedError as error:
        said = error.message
        return (RSL.signal(carrier, at, said, DENY_ALL, why(error), asset=asset, terms=at or None),)
    return read_rsl_element(root, url, at=at, carrier=carrier, asset=asset)


def declares_rsl(body: bytes) -> bool:
    """Return whether a document of another format declares RSL's namespace, as a feed does that has licences in it."""
    return _DECLARED.search(body) is not None


def read_feed(body: bytes, *, at: str) -> tuple[Signal, ...]:
    """Return what the licences in a feed (RSS, Atom) that lies ``at`` an address say of what is in it.

    A feed without one says nothing, whatever it declares; one that cannot be read licenses nothing.
    """
    try:
        root = parse_xml(body, "feed")
    except MalformedError as error:
        return (RSL.signal("document", at, error.message, DENY_ALL, why(error), terms=at or None),)
    if any(local(each.tag) == "content" and "rslstandard.org" in namespace(each.tag) for each in root.iter()):
        return read_rsl_element(root, None, at=at, carrier="document")
    if any("rslstandard.org" in namespace(each.tag) for each in root.iter()):
        return (RSL.unreadable("document", at, "elements of RSL outside of any content"),)
    return ()


def read_rsl_element(
    root: Any, url: str | None, *, at: str, carrier: Carrier, asset: bool = False
) -> tuple[Signal, ...]:
    """Return what an ``<rsl>`` element says, or one of another format with ``<content>`` of RSL's in it."""
    contents = [each for each in root.iter() if _is(each, "content")]
    if not contents or len(contents) > MAX_CONTENTS:
        said = f"<{local(root.tag)}> with {len(contents):,} contents of RSL"
        return (RSL.signal(carrier, at, said, DENY_ALL, "unreadable", asset=asset, terms=at or None),)
    age = _max_age(root)
    chosen = _most_specific(contents, url, at)
    if not chosen:
        return (RSL.signal(carrier, at, "no content for this address", UNSET, "not-covered", asset=asset, max_age=age),)
    found: list[Signal] = []
    for content in chosen:
        place = f"{at} content {content.get('url') or ''}".strip()
        for said, denied, reason in _content(content):
            found.append(RSL.signal(carrier, place, said, denied, reason, asset=asset, terms=at or None, max_age=age))
    return tuple(found)


def _content(content: Any) -> Iterator[tuple[str, int, str]]:
    licences = [each for each in content if local(each.tag) == "license"]
    if not licences:
        if content.get("server"):
            yield f"server {content.get('server')}", mask("license", ALL), "offered"
        else:
            yield "content without a licence", UNSET, "no-licence"
        return
    prohibited, unknown = _usages(each for licence in licences for each in _typed(licence, "prohibits", "usage"))
    if unknown:
        yield f"prohibits {' '.join(unknown)}", mask("review", ALL), "unknown-value"
    denied: Uses = frozenset().union(*(RSL_USAGES[token].denies for token in prohibited))
    if denied:
        yield f"prohibits {' '.join(prohibited)}", mask("deny", denied), "prohibited"
    grants = [_granted(licence, bool(content.get("server"))) for licence in licences]
    if all(grant is None for grant in grants):
        profiles = [each.get("profile") or "" for licence in licences for each in _named(licence, "reporting")]
        yield f"reporting {' '.join(profiles)}".strip(), DENY_ALL, "unknown-reporting"
        return
    known = [grant for grant in grants if grant is not None]
    free: Uses = frozenset().union(*(grant.free for grant in known)) - denied
    offered: Uses = frozenset().union(*(grant.offered for grant in known)) - denied - free
    unclear: Uses = frozenset().union(*(grant.unclear for grant in known)) - denied - free - offered
    said = _summary(licences)
    if free:
        yield said, mask("allow", free), "permitted"
    if offered:
        yield said, mask("license", offered), "offered"
    if rest := ALL - denied - free - offered - unclear:
        yield said, mask("deny", rest), "not-permitted"


def _granted(licence: Any, served: bool) -> _Licence | None:
    """Return what a licence grants; None where it asks for reports that cannot be made from here."""
    if any((each.get("profile") or "") not in REPORTING for each in _named(licence, "reporting")):
        return None
    payments = _named(licence, "payment")
    paid = any((each.get("type") or "").strip().lower() not in _FREE or _named(each, "amount") for each in payments)
    limited = served or any(
        (each.get("type") or "usage").strip().lower() != "usage"
        for name in ("permits", "prohibits")
        for each in _named(licence, name)
    )
    permits = list(_typed(licence, "permits", "usage"))
    if not permits:
        return _Licence(frozenset(), ALL, frozenset()) if paid else _Licence(frozenset(), frozenset(), ALL)
    tokens, _ = _usages(permits)
    covered: Uses = frozenset().union(*(RSL_USAGES[token].allows for token in tokens))
    touched: Uses = frozenset().union(*(RSL_USAGES[token].denies for token in tokens)) - covered
    if paid or limited:
        return _Licence(frozenset(), covered, touched)
    return _Licence(covered, frozenset(), touched)


def _usages(elements: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Return the usage tokens of elements that are known, and those that are not."""
    known: list[str] = []
    unknown: list[str] = []
    for element in elements:
        for token in _SEPARATORS.split(_text(element).lower()):
            name = token if token in RSL_USAGES or ":" not in token else token.rpartition(":")[2]
            if name:
                (known if name in RSL_USAGES else unknown).append(name)
    return known, unknown


def _most_specific(contents: list[Any], url: str | None, at: str) -> list[Any]:
    if url is None:
        return contents
    lengths = [(_covers(content, url, at), content) for content in contents]
    longest = max((length for length, _ in lengths if length is not None), default=-1)
    return [content for length, content in lengths if length == longest]


def _covers(content: Any, url: str, at: str) -> int | None:
    """Return how long the pattern is by which ``content`` covers ``url``; None where it does not."""
    pattern = (content.get("url") or "").strip()
    if not pattern:
        return 0
    try:
        whole = urljoin(at, pattern) if "://" not in pattern and not pattern.startswith(("/", "*")) else pattern
        if "://" in whole:
            if (urlsplit(whole).hostname or "") != (urlsplit(url).hostname or ""):
                return None
            whole = path_of(whole)
    except ValueError:
        return 0  # an address that is none: better that it covers than that a denial is missed
    path = escaped(whole.encode())
    return len(path) if matches(path, path_of(url)) else None


def _max_age(root: Any) -> int | None:
    text = (root.get("max-age") or "").strip()
    return min(int(text), LONGEST_AGE) * _DAY if text.isascii() and text.isdigit() and len(text) < 10 else None


def _summary(licences: list[Any]) -> str:
    parts: list[str] = []
    for licence in licences:
        parts += [f"permits {_text(each)}" for each in _named(licence, "permits")]
        parts += [f"payment {each.get('type') or 'free'}" for each in _named(licence, "payment")]
    return ", ".join(parts) or "licence without permits"


def _typed(licence: Any, name: str, kind: str) -> Iterator[Any]:
    return (each for each in _named(licence, name) if (each.get("type") or "usage").strip().lower() == kind)


def _named(element: Any, name: str) -> list[Any]:
    return [each for each in element if local(each.tag) == name]


def _is(element: Any, name: str) -> bool:
    """Return whether an element is RSL's ``name``, in its namespace or in none, as it is written in the wild."""
    space = namespace(element.tag)
    return local(element.tag) == name and (not space or "rslstandard.org" in space)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
