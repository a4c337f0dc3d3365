"""The numbered rules of the semantics that one decision can show."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest

from licet.decisions import VERDICTS, Decision, Request, State, decide, for_match, strictest
from licet.decisions.verdicts import Charge
from licet.errors import InputError
from licet.terms import ATOMS, Price, Terms, preset
from tests.sdk.terms.strategies import offer, written

VERIFIED = State(level=2)
DECLARED = State(level=0)
MINE = Request("mine")
FIRM: dict[str, Any] = {"kind": "exact", "key": "file", "fingerprint_only": False, "signed": True, "quality": None}
AT = "2026-06-01T00:00:00.000Z"


def _outcome(rule: Any, request: Request = MINE, state: State = VERIFIED) -> tuple[str, str]:
    decision = decide(written(mine=rule), state, request)
    assert decision.atom == "mine"
    return decision.verdict, decision.reason


# Claims


@pytest.mark.parametrize("level", range(5))
def test_rule_05_any_level_may_deny(level):
    assert _outcome("deny", state=State(level)) == ("deny", "denied")


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize(
    "rule",
    [
        "allow",
        {"permission": "license"},
        {"permission": "license", "price": {"model": "attribution"}, "attribution": {"text": "Su"}},
    ],
)
def test_rule_05_below_level_2_what_earns_nothing_reads_as_unknown(level, rule):
    firm = ("allow", "allowed") if rule == "allow" else ("license", "offer")
    assert _outcome(rule, state=State(level)) == (firm if level >= 2 else ("unknown", "claim-level"))


@pytest.mark.parametrize("level", range(5))
def test_rule_05_a_priced_license_stands_at_every_level(level):
    assert _outcome(offer(), state=State(level)) == ("license", "offer")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": "url"}, "url-only"),
        ({"key": "site"}, "url-only"),
        ({"kind": "near", "key": "iscc-content", "quality": None}, "content-only"),
        ({"key": "iscc-instance", "short": True}, "short-code"),
        ({"fingerprint_only": True}, "fingerprint-only"),
        ({"signed": False}, "unsigned-key"),
    ],
)
def test_rule_05_a_weak_match_may_deny_but_neither_license_nor_allow(change, reason):
    match = FIRM | change
    for rule in ("allow", {"permission": "license"}, offer()):
        for state in (VERIFIED, DECLARED):
            weak = for_match(decide(written(mine=rule), state, MINE), **match)
            assert (weak.verdict, weak.reason, weak.price) == ("review", reason, None)
    denied = decide(written(), VERIFIED, MINE)
    assert for_match(denied, **match) == denied
    open_question = Decision("review", "needs:territory", "mine")
    assert for_match(open_question, **match) == open_question


@pytest.mark.parametrize("quality", [None, 0, 49])
def test_rule_05_a_near_match_earns_only_with_a_good_fingerprint(quality):
    near = FIRM | {"kind": "near", "key": "pdq", "quality": quality}
    priced, free = decide(written(mine=offer()), VERIFIED, MINE), decide(preset("research"), VERIFIED, _research())
    assert for_match(priced, **near).reason == "quality"
    assert for_match(priced, **near | {"quality": 50}) == priced
    assert for_match(free, **near) == free
    assert for_match(priced, **FIRM) == priced


def test_rule_06_a_contest_or_challenge_changes_who_is_paid_not_the_verdict():
    for rule in ("deny", "allow", offer(), {"permission": "license"}):
        for state in (State(2, contested=True), State(2, challenged=True)):
            assert _outcome(rule, state=state) == _outcome(rule)


# Statements


def test_rule_07_terms_name_all_ten_uses():
    assert len(ATOMS) == 10
    assert set(preset("no-ai").rules) == set(ATOMS)


def test_rule_07_a_use_newer_than_the_vocabulary_of_the_terms_is_denied():
    newer = Terms(preset("no-ai").rules)
    newer.rules = {atom: rule for atom, rule in newer.rules.items() if atom != "search"}
    decision = decide(newer, VERIFIED, Request("search"))
    assert (decision.verdict, decision.reason, decision.atom) == ("deny", "vocab", "search")


def test_rule_11_license_and_allow_that_wait_deny_meanwhile():
    waiting = State(4, pending=True)
    for rule in ("allow", offer(), {"permission": "license"}):
        assert _outcome(rule, state=waiting) == ("deny", "pending")
    assert _outcome("deny", state=waiting) == ("deny", "denied")


def test_a_withdrawn_work_is_denied_for_every_use():
    for atom in ATOMS:
        decision = decide(Terms.parse(dict.fromkeys(ATOMS, "allow")), State(4, withdrawn=True), Request(atom))
        assert (decision.verdict, decision.reason) == ("deny", "withdrawn")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-05-31T23:59:59.999Z", ("deny", "valid_from")),
        ("2026-06-01T00:00:00.000Z", ("license", "offer")),
        ("2026-12-31T23:59:59.999Z", ("license", "offer")),
        ("2027-01-01T00:00:00.000Z", ("deny", "valid_until")),
        (None, ("review", "needs:at")),
    ],
)
def test_rule_12_windows_hold_from_their_start_until_just_before_their_end(at, expected):
    rule = offer(valid_from="2026-06-01", valid_until="2027-01-01")
    assert _outcome(rule, Request("mine", at=at)) == expected


# Decisions

CONDITIONS = [
    ({"audience": ["commercial", "research"]}, {"purpose": "non-commercial"}, ("deny", "audience")),
    ({"audience": ["commercial", "research"]}, {"purpose": ["commercial", "education"]}, ("deny", "audience")),
    ({"audience": ["commercial", "research"]}, {"purpose": ["commercial", "research"]}, ("license", "offer")),
    ({"audience": ["commercial"]}, {}, ("license", "offer")),
    ({"audience": ["non-commercial"]}, {}, ("deny", "audience")),
    ({"audience": ["non-commercial", "research"]}, {"purpose": "research"}, ("deny", "audience")),
    ({"territory": {"allow": ["EU"]}}, {}, ("review", "needs:territory")),
    ({"territory": {"allow": ["EU"]}}, {"territory": "DE"}, ("license", "offer")),
    ({"territory": {"allow": ["EU"]}}, {"territory": ["DE", "US"]}, ("deny", "territory")),
    ({"territory": {"deny": ["DE"]}}, {"territory": "EU"}, ("deny", "territory")),
    ({"valid_until": AT}, {}, ("review", "needs:at")),
    ({"valid_until": AT}, {"at": AT}, ("deny", "valid_until")),
    ({"valid_from": AT}, {"at": AT}, ("license", "offer")),
    ({"model_scope": "one-version"}, {"model_scope": "family"}, ("deny", "model_scope")),
    ({"model_scope": "one-version"}, {}, ("license", "offer")),
    ({"model_scope": "family"}, {"model_scope": "family"}, ("license", "offer")),
    ({"open_weights": False}, {}, ("review", "needs:open_weights")),
    ({"open_weights": False}, {"open_weights": True}, ("deny", "open_weights")),
    ({"open_weights": False}, {"open_weights": False}, ("license", "offer")),
    ({"open_weights": True}, {}, ("license", "offer")),
    ({"sublicensable": False}, {}, ("review", "needs:sublicense")),
    ({"sublicensable": False}, {"sublicense": True}, ("deny", "sublicensable")),
    ({"sublicensable": False}, {"sublicense": False}, ("license", "offer")),
    ({"sublicensable": True}, {}, ("license", "offer")),
    ({"exclusive": False}, {}, ("review", "needs:exclusive")),
    ({"exclusive": False}, {"exclusive": True}, ("deny", "exclusive")),
    ({"exclusive": False}, {"exclusive": False}, ("license", "offer")),
    ({"exclusive": True}, {"exclusive": False}, ("deny", "exclusive")),
    ({"exclusive": True}, {"exclusive": True}, ("license", "needs-agreement")),
]


@pytest.mark.parametrize(("conditions", "answers", "expected"), CONDITIONS)
def test_rule_13_a_condition_not_met_denies_and_one_not_answered_is_review(conditions, answers, expected):
    assert _outcome(offer(**conditions), Request("mine", **answers)) == expected


def test_rule_13_conditions_that_bind_a_licence_later_decide_nothing_now():
    rule = offer(
        grant_term="P1Y",
        attribution={"text": "Su"},
        reporting={"every": "P1M"},
        revocation={"notice_days": 7, "effect": "unlearn"},
    )
    assert _outcome(rule) == ("license", "offer")


@pytest.mark.parametrize("purpose", [{}, "", 0, False])
def test_a_purpose_of_another_kind_is_refused_and_not_taken_for_none(purpose: object):
    with pytest.raises(InputError, match="purpose: expected any of commercial"):
        Request.from_json({"uses": ["train-gen"], "purpose": purpose})
    assert Request.from_json({"uses": ["train-gen"], "purpose": None}).purpose == ("commercial",)
    assert Request.from_json({"uses": ["train-gen"], "purpose": []}).purpose == ("commercial",)


def test_rule_13_a_purpose_that_says_neither_is_commercial():
    assert Request("mine").purpose == Request("mine", purpose=()).purpose == ("commercial",)
    assert Request("mine", purpose="research").purpose == ("commercial", "research")
    assert Request("mine", purpose=["research", "non-commercial"]).purpose == ("non-commercial", "research")


def test_rule_13_a_condition_not_met_goes_before_one_not_answered():
    rule = offer(territory={"allow": ["DE"]}, open_weights=False, audience=["non-commercial"])
    assert _outcome(rule, Request("mine")) == ("deny", "audience")
    assert _outcome(rule, Request("mine", purpose="non-commercial")) == ("review", "needs:territory")
    assert _outcome(rule, Request("mine", purpose="non-commercial", open_weights=True)) == ("deny", "open_weights")


def test_rule_13_of_several_uses_the_strictest_decides():
    terms = written(search="allow", mine=offer(), evaluate=offer(open_weights=False))
    outcomes = {
        ("search",): ("allow", "search"),
        ("search", "mine"): ("license", "mine"),
        ("search", "mine", "evaluate"): ("review", "evaluate"),
        ("search", "mine", "evaluate", "index"): ("deny", "index"),
    }
    for uses, (verdict, atom) in outcomes.items():
        for order in permutations(uses):
            decision = decide(terms, VERIFIED, Request(order))
            assert (decision.verdict, decision.atom) == (verdict, atom)


def test_rule_13_several_uses_cost_what_the_dearest_of_them_costs():
    terms = written(mine=offer("1"), evaluate=offer("3"), train_gen=offer("2", "per-training-run"))
    assert decide(terms, VERIFIED, Request(["mine", "evaluate"])).price == Charge("per-work", "USD", 3_000_000, "work")
    assert decide(terms, VERIFIED, Request(["mine", "evaluate"])).atom == "evaluate"
    mixed = decide(terms, VERIFIED, Request(["mine", "train-gen"]))
    assert (mixed.verdict, mixed.reason) == ("license", "needs-agreement")


def test_rule_14_deny_over_review_over_license_over_unknown_over_allow():
    assert VERDICTS == ("allow", "unknown", "license", "review", "deny")
    each = [Decision(verdict, "because") for verdict in VERDICTS]
    for weaker, stronger in pairwise(each):
        for order in ((weaker, stronger), (stronger, weaker)):
            assert strictest(order) == stronger
    assert [decision.code for decision in each] == [0, 1, 2, 3, 4]


def test_rule_14_of_no_match_at_all_nothing_is_known():
    assert strictest([]) == Decision("unknown", "no-match")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_rule_14_a_derivative_match_is_never_looser_than_review(verdict):
    decision = for_match(Decision(verdict, "because", "mine"), **FIRM | {"kind": "derivative", "key": "pdq"})
    assert decision.verdict == (verdict if verdict == "deny" else "review")
    if verdict not in ("deny", "review"):
        assert (decision.reason, decision.price) == ("derivative", None)


@pytest.mark.parametrize("rule", ["deny", offer(), {"permission": "license"}, offer(territory={"allow": ["DE"]})])
def test_rule_16_a_held_licence_is_kept_without_a_new_charge(rule):
    held = State(0, licences=frozenset({"lic_b", "lic_a"}))
    decision = decide(written(mine=rule), held, MINE)
    assert (decision.verdict, decision.reason, decision.licence) == ("license", "licensed:lic_a", "lic_a")
    assert decision.price is None


def test_rule_16_what_is_allowed_needs_no_licence():
    assert _outcome("allow", state=State(2, licences=frozenset({"lic_a"}))) == ("allow", "allowed")


def test_rule_17_every_preset_leaves_search_open_and_denies_what_it_does_not_name():
    named = {
        "no-ai": set(),
        "research": {"mine", "train-nongen", "evaluate"},
        "paid": {"mine", "train-nongen", "train-gen", "evaluate"},
    }
    for name, licensed in named.items():
        terms = preset(name, PAID_PRICE if name == "paid" else None)
        for atom in ATOMS:
            expected = "allow" if atom == "search" else "license" if atom in licensed else "deny"
            assert terms.rules[atom].permission == expected, (name, atom)


PAID_PRICE = Price(model="per-training-run", amount="0.05", currency="USD")


def _research(uses: Any = "mine", *purpose: str) -> Request:
    return Request(uses, purpose=["non-commercial", "research", *purpose])


def test_rule_17_research_is_free_for_non_commercial_research_and_education():
    terms = preset("research")
    assert decide(terms, VERIFIED, _research()).price == Charge("free", None, 0, "work")
    assert decide(terms, VERIFIED, _research("train-nongen", "education")).verdict == "license"
    assert decide(terms, VERIFIED, Request("mine")).reason == "audience"
    assert decide(terms, VERIFIED, _research("mine", "commercial")).reason == "audience"
    assert decide(terms, VERIFIED, _research("train-gen")).reason == "denied"


def test_rule_17_paid_asks_for_nothing_but_the_price():
    terms = preset("paid", PAID_PRICE)
    for atom in ("mine", "train-nongen", "train-gen", "evaluate"):
        decision = decide(terms, DECLARED, Request(atom, purpose="commercial"))
        assert (decision.verdict, decision.reason) == ("license", "offer")
        assert decision.price == Charge("per-training-run", "USD", 50_000, "run")
        assert set(terms.rules[atom].to_json()) == {"permission", "price"}


def test_rule_17_an_absent_condition_restricts_nothing():
    request = Request(
        "mine",
        purpose=["commercial", "government"],
        model_scope="family",
        open_weights=True,
        territory=["CN"],
        sublicense=True,
    )
    assert _outcome(offer(), request) == ("license", "offer")


@pytest.mark.parametrize(
    "price",
    [
        {"model": "negotiate"},
        {"model": "subscription", "amount": "1", "currency": "USD", "period": "P1M"},
        {"model": "pool", "currency": "USD"},
        {"model": "revenue-share", "share_bps": 100},
        {"model": "per-output", "amount": "1", "currency": "USD", "cap": "100"},
        {"model": "per-output", "amount": "1", "currency": "USD", "minimum": "5", "period": "P1M"},
    ],
)
def test_rule_22_prices_that_cannot_be_fixed_at_accept_need_an_agreement(price):
    for state in (DECLARED, VERIFIED):
        assert _outcome({"permission": "license", "price": price}, state=state) == ("license", "needs-agreement")


def test_rule_22_nobody_takes_a_standing_offer_alone():
    assert _outcome(offer(), Request("mine", exclusive=True)) == ("license", "needs-agreement")


def test_rule_23_an_issued_licence_runs_on_after_a_tighten():
    held = State(2, licences=frozenset({"lic_a"}), withdrawn=True)
    assert _outcome("deny", state=held) == ("license", "licensed:lic_a")
