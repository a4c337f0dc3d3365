"""When a licence must end: calendar months first, the last day of a month where there is no such day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from licet.terms import durations
from registry.licensing.offers import after, covering_keys, model_key, use_key
from tests.registry.market import TRAIN

START = datetime(2027, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("P1M", datetime(2028, 1, 31, 23, 30, tzinfo=UTC)),
        ("P2M", datetime(2028, 2, 29, 23, 30, tzinfo=UTC)),
        ("P1Y2M", datetime(2029, 2, 28, 23, 30, tzinfo=UTC)),
        ("P14D", datetime(2028, 1, 14, 23, 30, tzinfo=UTC)),
        ("P2MT30M", datetime(2028, 3, 1, tzinfo=UTC)),
        ("P99999Y", None),
        ("P7971Y", datetime(9998, 12, 31, 23, 30, tzinfo=UTC)),
        ("P7971Y999D", None),
    ],
)
def test_a_grant_term_is_added_by_the_calendar(duration: str, end: datetime | None):
    assert after(START, durations.parse(duration)) == end


def test_everything_declared_but_the_model_makes_another_key():
    changes: list[dict[str, Any]] = [
        {"atoms": ["mine"]},
        {"purpose": ["research"]},
        {"territory": ["DE"]},
        {"open_weights": True},
        {"sublicense": False},
        {"exclusive": False},
    ]
    keys = {use_key(TRAIN), *(use_key(msgspec.structs.replace(TRAIN, **change)) for change in changes)}
    assert len(keys) == len(changes) + 1
    assert use_key(msgspec.structs.replace(TRAIN, version="9")) == use_key(TRAIN)
    family = msgspec.structs.replace(TRAIN, model_scope="family")
    assert (model_key(TRAIN), model_key(family)) == ("acme/lantern@1", "acme/lantern")
    assert covering_keys(TRAIN) == ["acme/lantern", "acme/lantern@1"]
    assert covering_keys(family) == ["acme/lantern"]
