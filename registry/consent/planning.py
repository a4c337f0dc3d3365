"""What a statement does to works (semantics 8, 10, 11): pure, a decision for each group of works that stand alike.

- Tightening, and the first terms of a work, act at once.
- A loosening waits; what is in force stays. Whatever waited before on a covered work is cancelled, whichever it was.
- The first terms of a work that matches somebody's are in force at once in what they deny; their license and allow are
  *pending* and deny meanwhile. Until that is over, every further statement only replaces what is pending.
- A catalogue statement is merged with a work's own terms, so it can only restrict. So is what co-owners say; what each
  of them says is planned in the same way, for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from licet.statements.effect import effect, effect_over
from licet.terms import ATOMS, Rule, Terms, merge
from registry.consent.types import Group, Plan, Scope, Step

DENY_ALL = Terms({atom: Rule(permission="deny") for atom in ATOMS})


def hash_of(terms: Terms) -> bytes:
    """Return the hash of ``terms`` as it is stored."""
    return bytes.fromhex(terms.hash)


def plan_works(groups: Iterable[Group], stated: Terms, known: Mapping[bytes, Terms]) -> Plan:
    """Return what ``stated`` does as the own terms of works; ``known`` has all terms that ``groups`` name."""
    groups = list(groups)
    named = {**known, hash_of(stated): stated}
    steps = []
    for group in groups:
        old = known.get(group.own)
        held = (group.pending or (old is None and group.matched)) and effect(DENY_ALL, stated) == "loosen"
        if effect(old, stated) == "loosen" and not group.pending:
            steps.append(_kept(group, named))
        else:
            terms = _merged(hash_of(stated), group.catalogue, group.shared, named)
            steps.append(Step(group, hash_of(stated), group.catalogue, terms, speaks=True, waits=held, pending=held))
    return Plan(effect_over([known.get(group.own) for group in groups], stated), steps, named)


def plan_catalogue(
    groups: Iterable[Group], stated: Terms, known: Mapping[bytes, Terms], standing: Terms | None
) -> Plan:
    """Return what ``stated`` does as the catalogue of an account that had ``standing`` (None: it had none)."""
    named = {**known, hash_of(stated): stated}
    steps = []
    for group in groups:
        old = known.get(group.catalogue)
        if effect(old, stated) == "loosen" and not group.pending:
            steps.append(_kept(group, named))
            continue
        terms = _merged(group.own, hash_of(stated), group.shared, named)
        speaks = not group.own
        steps.append(
            Step(group, group.own, hash_of(stated), terms, speaks=speaks, waits=group.pending, pending=group.pending)
        )
    return Plan(effect(standing, stated), steps, named)


def plan_update(groups: Iterable[Group], known: Mapping[bytes, Terms], *, met: bool) -> Plan:
    """Return what new keys do to works; ``met``: they match works of others.

    Terms stay as they are. What waited to loosen was signed over other keys and is cancelled; first terms that wait
    go on waiting, anew, and where the new keys meet works of others those in force wait as first terms do.
    """
    named = dict(known)
    steps = []
    for group in groups:
        held = (group.pending or met) and effect(DENY_ALL, named[group.own]) == "loosen"
        terms = _merged(group.own, group.catalogue, group.shared, named)
        steps.append(Step(group, group.own, group.catalogue, terms, speaks=False, waits=held, pending=held))
    return Plan("loosen", steps, named)


def plan_maturing(groups: Iterable[Group], scope: Scope, stated: Terms | None, known: Mapping[bytes, Terms]) -> Plan:
    """Return what becomes of works on which the hold of ``stated`` is over (None: of an update, so all are pending)."""
    named = dict(known) if stated is None else {**known, hash_of(stated): stated}
    steps = []
    for group in groups:
        own, catalogue, speaks = group.own, group.catalogue, False
        if group.pending or stated is None:
            pass  # what is in force already goes on, whole
        elif scope == "works":
            own, speaks = hash_of(stated), True
        else:
            catalogue, speaks = hash_of(stated), not group.own
        terms = _merged(own, catalogue, group.shared, named)
        steps.append(Step(group, own, catalogue, terms, speaks=speaks, waits=False, pending=False))
    return Plan("loosen", steps, named)


def _kept(group: Group, named: dict[bytes, Terms]) -> Step:
    terms = _merged(group.own, group.catalogue, group.shared, named)
    return Step(group, group.own, group.catalogue, terms, speaks=False, waits=True, pending=False)


def together(
    own: bytes, catalogue: bytes, owners: Iterable[bytes], known: Mapping[bytes, Terms]
) -> tuple[Terms | None, Terms | None]:
    """Return the strictest of what ``owners`` beside the account say (None: nothing), and with its own (None: none)."""
    said = [known[each] for each in sorted(set(owners))]
    shared = merge(said) if said else None
    parts = [known[each] for each in (own, catalogue) if each] + ([] if shared is None else [shared])
    return shared, merge(parts) if parts else None


def _merged(own: bytes, catalogue: bytes, shared: bytes, named: dict[bytes, Terms]) -> bytes:
    """Return the hash of the effective terms, which are in ``named`` afterwards."""
    effective = merge([named[each] for each in (own, catalogue, shared) if each])
    named[hash_of(effective)] = effective
    return hash_of(effective)
