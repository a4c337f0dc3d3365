"""Whatever stands in an event, it is read as what was signed, or refused in words that name it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers
from licet.errors import InputError
from licet.statements.kinds import Event, LicenceLine, RegistryRef, UsageBatch
from licet.statements.licences import events_root
from licet.statements.owed import run_events
from registry.errors import Invalid
from registry.usage.events import checked
from registry.usage.refusals import InvalidEvents

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = "2026-11-22T11:59:59.000Z"
SECRET = bytes(32)
ORGANISATION, LICENCE, ARTIST = identifiers.new_id("org"), identifiers.new_id("lic"), identifiers.new_id("art")
LINES = [
    LicenceLine(
        work=identifiers.new_id("wrk"),
        account=ARTIST,
        statement=identifiers.new_id("stm"),
        terms_hash="00" * 32,
        atom="train-gen",
        model=model,
        currency="USD",
        amount=5,
        match="exact",
        escrow=False,
    )
    for model in ("per-work", "per-training-run", "per-output")
]


def reported(**fields: Any) -> list[Event]:
    named = {"organisation": ORGANISATION, "licence": LICENCE, "first_run": "1", "run": "2", "at": AT, "outputs": 9}
    return run_events(lines=LINES, **{**named, **fields})


def batch(events: list[Event], root: str) -> UsageBatch:
    return UsageBatch(
        registry=RegistryRef("registry.example/log", "00" * 32),
        organisation=ORGANISATION,
        genesis="00" * 32,
        batch=identifiers.new_id("bat"),
        dataset=None,
        count=len(events),
        event_root=root,
        totals=[],
        snapshot=None,
        first_at=min(event.at for event in events),
        last_at=max(event.at for event in events),
        issued_at=AT,
    )


def test_events_as_the_sdk_makes_them_are_read_as_they_are():
    events = reported()
    found = checked(batch(events, events_root(SECRET, events)), events, SECRET, NOW)
    assert [each.event for each in found] == events
    assert {each.work for each in found} == {identifiers.to_uuid(line.work) for line in LINES}
    assert {(event.unit, event.run, event.quantity) for event in events} == {
        ("work", "1", 1),
        ("run", "2", 1),
        ("output", "2", 9),
    }


TEXT = st.text(max_size=40) | st.sampled_from([AT, LICENCE, LINES[0].work, "train-gen", "run", "ff" * 32])


@given(
    place=st.integers(0, 2),
    changes=st.dictionaries(
        st.sampled_from(["id", "licence", "statement", "work", "atom", "run", "unit", "at"]), TEXT, min_size=1
    ),
    numbers=st.dictionaries(st.sampled_from(["seq", "quantity"]), st.integers(-(2**60), 2**60)),
)
def test_an_event_that_was_changed_anyhow_is_refused(place: int, changes: dict[str, Any], numbers: dict[str, Any]):
    events = reported()
    changed = msgspec.structs.replace(events[place], **changes, **numbers)
    if changed == events[place]:
        return
    events[place] = changed
    with pytest.raises((Invalid, InvalidEvents, InputError)):
        checked(batch(events, "00" * 32), events, SECRET, NOW)


def test_one_event_twice_and_events_out_of_order_are_refused_by_place():
    events = reported()
    for wrong in ([events[0], events[0], events[1]], events[::-1]):
        with pytest.raises(InvalidEvents, match=r"events\[1\]\.id: expected a greater id"):
            checked(batch(wrong, "00" * 32), wrong, SECRET, NOW)
