"""The guide to the interface quotes what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from registry.app import BODY_LIMIT
from registry.http import admission, holding, paging
from registry.settings import Rate, Settings, shown, variable
from registry.works import turns

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "http.md").read_text(encoding="utf-8")


def test_limits_are_those_of_the_code() -> None:
    for words in (
        f"(50 unless you say, at most {paging.LARGEST_LIMIT})",
        f"| {admission.LONGEST_URI} bytes | 414",
        f"| {admission.LARGEST_HEADERS} bytes | 431",
        f"; {BODY_LIMIT} bytes unless it says more",
        f"| {admission.BODY_PAUSE:.0f} seconds | 408",
        f"under {admission.BODY_RATE} bytes a second after {admission.BODY_GRACE:.0f} seconds",
        f"; {admission.SECONDS:.0f} unless it says otherwise",
        f"left free of {holding.MOST >> 30} GiB for all",
        f"wait to be decoded | {turns.MOST_WAITING} |",
    ):
        assert words in GUIDE, words
    assert paging.DEFAULT_LIMIT == 50


def test_quotas_are_those_of_the_settings_and_all_are_named() -> None:
    told = {name: rate for rate, name in re.findall(r"\| ([0-9]+/1[mhd]) \| `(LICET_REGISTRY_\w+)`", GUIDE)}
    found = {
        variable(name): shown(field.get_default())
        for name, field in Settings.model_fields.items()
        if isinstance(field.get_default(), Rate)
    }
    assert told == found
