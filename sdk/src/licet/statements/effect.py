"""Whether new terms tighten or loosen old ones (semantics 10): judged by what they decide, not by how they are called.

Terms tighten where, for every request and state, the verdict is at least as strict, and nothing that a licensee would
owe or be bound by gets less. Whatever does not compare is a loosening: it waits 24 hours and nobody is hurt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from licet.terms import Attribution, Reporting, Revocation, Rule, Terms, Territory, durations, prices
from licet.terms.atoms import ATOMS, REVOCATION_EFFECTS

Effect = Literal["initial", "tighten", "loosen"]


def effect(old: Terms | None, new: Terms) -> Effect:
    """Return what ``new`` does to a work whose terms were ``old`` (None: it had none). The same terms tighten."""
    if old is None:
        return "initial"
    return "tighten" if tightens(new, old) else "loosen"


def effect_over(olds: Iterable[Terms | None], new: Terms) -> Effect:
    """Return what ``new`` does to works whose terms were ``olds``, one for each work or distinct terms.

    It loosens if it loosens any; else it tightens if any had terms; else it is initial.
    """
    effects = {effect(old, new) for old in olds}
    if "loosen" in effects:
        return "loosen"
    return "tighten" if "tighten" in effects else "initial"


def tightens(new: Terms, old: Terms) -> bool:
    """Whether ``new`` is at least as strict as ``old`` in every use and every condition."""
    return new.vocab >= old.vocab and all(rule_tightens(new.rules[atom], old.rules[atom]) for atom in ATOMS)


def rule_tightens(new: Rule, old: Rule) -> bool:
    """Whether ``new`` permits nothing that ``old`` does not, and asks for no less."""
    if new.permission == "deny" or old.permission == "allow":
        return True
    if old.permission == "deny" or new.permission == "allow":
        return False
    return (
        _subset(new.audience, old.audience)
        and _within(new.territory, old.territory)
        and _later(new.valid_from, old.valid_from)
        and _earlier(new.valid_until, old.valid_until)
        and _no_longer(new.grant_term, old.grant_term)
        and (old.model_scope != "one-version" or new.model_scope == "one-version")
        and (old.open_weights is not False or new.open_weights is False)
        and (old.sublicensable is not False or new.sublicensable is False)
        and (old.exclusive is None or new.exclusive is old.exclusive)
        and prices.at_least(new.offer, old.offer)
        and _credits(new.attribution, old.attribution)
        and _reports(new.reporting, old.reporting)
        and _revokes(new.revocation, old.revocation)
    )


def _subset(new: tuple[str, ...] | None, old: tuple[str, ...] | None) -> bool:
    return old is None or (new is not None and set(new) <= set(old))


def _within(new: Territory | None, old: Territory | None) -> bool:
    return old is None or (new is not None and new.countries <= old.countries)


def _later(new: str | None, old: str | None) -> bool:
    return old is None or (new is not None and new >= old)


def _earlier(new: str | None, old: str | None) -> bool:
    return old is None or (new is not None and new <= old)


def _no_longer(new: str | None, old: str | None) -> bool:
    return old is None or (new is not None and durations.parse(new) <= durations.parse(old))


def _credits(new: Attribution | None, old: Attribution | None) -> bool:
    if old is None:
        return True
    return new is not None and new.text == old.text and old.url in (None, new.url) and old.place in (None, new.place)


def _reports(new: Reporting | None, old: Reporting | None) -> bool:
    return old is None or (new is not None and _no_longer(new.every, old.every))


def _revokes(new: Revocation | None, old: Revocation | None) -> bool:
    if old is None:
        return True
    strength = REVOCATION_EFFECTS.index
    return new is not None and strength(new.effect) >= strength(old.effect) and new.notice_days <= old.notice_days
