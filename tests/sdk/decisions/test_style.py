"""Rule 15: a dataset that is largely one artist's needs her consent to train towards her style."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from licet.decisions import Request, State, decide
from licet.decisions.style import Held, applies, concentrated, with_style
from tests.sdk.decisions.strategies import requests, states
from tests.sdk.terms.strategies import offer, terms, written

VERIFIED = State(2)
TRAIN = Request("train-gen")


@pytest.mark.parametrize(
    ("rows", "works", "used", "found"),
    [
        (21, 20, 100, True),
        (20, 20, 100, False),
        (21, 19, 100, False),
        (201, 200, 1000, True),
        (200, 200, 1000, False),
        (0, 0, 0, False),
    ],
)
def test_rule_15_more_than_a_fifth_of_the_rows_and_at_least_20_works(rows, works, used, found):
    assert concentrated({"art_a": Held(rows, works), "art_b": Held(1, 1)}, used) == (
        frozenset({"art_a"}) if found else frozenset()
    )


def test_rule_15_only_training_is_asked():
    assert applies(TRAIN)
    assert applies(Request(["search", "train-nongen"]))
    assert not applies(Request(["search", "mine"]))
    assert not applies(Request(["train-gen", "finetune-style"]))


def test_rule_15_without_style_the_row_is_review():
    plain = written(train_gen=offer())
    decision = decide(plain, VERIFIED, TRAIN)
    assert decision.verdict == "license"
    after = with_style(decision, plain, VERIFIED, TRAIN)
    assert (after.verdict, after.reason, after.price) == ("review", "style", None)


def test_rule_15_with_style_offered_both_are_decided_together():
    both = written(train_gen=offer("1"), finetune_style=offer("5"))
    after = with_style(decide(both, VERIFIED, TRAIN), both, VERIFIED, TRAIN)
    assert (after.verdict, after.atom) == ("license", "finetune-style")
    assert after.price is not None
    assert after.price.micro == 5_000_000


def test_rule_15_a_licence_counts_only_for_what_it_was_granted_for():
    held = State(2, licences=frozenset({"lic_a"}))
    plain, both = written(train_gen=offer()), written(train_gen=offer(), finetune_style=offer())
    assert with_style(decide(plain, held, TRAIN), plain, held, TRAIN).reason == "style"
    assert with_style(decide(both, held, TRAIN), both, held, TRAIN).reason == "licensed:lic_a"


@given(terms(), states(), requests())
def test_rule_15_never_loosens(terms, state, request):
    decision = decide(terms, state, request)
    after = with_style(decision, terms, state, request)
    assert after.code >= decision.code
    if not applies(request):
        assert after == decision
    asked = msgspec.structs.replace(request, uses=(*request.uses, "finetune-style"))
    assert (
        after.code <= decide(terms, msgspec.structs.replace(state, licences=frozenset()), asked).code
        or after.code == decision.code
    )
