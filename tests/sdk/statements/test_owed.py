"""What a licence owes is the same sum for whoever signs it and whoever posts it (semantics 18 to 20)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet import identifiers, money
from licet.errors import InputError
from licet.statements.kinds import Event, LicenceLine, Total
from licet.statements.owed import due_at_accept, owed, run_events, totals, unit_of

ORGANISATION, LICENCE = identifiers.new_id("org"), identifiers.new_id("lic")
AT = "2026-11-22T12:00:00.000Z"


def line(model: str, amount: int = 7, currency: str | None = "USD") -> LicenceLine:
    return LicenceLine(
        work=identifiers.new_id("wrk"),
        account=identifiers.new_id("art"),
        statement=identifiers.new_id("stm"),
        terms_hash="00" * 32,
        atom="train-gen",
        model=model,
        currency=currency,
        amount=amount,
        match="exact",
        escrow=False,
    )


def events(*lines: LicenceLine, run: str, **fields: Any) -> list[Event]:
    return run_events(organisation=ORGANISATION, licence=LICENCE, first_run="1", run=run, lines=lines, at=AT, **fields)


@pytest.mark.parametrize(
    ("model", "unit", "at_accept", "first", "second"),
    [
        ("free", "work", 0, 0, 0),
        ("attribution", "work", 0, 0, 0),
        ("per-work", "work", 7, 7, 7),
        ("per-training-run", "run", 7, 7, 7),
        ("per-output", "output", 0, 21, 21),
    ],
)
def test_each_price_model_owes_for_its_own_unit(model: str, unit: str, at_accept: int, first: int, second: int):
    one = line(model, 0 if model in {"free", "attribution"} else 7)
    assert (unit_of(one), due_at_accept(one)) == (unit, at_accept)
    for run, due in (("1", first), ("2", second)):
        (event,) = events(one, run=run, outputs=3)
        assert owed(one, event, "1") == due


def test_what_is_owed_per_work_is_one_event_whichever_run_reports_it_and_per_run_another_one_each():
    per_work, per_run = line("per-work"), line("per-training-run")
    assert events(per_work, run="1") == events(per_work, run="2")
    ids = {event.id for run in ("1", "2", "2") for event in events(per_run, run=run)}
    assert len(ids) == 2
    stray = msgspec.structs.replace(events(per_work, run="1")[0], run="2")
    assert owed(per_work, stray, "1") == 0


def test_outputs_are_an_event_per_sequence_only_if_there_are_any():
    per_output = line("per-output")
    assert events(per_output, run="1") == []
    (first,), (second,) = (events(per_output, run="1", outputs=2, seq=seq) for seq in (0, 1))
    assert first.id != second.id
    assert (first.quantity, first.unit) == (2, "output")


def test_another_work_use_or_unit_is_not_under_the_line():
    one = line("per-training-run")
    (event,) = events(one, run="1")
    for field, value in (("work", identifiers.new_id("wrk")), ("atom", "mine"), ("unit", "work")):
        assert owed(one, msgspec.structs.replace(event, **{field: value}), "1") is None


def test_totals_are_per_currency_and_count_each_work_once():
    assert totals([("USD", "a", 5), ("EUR", "a", 1), ("USD", "a", 5), ("USD", "b", 0), (None, "c", 0)]) == [
        Total("EUR", 1, 1),
        Total("USD", 10, 2),
    ]
    assert totals([]) == []
    with pytest.raises(InputError, match="totals: expected at most"):
        totals([("USD", "a", money.LARGEST), ("USD", "b", 1)])


@pytest.mark.parametrize("model", ["negotiate", "pool", "subscription", "revenue-share"])
def test_a_price_that_needs_an_agreement_owes_nothing_by_itself(model: str):
    with pytest.raises(InputError, match="priced at accept"):
        unit_of(line(model))
