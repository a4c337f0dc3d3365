"""The effect of a consent, recomputed from the consents before it (semantics 10): the label in it is only a word.

A looser consent waits, and what became of it (matured, undone, replaced) need not be known here. So each work has the
terms that it may have: more than one after a loosening. What a consent does follows for each of them, and a label that
follows for none is false. That never accuses an honest registry: where more than one follows, any of them is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from licet.errors import VerificationError
from licet.statements.consent import consent_terms
from licet.statements.effect import Effect, effect
from licet.statements.kinds import Consent, WorksScope
from licet.terms import Terms

_NONE: Final = ""  # the hash of no terms


class Standing:
    """What the terms of an account's works may be, while its consents are taken in the order of the log."""

    def __init__(self) -> None:
        self._terms: dict[str, Terms] = {}
        self._works: dict[str, frozenset[str]] = {}
        self._others = frozenset({_NONE})  # of works that no consent has named
        self._catalogue = frozenset({_NONE})
        self._seq = 0
        self._judged: dict[tuple[str, str], Effect] = {}

    def take(self, consent: Consent, works: Collection[str] | None) -> frozenset[Effect] | None:
        """Return the effects that ``consent`` may have, once it is taken; None where a consent before it is missing.

        ``works`` are those under its scope, None where they are not known: then they may be any.
        """
        known = self._seq >= 0 and consent.seq == self._seq + 1
        self._seq = consent.seq if known else -1  # after a gap nothing is known any more
        new = consent_terms(consent)
        self._terms[new.hash] = new
        if not known:
            return None
        if not isinstance(consent.scope, WorksScope):
            found = frozenset(self._effect(old, new) for old in self._catalogue)
            self._catalogue = self._after(self._catalogue, new)
            return found
        if works is not None:
            before = [self._works.get(each, self._others) for each in works]
            found = _together({frozenset(self._effect(old, new) for old in each) for each in set(before)})
            self._works.update(zip(works, (self._after(each, new) for each in before), strict=True))
            return found
        any_of = self._others.union(*self._works.values())
        found = frozenset(self._effect(old, new) for old in any_of)
        self._others |= self._after(self._others, new)
        self._works = {work: each | self._after(each, new) for work, each in self._works.items()}
        return found

    def _after(self, before: frozenset[str], new: Terms) -> frozenset[str]:
        """What may be in force once ``new`` was stated: itself, or what it is looser than."""
        return frozenset({new.hash, *(old for old in before if self._effect(old, new) == "loosen")})

    def _effect(self, old: str, new: Terms) -> Effect:
        if (old, new.hash) not in self._judged:
            self._judged[old, new.hash] = effect(self._terms.get(old), new)
        return self._judged[old, new.hash]


def hold_to_effect(consent: Consent, found: frozenset[Effect] | None) -> bool:
    """Return whether the effect of ``consent`` is recomputed, by ``found``, what it may have been (None: anything).

    Raises ``VerificationError`` for a label that it cannot have.
    """
    if found is None:
        return False
    if consent.effect not in found:
        expected = " or ".join(sorted(found))
        raise VerificationError(f"effect: expected {expected}, by what was in force before, got {consent.effect}")
    return len(found) == 1


def _together(sets: Iterable[frozenset[Effect]]) -> frozenset[Effect]:
    """What a consent over several works may do: it loosens if it loosens any, else tightens if any had terms."""
    each = list(sets)
    found: set[Effect] = set()
    if any("loosen" in one for one in each):
        found.add("loosen")
    if all(one != {"loosen"} for one in each):
        if any("tighten" in one for one in each):
            found.add("tighten")
        if all("initial" in one for one in each):
            found.add("initial")
    return frozenset(found)
