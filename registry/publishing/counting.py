"""What of a work's terms counts at a moment: never looser than any decision about the work is then.

A document in a dialect holds for every reader and every copy, so what a decision would ask first (who somebody is,
which file they have) is answered here against them. What does not count is denied. Search alone is left unsaid where
nobody has denied it: a dialect that says no to search takes an artist out of it, and silence permits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from licet.decisions import TRUSTED_LEVEL
from licet.terms import ATOMS, UNPAID, Terms
from licet.terms.merging import merge
from licet.terms.rules import DENY, Rule
from registry.consent.shown import Shown, Standing

SEARCH: Final = "search"


class Counted(NamedTuple):
    """Terms as they count. ``reasons`` are the uses that the work's terms do not deny and that are denied all the same,
    with why; ``unsaid`` those of them of which nothing is said where a dialect can be silent."""

    terms: Terms
    unsaid: frozenset[str]
    reasons: dict[str, str]


def counted(work: Shown | Standing, since: str, until: str) -> Counted:
    """Return what of the terms of ``work`` counts from ``since`` to ``until``, both as signed values have times."""
    found: dict[str, Rule] = {}
    reasons: dict[str, str] = {}
    unsaid = set()
    state = _state(work)
    for use in ATOMS:
        rule = work.terms.rules.get(use, DENY)
        if rule.permission != "deny":
            lasting = state or _window(rule, since, until)
            reason = lasting or _claim(work, rule)
            if reason is not None:
                reasons[use] = reason
                rule = DENY
                if use == SEARCH and lasting is None:
                    unsaid.add(use)
        found[use] = rule
    return Counted(Terms(found), frozenset(unsaid), reasons)


def together(works: Iterable[Counted]) -> Counted:
    """Return what counts for all of ``works`` at once, as one site has them: the strictest of each use.

    Search is left unsaid where no terms deny it themselves: one work that is contested takes nobody out of search.
    """
    each = list(works)
    terms = merge([one.terms for one in each])
    reasons = {use: why for one in each for use, why in one.reasons.items()}
    closed = terms.rules[SEARCH].permission == "deny"
    said = any(one.terms.rules[SEARCH].permission == "deny" and SEARCH not in one.reasons for one in each)
    return Counted(terms, frozenset({SEARCH}) if closed and not said else frozenset(), reasons)


def _state(work: Shown | Standing) -> str | None:
    """Return why nothing of ``work`` may be used at this moment, None where its terms decide."""
    if work.withdrawn:
        return "withdrawn"
    if work.contested:
        return "contested"
    if work.challenged:
        return "challenged"
    if work.held:
        return "pending"
    if work.site is not None and not work.site_proven:
        return "domain"
    return None


def _window(rule: Rule, since: str, until: str) -> str | None:
    if rule.valid_from and since < rule.valid_from:
        return "valid_from"
    return "valid_until" if rule.valid_until and until >= rule.valid_until else None


def _claim(work: Shown | Standing, rule: Rule) -> str | None:
    """Return why a permission does not count yet, or not of every copy (semantics 5), None where it does."""
    if work.by_address:
        return "url-only"
    if work.mode == "fingerprint-only":
        return "fingerprint-only"
    if not work.signed:
        return "unsigned-key"
    free = rule.permission == "allow" or rule.offer.model in UNPAID
    return "claim-level" if free and work.level < TRUSTED_LEVEL else None
