"""What holds for every terms, state and request."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from licet.decisions import CODES, KEY_KINDS, MATCH_KINDS, Request, State, decide, for_match, strictest
from licet.terms import ATOMS, Rule, Terms
from licet.terms.merging import strictest_rule
from tests.sdk.decisions.strategies import requests, states
from tests.sdk.terms.strategies import conditions, license_rules, terms

MATCHES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(MATCH_KINDS),
        "key": st.sampled_from(KEY_KINDS),
        "fingerprint_only": st.booleans(),
        "signed": st.booleans(),
        "quality": st.none() | st.integers(0, 100),
    }
)
SITUATIONS = st.tuples(terms(), states(), requests())
DECISIONS = SITUATIONS.map(lambda situation: decide(*situation))


@given(SITUATIONS, MATCHES)
def test_every_question_has_one_answer(situation, match):
    decision = decide(*situation)
    assert decision == decide(*situation)
    assert decision.verdict in CODES
    assert decision.reason
    assert decision.atom in situation[2].uses
    assert (decision.price is None) or (decision.verdict == "license" and decision.licence is None)
    weaker = for_match(decision, **match)
    assert weaker.code >= decision.code
    assert for_match(weaker, **match) == weaker
    assert msgspec.json.decode(msgspec.json.encode(weaker), type=type(weaker)) == weaker


@given(terms(), states(), st.lists(st.sampled_from([*ATOMS, "dream"]), min_size=1, max_size=3), st.none() | st.text())
def test_unknown_uses_and_odd_times_are_answered_too(terms, state, uses, at):
    request = Request("mine")
    msgspec.structs.force_setattr(request, "uses", tuple(uses))
    msgspec.structs.force_setattr(request, "at", at)
    decision = decide(terms, msgspec.structs.replace(state, licences=frozenset()), request)
    assert "dream" not in uses or decision.verdict == "deny"


@given(terms(), states(), requests(), st.sampled_from(ATOMS), license_rules())
def test_adding_a_restriction_never_loosens(terms, state, request, atom, rule):
    stricter = Terms(dict(terms.rules) | {atom: strictest_rule(terms.rules[atom], Rule(**rule))})
    assert decide(stricter, state, request).code >= decide(terms, state, request).code


@given(license_rules(), st.data(), states(), requests())
def test_adding_any_one_condition_never_loosens(written, data, state, request):
    name = data.draw(st.sampled_from(sorted(conditions())))
    condition: Any = data.draw(conditions()[name])
    bare = {key: value for key, value in written.items() if key not in {name, "valid_from", "valid_until"}}
    before = Terms(dict.fromkeys(ATOMS, Rule(**bare)))
    after = Terms(dict.fromkeys(ATOMS, Rule(**bare, **{name: condition})))
    assert decide(after, state, request).code >= decide(before, state, request).code


@given(terms(), states(), requests(), st.sampled_from(ATOMS))
def test_denying_a_use_never_loosens(terms, state, request, atom):
    denied = Terms(dict(terms.rules) | {atom: Rule(permission="deny")})
    assert decide(denied, state, request).code >= decide(terms, state, request).code


@given(terms(), states(), requests(), st.sampled_from(ATOMS))
def test_asking_for_more_never_loosens(terms, state, request, atom):
    more = msgspec.structs.replace(request, uses=(*request.uses, atom))
    assert decide(terms, state, more).code >= decide(terms, state, request).code


@given(terms(), states(), requests())
def test_a_fact_left_open_is_never_decided_better_than_its_best_answer(terms, state, request):
    for field, answers in {
        "open_weights": (True, False),
        "sublicense": (True, False),
        "exclusive": (True, False),
    }.items():
        codes = [decide(terms, state, msgspec.structs.replace(request, **{field: answer})).code for answer in answers]
        left_open = decide(terms, state, msgspec.structs.replace(request, **{field: None})).code
        assert left_open >= min(codes)


@given(terms(), states(), requests())
def test_waiting_and_withdrawal_never_loosen(terms, state, request):
    plain = msgspec.structs.replace(state, pending=False, withdrawn=False)
    for change in ({"pending": True}, {"withdrawn": True}):
        assert (
            decide(terms, msgspec.structs.replace(plain, **change), request).code >= decide(terms, plain, request).code
        )


@given(st.lists(DECISIONS, max_size=6), st.randoms())
def test_the_strictest_does_not_depend_on_order(decisions, shuffle: random.Random):
    mixed = shuffle.sample(decisions, len(decisions))
    assert strictest(mixed) == strictest(decisions)
    assert all(strictest(decisions).code >= decision.code for decision in decisions)
    if decisions:
        assert strictest(decisions) in decisions
        assert strictest(
            [strictest(decisions[:3]), strictest(decisions[3:])] if decisions[3:] else decisions
        ) == strictest(decisions)


@given(terms(), requests())
def test_a_licence_only_ever_turns_a_no_into_a_license(terms, request):
    for level in (0, 2):
        without, held = State(level), State(level, licences=frozenset({"lic_a"}))
        before, after = decide(terms, without, request), decide(terms, held, request)
        assert after == before if before.verdict == "allow" else (after.verdict, after.licence) == ("license", "lic_a")
