"""Effective terms: the strictest of several, use by use and condition by condition (semantics 8).

For every state and request, what `merge` returns decides at least as strictly as each of the terms it was made
from. Where two conditions cannot be met together the use is denied; where two prices are of different kinds the
price is ``negotiate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from licet.errors import InputError
from licet.terms import countries
from licet.terms.atoms import ATOMS, REVOCATION_EFFECTS, TRADES
from licet.terms.document import Terms
from licet.terms.prices import dearer, shorter
from licet.terms.reading import MAX_LINE
from licet.terms.rules import DENY, Attribution, Reporting, Revocation, Rule, Territory

_BETWEEN: Final = "; "


def merge(terms: Sequence[Terms]) -> Terms:
    """Return the strictest of ``terms`` (one or more), use by use. Order does not matter to any verdict."""
    if not terms:
        raise InputError.field("terms", "one or more", "none")
    if all(other == terms[0] for other in terms[1:]):
        return terms[0]
    return Terms({atom: reduce(strictest_rule, [each.rules[atom] for each in terms]) for atom in ATOMS})


def strictest_rule(first: Rule, second: Rule) -> Rule:
    """Return the rule that restricts whatever ``first`` or ``second`` restricts."""
    for permission in ("deny", "allow"):
        if first.permission == permission:
            return first if permission == "deny" else second
        if second.permission == permission:
            return second if permission == "deny" else first
    audience = _common(first.audience, second.audience)
    start = max(filter(None, (first.valid_from, second.valid_from)), default=None)
    end = min(filter(None, (first.valid_until, second.valid_until)), default=None)
    exclusive = {first.exclusive, second.exclusive} - {None}
    try:
        territory = _territory(first.territory, second.territory)
    except InputError:  # no country is offered by both
        return DENY
    if (audience is not None and not TRADES & set(audience)) or (start and end and start >= end) or len(exclusive) > 1:
        return DENY
    scopes = {first.model_scope, second.model_scope} - {None}
    return Rule(
        permission="license",
        price=dearer(first.offer, second.offer),
        audience=audience,
        territory=territory,
        valid_from=start,
        valid_until=end,
        grant_term=shorter(first.grant_term, second.grant_term),
        model_scope=min(scopes, key=lambda scope: scope != "one-version", default=None),
        open_weights=_both(first.open_weights, second.open_weights),
        exclusive=exclusive.pop() if exclusive else None,
        sublicensable=_both(first.sublicensable, second.sublicensable),
        attribution=_attribution(first.attribution, second.attribution),
        reporting=_reporting(first.reporting, second.reporting),
        revocation=stricter_revocation(first.revocation, second.revocation),
    )


def _common(first: tuple[str, ...] | None, second: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if first is None or second is None:
        return second if first is None else first
    return tuple(sorted(set(first) & set(second)))


def _both(first: bool | None, second: bool | None) -> bool | None:
    return False if first is False or second is False else (first or second)


def _territory(first: Territory | None, second: Territory | None) -> Territory | None:
    if first is None or second is None or first == second:
        return first or second
    allow, deny = first.allow, {*(first.deny or ()), *(second.deny or ())}
    if first.allow != second.allow:
        each = [countries.expand(codes) for codes in (first.allow, second.allow) if codes is not None]
        allow = countries.compress(frozenset.intersection(*each))
        if not allow:
            raise InputError("no country is offered by both")
    return Territory(allow=allow, deny=tuple(deny) or None)


def _attribution(first: Attribution | None, second: Attribution | None) -> Attribution | None:
    if first is None or second is None or first == second:
        return first or second
    parts = {part for each in (first, second) for part in _credit(each, first.url != second.url).split(_BETWEEN)}
    places = [place for place in (first.place, second.place) if place]
    return Attribution(
        text=_BETWEEN.join(sorted(parts))[:MAX_LINE].strip(),
        url=first.url if first.url == second.url else None,
        place=min(places, default=None),
    )


def _credit(attribution: Attribution, with_url: bool) -> str:
    return f"{attribution.text} {attribution.url}" if with_url and attribution.url else attribution.text


def _reporting(first: Reporting | None, second: Reporting | None) -> Reporting | None:
    every = shorter(first.every if first else None, second.every if second else None)
    return Reporting(every=every) if every else None


def stricter_revocation(first: Revocation | None, second: Revocation | None) -> Revocation | None:
    """Return the shorter notice with what obliges to more; none of two where neither lets anybody revoke."""
    if first is None or second is None:
        return first or second
    return Revocation(
        notice_days=min(first.notice_days, second.notice_days),
        effect=max(first.effect, second.effect, key=REVOCATION_EFFECTS.index),
    )
