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
from licet.statements.event_columns import EventColumns
from licet.statements.kinds import Event, LicenceLine, RegistryRef, UsageBatch
from licet.statements.licences import event_id, events_root
from licet.statements.owed import run_events
from registry.errors import RegistryError
from registry.usage import reading
from registry.usage.events import checked

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


OTHER_LICENCE = identifiers.new_id("lic")


def used(source: str, work: str, run: str, unit: str, seq: int, at: str, match: Any) -> Event:
    licensed = source.startswith("lic_")
    seq = seq if unit == "output" else 0  # of each run a work is used in once
    return Event(
        id=event_id(ORGANISATION, source, work, run, "train-gen", unit, seq),
        licence=source if licensed else None,
        statement=None if licensed else source,
        work=work,
        atom="train-gen",
        run=run,
        unit=unit,
        seq=seq,
        quantity=1 if unit != "output" else 7,
        at=at,
        match=match,
    )


@pytest.mark.parametrize("unit", ["work", "run"])
def test_a_run_or_a_work_is_not_used_once_more_under_another_number(unit: str):
    event = used(LICENCE, LINES[0].work, "1", unit, 0, AT, "exact")
    again = msgspec.structs.replace(
        event, seq=1, id=event_id(ORGANISATION, LICENCE, event.work, event.run, event.atom, unit, 1)
    )
    for said in (
        refusal(checked, batch([again], events_root(SECRET, [again])), [again]),
        refusal(reading.checked, batch([again], events_root(SECRET, [again])), EventColumns.of([again])),
    ):
        assert said is not None
        assert f"events[0].seq: expected 0: of each {unit} a work is used in once, got 1" in said


def refusal(check: Any, payload: UsageBatch, events: Any) -> str | None:
    """Return what a batch is refused for, if it is."""
    try:
        check(payload, events, SECRET, NOW)
    except (RegistryError, InputError) as error:
        return str(error)
    return None


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
    payload = batch(events, "00" * 32)
    found = refusal(checked, payload, events)
    assert found is not None
    assert refusal(reading.checked, payload, EventColumns.of(events)) == found


def test_one_event_twice_and_events_out_of_order_are_refused_by_place():
    events = reported()
    for wrong in ([events[0], events[0], events[1]], events[::-1]):
        for check, form in ((checked, list), (reading.checked, EventColumns.of)):
            found = refusal(check, batch(wrong, "00" * 32), form(wrong))
            assert found is not None
            assert found.startswith("events[1].id: expected a greater id")


@given(
    events=st.lists(
        st.builds(
            used,
            source=st.sampled_from([LICENCE, OTHER_LICENCE, LINES[0].statement]),
            work=st.sampled_from([line.work for line in LINES]),
            run=st.sampled_from(["1", "2", 'a "run"', "次"]),
            unit=st.sampled_from(["work", "run", "output"]),
            seq=st.integers(0, 3),
            at=st.sampled_from([AT, "2026-11-22T11:58:59.123Z"]),
            match=st.sampled_from(["exact", "near"]),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda event: event.id,
    )
)
def test_columns_are_read_as_events_are_one_by_one(events: list[Event]):
    events.sort(key=lambda event: event.id)
    payload = batch(events, events_root(SECRET, events))
    one_by_one = checked(payload, events, SECRET, NOW)
    uses = reading.checked(payload, EventColumns.of(events), SECRET, NOW)
    assert [uses.columns.event(row) for row in range(len(events))] == events
    assert uses.ids == [each.id for each in one_by_one]
    assert [uses.sources[place] for place in uses.source] == [each.source for each in one_by_one]
    assert [uses.works[place] for place in uses.work] == [each.work for each in one_by_one]
    assert uses.at.tolist() == [int(each.at.timestamp() * 1000) * 1000 for each in one_by_one]
    spoilt = batch(events, "00" * 32)
    assert refusal(reading.checked, spoilt, EventColumns.of(events)) == refusal(checked, spoilt, events)
