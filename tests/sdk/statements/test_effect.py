"""Rule 10: whether terms tighten or loosen follows from what they decide."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.decisions import CODES, decide
from licet.statements.effect import effect, effect_over, rule_tightens
from licet.terms import ATOMS, Rule, Terms, merge, preset
from licet.terms.countries import EU_MEMBERS
from tests.sdk.decisions.strategies import requests, states
from tests.sdk.terms.strategies import conditions, license_rules, offer, terms, written


@given(terms(), terms(), st.lists(st.tuples(states(), requests()), min_size=1, max_size=8))
def test_rule_10_a_tightening_is_at_least_as_strict_for_every_request(old, new, questions):
    for candidate in (new, old):
        if effect(old, candidate) == "tighten":
            for state, request in questions:
                assert CODES[decide(candidate, state, request).verdict] >= CODES[decide(old, state, request).verdict]


@given(license_rules(), st.data(), st.lists(st.tuples(states(), requests()), min_size=1, max_size=5))
def test_rule_10_one_changed_condition_is_judged_by_what_it_decides(written_rule, data, questions):
    name = data.draw(st.sampled_from(sorted(conditions())))
    bare = {key: value for key, value in written_rule.items() if key not in {"valid_from", "valid_until"}}
    changed = bare | {name: data.draw(conditions()[name])}
    old, new = Terms(dict.fromkeys(ATOMS, Rule(**bare))), Terms(dict.fromkeys(ATOMS, Rule(**changed)))
    for one, other in ((old, new), (new, old)):
        if effect(one, other) == "tighten":
            for state, request in questions:
                assert CODES[decide(other, state, request).verdict] >= CODES[decide(one, state, request).verdict]


@given(terms(), terms(), st.lists(st.tuples(states(), requests()), min_size=1, max_size=8))
def test_rule_10_what_needed_the_artists_answer_is_no_standing_offer_after_a_tightening(old, new, questions):
    for candidate in (new, merge([old, new])):
        if effect(old, candidate) == "tighten":
            for state, request in questions:
                before, after = decide(old, state, request), decide(candidate, state, request)
                assert before.reason != "needs-agreement" or after.reason != "offer"


@given(terms(), terms(), terms())
def test_rule_10_tightening_is_a_preorder(a, b, c):
    assert effect(a, a) == "tighten"
    if effect(a, b) == effect(b, c) == "tighten":
        assert effect(a, c) == "tighten"


@given(terms())
def test_rule_10_everything_tightens_to_deny_and_loosens_from_it(some):
    shut = written()
    assert effect(some, shut) == "tighten"
    assert (effect(shut, some) == "tighten") is (some == shut)


EU = sorted(EU_MEMBERS)
SU, SU_AT = {"text": "Su"}, {"text": "Su", "url": "https://su.example/"}
WEEK, UNLEARN = {"notice_days": 7}, {"notice_days": 7, "effect": "unlearn"}
OUTPUT = offer("1", "per-output")
CAP_10, CAP_100 = (OUTPUT | {"price": OUTPUT["price"] | {"cap": cap}} for cap in ("10", "100"))
MINIMUM = OUTPUT | {"price": OUTPUT["price"] | {"minimum": "1"}}
BOTH = OUTPUT | {"price": MINIMUM["price"] | {"cap": "100"}}
CHANGES: list[tuple[str, Any, Any, bool]] = [
    ("a price of 100 down to 0.000001", offer("100"), offer("0.000001"), False),
    ("a price up", offer("1"), offer("100"), True),
    ("another currency", offer("1"), offer("100", currency="EUR"), False),
    ("another price model", offer("1"), offer("100", "per-training-run"), False),
    ("a price to free", offer("1"), {"permission": "license"}, False),
    ("free to a price is another model", {"permission": "license"}, offer("1"), False),
    ("a price to negotiate", offer("1"), {"permission": "license", "price": {"model": "negotiate"}}, False),
    ("a lower cap", CAP_100, CAP_10, False),
    ("a higher cap", CAP_10, CAP_100, True),
    ("a cap where there was none", OUTPUT, CAP_100, False),
    ("no cap any more, so that anybody may accept it", CAP_100, OUTPUT, False),
    ("no cap any more, with a minimum as before", BOTH, MINIMUM, True),
    ("a license to allow", offer(), "allow", False),
    ("allow to a license", "allow", offer(), True),
    ("allow to a free license", "allow", {"permission": "license"}, True),
    ("a deny to a license", "deny", offer(), False),
    ("a license to a deny", offer(), "deny", True),
    ("dropping the audience", offer(audience=["non-commercial"]), offer(), False),
    ("adding an audience", offer(), offer(audience=["non-commercial"]), True),
    ("one audience less", offer(audience=["commercial", "research"]), offer(audience=["commercial"]), True),
    ("one audience more", offer(audience=["commercial"]), offer(audience=["commercial", "research"]), False),
    ("dropping the territory", offer(territory={"allow": ["DE"]}), offer(), False),
    ("even one of all countries", offer(territory={"deny": ["DE"]}), offer(), False),
    ("a wider territory", offer(territory={"allow": ["DE"]}), offer(territory={"allow": ["EU"]}), False),
    ("a narrower territory", offer(territory={"allow": ["EU"]}), offer(territory={"allow": ["DE"]}), True),
    ("the same territory otherwise written", offer(territory={"allow": ["EU"]}), offer(territory={"allow": EU}), True),
    ("an earlier start", offer(valid_from="2027-01-01"), offer(valid_from="2026-01-01"), False),
    ("no start any more", offer(valid_from="2027-01-01"), offer(), False),
    ("a later end", offer(valid_until="2027-01-01"), offer(valid_until="2028-01-01"), False),
    ("an earlier end", offer(valid_until="2028-01-01"), offer(valid_until="2027-01-01"), True),
    ("no end any more", offer(valid_until="2028-01-01"), offer(), False),
    ("a longer licence", offer(grant_term="P1Y"), offer(grant_term="P2Y"), False),
    ("a licence that does not compare", offer(grant_term="P1M"), offer(grant_term="P30D"), False),
    ("a licence without end", offer(grant_term="P1Y"), offer(), False),
    ("one version to family", offer(model_scope="one-version"), offer(model_scope="family"), False),
    ("one version to any", offer(model_scope="one-version"), offer(), False),
    ("family to one version", offer(model_scope="family"), offer(model_scope="one-version"), True),
    ("weights may be open now", offer(open_weights=False), offer(open_weights=True), False),
    ("weights must be closed now", offer(), offer(open_weights=False), True),
    ("may be passed on now", offer(sublicensable=False), offer(), False),
    ("may be had alone now", offer(exclusive=False), offer(exclusive=True), False),
    ("alone or not", offer(exclusive=True), offer(), False),
    ("no credit any more", offer(attribution=SU), offer(), False),
    ("another credit", offer(attribution=SU), offer(attribution={"text": "Bo"}), False),
    ("more credit", offer(attribution=SU), offer(attribution=SU_AT), True),
    ("less credit", offer(attribution={"text": "Su", "place": "card"}), offer(attribution=SU), False),
    ("fewer reports", offer(reporting={"every": "P1M"}), offer(reporting={"every": "P3M"}), False),
    ("more reports", offer(reporting={"every": "P3M"}), offer(reporting={"every": "P1M"}), True),
    ("no reports any more", offer(reporting={"every": "P3M"}), offer(), False),
    ("a longer notice", offer(revocation=WEEK), offer(revocation={"notice_days": 8}), False),
    ("a shorter notice", offer(revocation=WEEK), offer(revocation={"notice_days": 0}), True),
    ("a weaker revocation", offer(revocation=UNLEARN), offer(revocation=WEEK), False),
    ("a stronger revocation", offer(revocation=WEEK), offer(revocation=UNLEARN), True),
    ("no revocation any more", offer(revocation=WEEK), offer(), False),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "tightens"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_rule_10_each_way_to_change_a_rule(old, new, tightens):
    before, after = written(mine=old), written(mine=new)
    assert effect(before, after) == ("tighten" if tightens else "loosen")
    assert rule_tightens(after.rules["mine"], before.rules["mine"]) is tightens


def test_rule_10_tightening_one_use_does_not_buy_the_loosening_of_another():
    before = written(mine=offer("1"), evaluate=offer("1"))
    assert effect(before, written(mine=offer("100"), evaluate=offer("0.5"))) == "loosen"
    assert effect(before, written(mine=offer("100"))) == "tighten"


def test_rule_10_over_many_works_one_loosening_is_a_loosening():
    some, shut = preset("research"), preset("no-ai")
    assert effect(None, some) == effect_over([], some) == effect_over([None, None], some) == "initial"
    assert effect_over([some, None], some) == "tighten"
    assert effect_over([some, shut], some) == "loosen"
    assert effect_over([some, shut, None], shut) == "tighten"
