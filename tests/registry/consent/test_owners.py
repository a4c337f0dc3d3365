"""Whatever an account and its co-owners state, in whatever order: nothing is looser than anybody's latest word."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from licet.statements.effect import effect
from licet.terms import Terms, merge
from registry.consent.planning import DENY_ALL, hash_of, plan_catalogue, plan_maturing, plan_works, together
from registry.consent.types import Group, Plan, Scope
from tests.registry.catalogue import NO_AI, PAID, PAID_LESS, PAID_MORE, RESEARCH

TERMS = (NO_AI, RESEARCH, PAID, PAID_LESS, PAID_MORE, DENY_ALL)
OWNERS = 3  # the first one registered the work

steps = st.lists(
    st.one_of(
        st.tuples(st.integers(0, OWNERS - 1), st.sampled_from(("works", "catalogue")), st.sampled_from(TERMS)),
        st.tuples(st.integers(0, OWNERS - 1), st.just("mature"), st.just(NO_AI)),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class Said:
    """What one of them said of the work, by the service's own plans; and by the rules, a word at a time."""

    own: bytes = b""
    catalogue: bytes = b""
    terms: bytes = b""
    waits: tuple[Scope, Terms] | None = None
    latest: dict[str, Terms] = field(default_factory=dict)
    held: tuple[Scope, Terms] | None = None

    def take(self, plan: Plan, scope: Scope, terms: Terms) -> None:
        (step,) = plan.steps
        self.own, self.catalogue, self.terms = step.own, step.catalogue, step.terms
        self.waits = (scope, terms) if step.waits else None


@given(steps)
def test_rule_08_effective_terms_are_the_strictest_of_what_all_owners_said_last(words: list[tuple[int, str, Terms]]):
    known = {hash_of(each): each for each in TERMS}
    said = [Said() for _ in range(OWNERS)]
    for who, what, terms in words:
        speaker = said[who]
        shared = together(b"", b"", [each.terms for each in said[1:] if each.terms], known)[0]
        beside = b"" if who or shared is None else hash_of(shared)
        if shared is not None:
            known[hash_of(shared)] = shared
        group = Group(speaker.own, speaker.catalogue, False, False, 1, beside)
        if what == "mature":
            if speaker.waits is None:
                continue
            scope, coming = speaker.waits
            plan = plan_maturing([group], scope, coming, known)
            speaker.take(plan, scope, coming)
            speaker.waits = None
            assert speaker.held == (scope, coming)
            speaker.latest[scope], speaker.held = coming, None
        else:
            scope = "works" if what == "works" else "catalogue"
            before = known.get(speaker.own if scope == "works" else speaker.catalogue)
            plan = (
                plan_works([group], terms, known) if scope == "works" else plan_catalogue([group], terms, known, before)
            )
            speaker.take(plan, scope, terms)
            if effect(speaker.latest.get(scope), terms) == "loosen":
                speaker.held = (scope, terms)
            else:
                speaker.latest[scope], speaker.held = terms, None
        known.update(plan.terms)
        _hold(said, known)


def _hold(said: list[Said], known: dict[bytes, Terms]) -> None:
    shared, effective = together(said[0].own, said[0].catalogue, [each.terms for each in said[1:] if each.terms], known)
    latest = [terms for each in said for terms in each.latest.values()]
    assert effective is not None
    for terms in latest:
        assert merge([effective, terms]) == effective  # at least as strict as every one
    assert {atom: rule.permission for atom, rule in effective.rules.items()} == {
        atom: rule.permission for atom, rule in merge(latest).rules.items()
    }  # and not stricter than all of them together
    assert shared is None or merge([effective, shared]) == effective
