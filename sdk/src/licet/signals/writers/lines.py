"""Dialects of one line: ``Content-Usage`` and ``Content-Signal``, robots.txt, ai.txt, and the headers of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Final

from licet.signals.crawlers import AI_CRAWLERS
from licet.signals.dialects import AIPREF_LABELS, CONTENT_SIGNAL_KEYS, ROBOTS_META_RULES, Token
from licet.signals.readers.headers import RSL_TYPE
from licet.signals.strictness import UNSET, mask
from licet.signals.writers.policies import reservation
from licet.signals.writers.written import Subject, Written, nearest
from licet.terms import TRAINING

_TEXT: Final = "text/plain; charset=utf-8"
#: Labels that the draft itself has: others that are read are never written.
_LABELS: Final = ("train-ai", "search")


def content_usage(subject: Subject) -> tuple[str, int]:
    """Return the value of ``Content-Usage``, "" for nothing to say, and its mask."""
    return _answered({name: AIPREF_LABELS[name] for name in _LABELS}, subject, yes="y", no="n", between=", ")


def content_signal(subject: Subject) -> tuple[str, int]:
    """Return the value of ``Content-Signal``, "" for nothing to say, and its mask."""
    return _answered(CONTENT_SIGNAL_KEYS, subject, yes="yes", no="no", between=", ")


def no_ai(subject: Subject) -> tuple[str, int]:
    """Return the rules of ``X-Robots-Tag`` and ``<meta name="robots">``, "" for nothing to say, and their mask."""
    denied = mask("deny", ROBOTS_META_RULES["noai"])
    (chosen,) = nearest([(UNSET, denied)], subject)
    return ("noai, noimageai", denied) if chosen else ("", UNSET)


def shut_out(subject: Subject) -> tuple[list[str], int]:
    """Return the crawlers all of whose uses are denied or on offer alone, and the mask of shutting them out."""
    kept = {use for use, rule in subject.terms.rules.items() if rule.permission != "allow"} - subject.unsaid
    agents = [name for name, uses in AI_CRAWLERS.items() if uses <= kept]
    masks = [mask("deny", AI_CRAWLERS[name]) for name in agents]
    return agents, reduce(int.__or__, masks, UNSET)


def aipref(subject: Subject) -> Written:
    """Return ``Content-Usage`` as a header; the same line stands in a group of robots.txt."""
    value, said = content_usage(subject)
    body = f"Content-Usage: {value}\n" if value else ""
    return Written("aipref", "content-usage.txt", _TEXT, body.encode(), said)


def content_signals(subject: Subject) -> Written:
    """Return ``Content-Signal`` as a header; the same line stands in a group of robots.txt."""
    value, said = content_signal(subject)
    body = f"Content-Signal: {value}\n" if value else ""
    return Written("content-signal", "content-signal.txt", _TEXT, body.encode(), said)


def robots(subject: Subject) -> Written:
    """Return lines to add to robots.txt: preferences to everybody, crawlers of AI shut out, and where licences lie.

    A crawler is shut out when nothing that it fetches for is free. Crawlers that have a group of their own heed no
    other one, so preferences stand in theirs too.
    """
    usage, says_usage = content_usage(subject)
    signal, says_signal = content_signal(subject)
    preferences = [f"Content-Usage: {usage}"] if usage else []
    preferences += [f"Content-Signal: {signal}"] if signal else []
    agents, shut = shut_out(subject)
    groups: list[list[str]] = []
    if preferences:
        groups.append(["User-agent: *", *preferences])
    if agents:
        groups.append([*(f"User-agent: {name}" for name in agents), *preferences, "Disallow: /"])
    said = says_usage | says_signal | shut
    if licence := subject.machine.get("rsl"):
        from licet.signals.writers.rsl import rsl

        groups.append([f"License: {licence}"])
        said |= rsl(subject).mask
    body = "\n".join("".join(f"{line}\n" for line in group) for group in groups)
    return Written("robots", "robots.txt", _TEXT, body.encode(), said)


def ai_txt(subject: Subject) -> Written:
    """Return ``/ai.txt``: training is kept out of the whole site, or let in where all of it is free."""
    (chosen,) = nearest([(UNSET, mask("deny", TRAINING))], subject)
    body = f"User-Agent: *\n{'Disallow' if chosen else 'Allow'}: /\n"
    return Written("ai.txt", "ai.txt", _TEXT, body.encode(), mask("deny", TRAINING) if chosen else UNSET)


def response_headers(subject: Subject) -> tuple[list[tuple[str, str]], int]:
    """Return the headers that an answer with the work (or a preview of it) carries, and their mask."""
    headers: list[tuple[str, str]] = []
    usage, said = content_usage(subject)
    signal, says = content_signal(subject)
    headers += [("Content-Usage", usage)] if usage else []
    headers += [("Content-Signal", signal)] if signal else []
    said |= says
    rules, says = no_ai(subject)
    headers += [("X-Robots-Tag", rules)] if rules else []
    said |= says
    reserved, says = reservation(subject)
    if reserved:
        headers.append(("tdm-reservation", reserved["tdm-reservation"]))
        headers += [("tdm-policy", reserved["tdm-policy"])] if "tdm-policy" in reserved else []
    said |= says
    if licence := subject.machine.get("rsl"):
        from licet.signals.writers.rsl import rsl

        headers.append(("Link", f'<{licence}>; rel="license"; type="{RSL_TYPE}"'))
        said |= rsl(subject).mask
    return headers, said


def headers(subject: Subject) -> Written:
    """Return :func:`response_headers` as lines, to be copied into the configuration of a server."""
    lines, said = response_headers(subject)
    body = "".join(f"{name}: {value}\n" for name, value in lines)
    return Written("headers", "headers.txt", _TEXT, body.encode(), said)


def _answered(tokens: Mapping[str, Token], subject: Subject, *, yes: str, no: str, between: str) -> tuple[str, int]:
    """Return tokens that share no use, each answered for itself; one that would only be silent is left out."""
    parts: list[str] = []
    said = UNSET
    for name, token in tokens.items():
        options = (UNSET, token.allowed(), token.denied())
        (chosen,) = nearest([options], subject)
        if chosen:
            parts.append(f"{name}={(yes, no)[chosen - 1]}")
            said |= options[chosen]
    return between.join(parts), said
