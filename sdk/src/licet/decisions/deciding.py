"""The one decision: terms, the state of a work and a request in; a verdict and its reason out (semantics 5 to 17).

`decide` is pure and total. Per use, in this order, the first that holds:

1. The terms deny: ``vocab`` (their vocabulary does not have the use), ``denied``, ``withdrawn``, ``pending``.
2. A condition is not met: ``deny``, with the condition's name as reason.
3. A condition needs a fact that the request leaves open: ``review``, ``needs:<field>``.
4. Below claim level 2, ``allow`` and an unpaid ``license`` are ``unknown``, ``claim-level``.
5. ``license``: ``offer``, or ``needs-agreement`` where the price cannot be fixed at accept. ``allow``: ``allowed``.

Of several uses the strictest decides. A licence held for the work and the request stands before all of this: it runs
to its end whatever the terms say now (semantics 16, 23), so everything but ``allow`` becomes ``license``,
``licensed:<id>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Final

import msgspec

from licet.decisions.requests import Request, stated_purpose
from licet.decisions.verdicts import Charge, Decision, strictest
from licet.terms.document import Terms
from licet.terms.prices import UNPAID, Price, dearer
from licet.terms.rules import Rule

TRUSTED_LEVEL: Final = 2
"""From this claim level on, `allow` and unpaid licences count (semantics 5)."""


class State(msgspec.Struct, frozen=True):
    """What the registry knows about a work beside its terms.

    ``contested`` and ``challenged`` change who is paid, not the verdict: each claimant's own terms are decided, and
    the strictest wins. ``pending`` means that the ``license`` and ``allow`` of these very terms are not in force yet
    and deny meanwhile (an ``initial`` that waits, semantics 11); while a loosening is pending, the terms in force are
    the old ones and ``pending`` is False. ``licences`` are those that the caller holds for this work and request.
    """

    level: int
    contested: bool = False
    challenged: bool = False
    pending: bool = False
    withdrawn: bool = False
    licences: frozenset[str] = frozenset()


def decide(terms: Terms, state: State, request: Request) -> Decision:
    """Return what ``terms`` say to ``request`` about a work in ``state``. Never raises, reads nothing else."""
    decided = [_decide_use(terms.rules.get(use), use, state, request) for use in request.uses]
    decision = strictest(decided)
    if decision.verdict == "allow":
        return decision
    if state.licences:
        held = min(state.licences)
        return Decision("license", f"licensed:{held}", decision.atom, None, decision.attribution, held)
    if decision.verdict == "license" and len(decided) > 1:
        return _priced(terms, request, decided)
    return decision


def _decide_use(rule: Rule | None, use: str, state: State, request: Request) -> Decision:
    if rule is None:
        return Decision("deny", "vocab", use)
    if rule.permission == "deny":
        return Decision("deny", "denied", use)
    if state.withdrawn or state.pending:
        return Decision("deny", "withdrawn" if state.withdrawn else "pending", use)
    if rule.permission == "allow":
        return (
            Decision("allow", "allowed", use)
            if state.level >= TRUSTED_LEVEL
            else Decision("unknown", "claim-level", use)
        )
    findings = list(_findings(rule, request))
    for condition, met in findings:
        if met is False:
            return Decision("deny", condition, use)
    for field, _ in findings:
        return Decision("review", f"needs:{field}", use)
    price = rule.offer
    attribution = rule.attribution.to_json() if rule.attribution else None
    if price.model in UNPAID and state.level < TRUSTED_LEVEL:
        return Decision("unknown", "claim-level", use, None, attribution)
    return Decision("license", _standing(price, request), use, charge(price), attribution)


def _findings(rule: Rule, request: Request) -> Iterator[tuple[str, bool | None]]:
    """Yield (condition, False) for each that is not met, (field of the request, None) for each left open."""
    if rule.audience is not None and not set(stated_purpose(request.purpose)) <= set(rule.audience):
        yield "audience", False
    if rule.territory is not None:
        if request.territory is None:
            yield "territory", None
        elif not rule.territory.covers(request.territory):
            yield "territory", False
    if rule.valid_from or rule.valid_until:
        if request.at is None:
            yield "at", None
        elif rule.valid_from and request.at < rule.valid_from:
            yield "valid_from", False
        elif rule.valid_until and request.at >= rule.valid_until:
            yield "valid_until", False
    if rule.model_scope == "one-version" and request.model_scope != "one-version":
        yield "model_scope", False
    if rule.open_weights is False and request.open_weights is not False:
        yield "open_weights", False if request.open_weights else None
    if rule.sublicensable is False and request.sublicense is not False:
        yield ("sublicensable", False) if request.sublicense else ("sublicense", None)
    if rule.exclusive is not None and request.exclusive is not rule.exclusive:
        yield "exclusive", None if request.exclusive is None else False


def _standing(price: Price, request: Request) -> str:
    # A standing offer is made to everybody, so nobody can take it alone without the artist's answer.
    return "needs-agreement" if price.needs_agreement or request.exclusive else "offer"


def _priced(terms: Terms, request: Request, decided: list[Decision]) -> Decision:
    """One price for several uses: the dearest; where they are of different kinds, the artist has to answer."""
    offers = [each for each in decided if each.verdict == "license"]
    prices = [terms.rules[each.atom or ""].offer for each in offers]
    price = reduce(dearer, prices)
    deciding = next((each for each, own in zip(offers, prices, strict=True) if own == price), offers[0])
    attribution = deciding.attribution or next((each.attribution for each in offers if each.attribution), None)
    return Decision("license", _standing(price, request), deciding.atom, charge(price), attribution)


def charge(price: Price) -> Charge:
    """Return ``price`` as decisions and rows carry it."""
    return Charge(price.model, price.currency, price.micro, price.per)
