"""Schemes that are in use elsewhere, worked out by hand: ours come to the same, and say how."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from licet import money, times
from licet.pricing import Item, Quantities, Window, due, written
from licet.terms import Price

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_rule_19_a_scheme_worked_out_by_hand_comes_to_the_same(file: Path):
    golden = json.loads(file.read_text())
    items = [
        Item(each["work"], each["payee"], Price.model_validate(each["price"]), each.get("weight", 1))
        for each in golden["items"]
    ]
    window = Window(**{name: times.from_text(text) for name, text in golden["window"].items()})
    found = due(items, msgspec.convert(golden["quantities"], Quantities), window)
    assert {currency: money.to_decimal(total) for currency, total in found.totals.items()} == golden["totals"]
    assert [
        {
            "work": line.work,
            "currency": line.currency,
            "amount": money.to_decimal(line.amount),
            "open": line.open,
            **{lang: written(line.steps, line.currency, lang) for lang in ("en", "zh-Hans")},
        }
        for line in found.lines
    ] == golden["lines"]


def test_the_schemes_are_there():
    assert len(GOLDEN) >= 7
