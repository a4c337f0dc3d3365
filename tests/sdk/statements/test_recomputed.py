"""The effect of a consent follows from those before it, and no honest history is ever accused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.catalogue.effects import false_effects
from licet.catalogue.replays import Taken
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.effect import Effect, effect, effect_over
from licet.statements.kinds import CatalogueScope, Consent
from licet.statements.recomputed import Standing, hold_to_effect
from licet.terms import Price, Terms, preset
from tests.sdk.statements.world import PAID, Account, Registry

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
CHEAP = preset("paid", Price(model="per-training-run", amount="0.000001", currency="USD"))
NO_AI, RESEARCH = preset("no-ai"), preset("research")
ALL = [PAID, CHEAP, NO_AI, RESEARCH]


def consent(seq: int, terms: Terms, says: str, **changes: Any) -> Consent:
    return msgspec.structs.replace(ARTIST.consent(terms), seq=seq, effect=says, **changes)


def only(found: frozenset[Effect] | None) -> str:
    assert found is not None
    (one,) = found
    return one


def test_a_price_that_falls_is_no_tightening_whatever_it_says() -> None:
    for works in (["a"], None):
        standing = Standing()
        first = consent(1, PAID, "initial")
        assert hold_to_effect(first, standing.take(first, works))
        cheap = consent(2, CHEAP, "tighten")
        with pytest.raises(VerificationError, match="loosen, by what was in force before, got tighten"):
            hold_to_effect(cheap, standing.take(cheap, works))


def test_what_may_have_matured_is_not_decided_and_accuses_nobody() -> None:
    standing = Standing()
    for seq, terms, says in ((1, NO_AI, "initial"), (2, CHEAP, "loosen")):
        stated = consent(seq, terms, says)
        assert hold_to_effect(stated, standing.take(stated, ["a"]))
    third = consent(3, PAID, "loosen")  # from CHEAP a tightening, from NO_AI a loosening
    found = standing.take(third, ["a"])
    assert sorted(found or ()) == ["loosen", "tighten"]
    assert not hold_to_effect(third, found)


def test_behind_a_consent_that_is_missing_nothing_is_judged() -> None:
    standing = Standing()
    assert standing.take(consent(2, PAID, "tighten"), ["a"]) is None
    assert standing.take(consent(3, NO_AI, "initial"), ["a"]) is None
    assert hold_to_effect(consent(4, NO_AI, "initial"), None) is False


def test_each_work_is_judged_by_its_own_terms_and_the_catalogue_for_itself() -> None:
    standing = Standing()
    assert only(standing.take(consent(1, PAID, "initial"), ["a"])) == "initial"
    assert only(standing.take(consent(2, NO_AI, "initial"), ["b"])) == "initial"
    assert only(standing.take(consent(3, NO_AI, "initial", scope=CatalogueScope()), None)) == "initial"
    assert only(standing.take(consent(4, PAID, "tighten"), ["a", "c"])) == "tighten"
    assert only(standing.take(consent(5, PAID, "loosen"), ["a", "b"])) == "loosen"
    assert only(standing.take(consent(6, PAID, "loosen", scope=CatalogueScope()), None)) == "loosen"


STEPS = st.tuples(
    st.sampled_from(ALL), st.sets(st.sampled_from("abc"), min_size=1) | st.none(), st.sets(st.sampled_from("abc"))
)


@given(st.lists(STEPS, max_size=7), st.booleans())
def test_no_history_that_a_registry_may_have_taken_is_accused(steps: list[Any], works_known: bool) -> None:
    """A registry as the rules have it, in which any of what waits may mature between two statements."""
    own: dict[str, Terms] = {}
    waiting: dict[str, Terms] = {}
    catalogue: list[Terms] = []
    standing = Standing()
    for seq, (terms, covered, matures) in enumerate(steps, 1):
        for each in matures & waiting.keys():
            own[each] = waiting.pop(each)
        if covered is None:
            said = effect(catalogue[-1] if catalogue else None, terms)
            if said != "loosen" or matures:
                catalogue.append(terms)
            stated = consent(seq, terms, said, scope=CatalogueScope())
        else:
            said = effect_over([own.get(each) for each in covered], terms)
            for each in covered:
                waiting.pop(each, None)
                (waiting if effect(own.get(each), terms) == "loosen" else own)[each] = terms
            stated = consent(seq, terms, said)
        found = standing.take(stated, sorted(covered) if covered and works_known else None)
        assert found is not None
        if hold_to_effect(stated, found):
            assert found == {said}


def test_the_monitor_tells_of_a_false_label_in_the_log() -> None:
    history = [consent(1, PAID, "initial"), consent(2, CHEAP, "tighten"), consent(3, NO_AI, "tighten")]
    logged = [REGISTRY.log.add(envelopes.seal(each, ARTIST.key)) for each in history]
    taken = [Taken(at, f"stm_{at}", REGISTRY.log.evidence(at)) for at in logged]
    ((wrong, told),) = false_effects(taken, {at: ["a"] for at in logged})
    assert wrong.index == logged[1]
    assert told == "effect: expected loosen, by what was in force before, got tighten"
    assert list(false_effects(taken[1:], {})) == []
