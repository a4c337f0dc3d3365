"""RSL 1.0 documents: one licence for each rule, and a prohibition of what nothing is offered of.

A use that no licence permits is not licensed, so silence denies. A token is permitted only where nothing is denied
that it may be read to cover, under the strictest of the conditions: what is said of single uses lies at ``<terms>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from licet.signals.dialects import RSL_USAGES
from licet.signals.strictness import ALL, UNSET, Uses, mask
from licet.signals.writers.written import Subject, Written, rule_for
from licet.terms import Terms, countries
from licet.terms.rules import Rule

MEDIA_TYPE: Final = "application/rsl+xml"
MAX_AGE: Final = 1  # days: looser terms wait as long before they hold
#: The widest first: a token is not written where a wider one says as much.
_TOKENS: Final = ("all", "ai-all", "ai-train", "ai-input", "ai-index", "search")
_PAYMENTS: Final = {
    "attribution": "attribution",
    "per-work": "purchase",
    "per-training-run": "training",
    "subscription": "subscription",
    "pool": "contribution",
}
#: Of ours, those that RSL knows too.
_USERS: Final = frozenset({"commercial", "non-commercial", "education", "government", "personal"})


def rsl(subject: Subject) -> Written:
    """Return the RSL document for ``subject.url``."""
    granted, prohibited = _tokens(subject.terms)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<rsl xmlns="https://rslstandard.org/rsl" max-age="{MAX_AGE}">')
    # A server is where a licence must be had: what is free would be free no more, so it is named where nothing is.
    served = subject.server and granted and all(rule.permission == "license" for rule, _ in granted)
    server = f" server={quoteattr(subject.server)}" if subject.server and served else ""
    lines.append(f"  <content url={quoteattr(subject.url)}{server}>")
    # What is prohibited stands in every licence: one that prohibits alone might be taken to permit the rest.
    barred = f'      <prohibits type="usage">{" ".join(prohibited)}</prohibits>' if prohibited else None
    if not granted and barred:
        lines += ["    <license>", barred, "    </license>"]
    for rule, tokens in granted:
        lines += ["    <license>", f'      <permits type="usage">{" ".join(tokens)}</permits>']
        lines += [barred] if barred else []
        lines += [f"      {line}" for line in _conditions(rule, subject.address)]
        lines.append("    </license>")
    if subject.artist:
        lines.append(f'    <copyright type="person">{escape(subject.artist)}</copyright>')
    if subject.address:
        lines.append(f"    <terms>{escape(subject.address)}</terms>")
    lines += ["  </content>", "</rsl>", ""]
    return Written("rsl", "rsl.xml", MEDIA_TYPE, "\n".join(lines).encode(), _read(granted, prohibited))


def _tokens(terms: Terms) -> tuple[list[tuple[Rule, list[str]]], list[str]]:
    """Return the tokens that are permitted, by rule, and those that are prohibited."""
    granted: list[tuple[Rule, list[str]]] = []
    prohibited: list[str] = []
    covered: Uses = frozenset()
    for name in _TOKENS:
        token = RSL_USAGES[name]
        rule = rule_for(terms, token.denies)
        if token.denies <= covered:
            continue
        if rule.permission != "deny":
            # A wider token that asks for more than a narrower one would take from what is free.
            if any(terms.rules[use].permission != rule.permission for use in token.allows):
                continue
            covered |= token.denies
            for known, names in granted:
                if known == rule:
                    names.append(name)
                    break
            else:
                granted.append((rule, [name]))
    if not granted:  # nothing is licensed
        return [], ["all"]
    for name in _TOKENS[2:]:
        token = RSL_USAGES[name]
        if not token.denies & covered and all(terms.rules[use].permission == "deny" for use in token.denies):
            prohibited.append(name)
    return granted, prohibited


def _conditions(rule: Rule, address: str | None) -> Iterator[str]:
    if rule.permission == "allow":
        yield '<payment type="free"/>'
        return
    users = [each for each in rule.audience or () if each in _USERS]
    if users:
        yield f'<permits type="user">{" ".join(users)}</permits>'
    if rule.territory:
        if rule.territory.allow is not None:
            yield f'<permits type="geo">{" ".join(sorted(rule.territory.countries))}</permits>'
        else:
            denied = " ".join(sorted(countries.expand(rule.territory.deny or ())))
            yield f'<prohibits type="geo">{denied}</prohibits>'
    price = rule.offer
    # Free of charge is not free of conditions: what has some is never written as RSL's free.
    yield f'<payment type="{_PAYMENTS.get(price.model, "use")}">'
    if address:
        yield f"  <custom>{escape(address)}</custom>"
    if price.amount and price.currency:
        yield f"  <amount currency={quoteattr(price.currency)}>{escape(price.amount)}</amount>"
    yield "</payment>"


def _read(granted: list[tuple[Rule, list[str]]], prohibited: list[str]) -> int:
    denied: Uses = frozenset().union(*(RSL_USAGES[name].denies for name in prohibited))
    if not granted:
        return mask("deny", ALL)
    said = UNSET
    spoken, touched = denied, denied
    for permission in ("allow", "license"):
        names = [name for rule, tokens in granted if rule.permission == permission for name in tokens]
        covered: Uses = frozenset().union(*(RSL_USAGES[name].allows for name in names)) - spoken
        touched |= frozenset().union(*(RSL_USAGES[name].denies for name in names))
        said |= mask("allow" if permission == "allow" else "license", covered)
        spoken |= covered
    return said | mask("deny", denied | (ALL - spoken - touched))
