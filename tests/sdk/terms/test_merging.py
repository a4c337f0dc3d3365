"""Effective terms (semantics 8): the strictest of several, whatever their order."""

from __future__ import annotations

import pytest
from hypothesis import given

from licet.decisions import CODES, decide
from licet.errors import InputError
from licet.terms import Terms, merge, preset
from tests.sdk.decisions.strategies import requests, states
from tests.sdk.terms.strategies import offer, terms, written


@given(terms(), terms(), states(), requests())
def test_rule_08_effective_terms_are_never_looser_than_any_part(a, b, state, request):
    verdict = CODES[decide(merge([a, b]), state, request).verdict]
    assert verdict >= CODES[decide(a, state, request).verdict]
    assert verdict >= CODES[decide(b, state, request).verdict]


@given(terms(), terms(), terms(), states(), requests())
def test_rule_08_order_and_repetition_do_not_matter(a, b, c, state, request):
    def outcome(merged: Terms):
        decision = decide(merged, state, request)
        return decision.verdict, decision.reason, decision.price

    assert outcome(merge([a, b])) == outcome(merge([b, a]))
    assert outcome(merge([merge([a, b]), c])) == outcome(merge([a, merge([b, c])])) == outcome(merge([c, b, a]))
    assert merge([a, a]) == a
    assert outcome(merge([a, b, a])) == outcome(merge([a, b]))


@given(terms(), terms())
def test_merged_terms_are_valid_terms(a, b):
    merged = merge([a, b])
    assert Terms.decode(merged.encoded) == merged


@given(terms())
def test_denying_everything_wins_and_allowing_everything_gives_way(a):
    shut, wide = written(), Terms.parse(dict.fromkeys(a.rules, "allow"))
    assert merge([a, shut]) == shut
    assert merge([a, wide]) == a


def _both(first, second):
    return merge([written(mine=first), written(mine=second)]).to_json()["mine"]


def test_conditions_meet_one_by_one():
    first = offer(
        "1",
        audience=["commercial", "research"],
        territory={"allow": ["EU", "JP"]},
        valid_from="2026-01-01",
        grant_term="P1Y",
        open_weights=True,
        attribution={"text": "Su"},
        revocation={"notice_days": 30, "effect": "unlearn"},
    )
    second = offer(
        "2",
        audience=["commercial", "education"],
        territory={"allow": ["DE", "US"], "deny": ["AT"]},
        valid_from="2027-01-01",
        valid_until="2028-01-01",
        grant_term="P6M",
        open_weights=False,
        model_scope="one-version",
        attribution={"text": "Bo", "url": "https://bo.example/"},
        revocation={"notice_days": 7, "effect": "stop-new-runs"},
    )
    assert _both(first, second) == {
        "permission": "license",
        "price": {"model": "per-work", "amount": "2", "currency": "USD"},
        "audience": ["commercial"],
        "territory": {"allow": ["DE"], "deny": ["AT"]},
        "valid_from": "2027-01-01T00:00:00.000Z",
        "valid_until": "2028-01-01T00:00:00.000Z",
        "grant_term": "P6M",
        "model_scope": "one-version",
        "open_weights": False,
        "attribution": {"text": "Bo https://bo.example/; Su"},
        "revocation": {"notice_days": 7, "effect": "unlearn"},
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"audience": ["commercial"]}, {"audience": ["non-commercial"]}),
        ({"audience": ["commercial", "research"]}, {"audience": ["non-commercial", "research"]}),
        ({"territory": {"allow": ["DE"]}}, {"territory": {"allow": ["US"]}}),
        ({"territory": {"allow": ["DE"]}}, {"territory": {"deny": ["EU"]}}),
        ({"valid_until": "2027-01-01"}, {"valid_from": "2027-01-01"}),
        ({"exclusive": True}, {"exclusive": False}),
    ],
)
def test_conditions_that_nobody_can_meet_together_deny(first, second):
    assert _both(offer(**first), offer(**second)) == {"permission": "deny"}


def test_prices_of_different_kinds_wait_for_an_answer():
    assert _both(offer(), offer(currency="EUR"))["price"] == {"model": "negotiate"}
    assert _both(offer(), offer(model="per-training-run"))["price"] == {"model": "negotiate"}
    assert _both(offer(), {"permission": "license"})["price"] == offer()["price"]


def test_credits_never_outgrow_a_line():
    many = [written(mine=offer(attribution={"text": f"{number:03d} " + "x" * 200})) for number in range(6)]
    assert len(merge(many).rules["mine"].attribution.text) <= 500  # type: ignore[union-attr]


def test_nothing_cannot_be_merged():
    with pytest.raises(InputError, match="terms: expected one or more"):
        merge([])
    assert merge([preset("no-ai")]) == preset("no-ai")
