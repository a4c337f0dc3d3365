"""Corrections: what was reported wrongly is set right once, in the open, and nothing that was posted is changed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.statements.kinds import Event, Total
from licet.statements.licences import correction_id
from licet.terms import Price, preset
from licet.wire.licensing import LicenceGranted
from registry.errors import Conflict
from registry.settlement import refunding
from registry.usage import verification
from tests.registry.harness import Running
from tests.registry.market import Shelf, Trainer, balance, nothing_is_wrong, problem, reported, shelf, trainer
from tests.registry.usage.test_batches import event

pytestmark = pytest.mark.anyio
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.012345", currency="USD"))


def correction(of: Event, quantity: int, was: int | None = None, number: int = 1, **fields: Any) -> Event:
    """Return the event that says that there were ``quantity``."""
    fields = {"corrects": of.id, "was": of.quantity if was is None else was, "seq": number, **fields}
    return msgspec.structs.replace(of, id=correction_id(of.id, number), quantity=quantity, **fields)


async def send(lantern: Trainer, licence: LicenceGranted, *events: Event, **changes: Any) -> Any:
    ordered = sorted(events, key=lambda each: each.id)
    return await lantern.send(lantern.batch(ordered, licence.lines, **changes))


async def test_a_correction_owes_the_difference_once(site: Running):
    works = await shelf(site, PER_OUTPUT, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    one, two = lantern.events(licence, "1", outputs=1_000)
    reported(await send(lantern, licence, one, two))
    assert await balance(lantern.http) == {("receivable", "USD"): "24.69"}
    fewer = correction(one, 400)
    batch = lantern.batch([fewer], licence.lines)
    assert batch.events[0].was == 1_000
    first = reported(await lantern.send(batch))
    assert (first.new, first.known, first.memorandum) == (1, 0, 0)
    assert first.receipt.kind == "usage-batch"
    assert reported(await lantern.send(batch)) == first
    again = reported(await send(lantern, licence, fewer))
    assert (again.new, again.known) == (0, 1)
    assert await balance(lantern.http) == {("receivable", "USD"): "17.283"}
    # More than was first said, and then that none of it ever happened, of both in one batch.
    more = correction(one, 1_001, was=400, number=2)
    assert reported(await send(lantern, licence, more)).new == 1
    gone = [correction(one, 0, was=1_001, number=3), correction(two, 0)]
    assert reported(await send(lantern, licence, *gone)).new == 2
    assert await balance(lantern.http) == {}
    assert all(abs(float(amount)) < 0.00001 for amount in (await balance(works.owner.http)).values())
    await nothing_is_wrong(site)


async def test_what_was_taken_of_a_batch_is_given_back_to_the_micro_unit(site: Running):
    works = await shelf(site, PER_OUTPUT, 3)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    events = lantern.events(licence, "1", outputs=7)
    reported(await send(lantern, licence, *events))
    assert await balance(works.owner.http) != {}
    reported(await send(lantern, licence, *(correction(each, 0) for each in events)))
    assert await balance(works.owner.http) == {}
    assert await balance(lantern.http) == {}


async def test_a_correction_that_does_not_go_on_from_what_was_said_last_is_refused(site: Running):
    works = await shelf(site, PER_OUTPUT, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license(works.wanted())
    (used,) = lantern.events(licence, "1", outputs=1_000)
    unit = event(lantern, licence.licence, works.works[0])
    reported(await send(lantern, licence, used, unit))
    right = correction(used, 10)
    refusals: list[tuple[Event, str, str]] = [
        (correction(used, 10, was=999), "was", "expected 1000, which was said last"),
        (correction(used, 10, number=2), "seq", "expected 1, the number of the next correction"),
        (correction(used, 1_000), "quantity", "another than before"),
        (correction(used, -1), "quantity", "expected 0 to 1000000000000"),
        (correction(used, 10, run="other"), "run", "expected 1, as of the event that is corrected"),
        (correction(used, 10, at="2026-01-01T00:00:00.000Z"), "at", "as of the event that is corrected"),
        (correction(used, 10, work=identifiers.new_id("wrk")), "work", "as of the event that is corrected"),
        (correction(used, 10, number=0), "seq", "the number of the correction, 1 or more"),
        (msgspec.structs.replace(right, id="ab" * 32), "id", "expected the digest"),
        (msgspec.structs.replace(right, corrects=msgspec.UNSET), "corrects", "expected the id of an event"),
        (msgspec.structs.replace(right, was=msgspec.UNSET), "was", "expected the quantity said before"),
        (correction(unit, 5), "quantity", "expected 0 to 1"),
        (correction(event(lantern, licence.licence, works.works[0], run="9"), 0), "corrects", "has reported"),
    ]
    for wrong, field, expected in refusals:
        answer = await send(lantern, licence, wrong)
        assert problem(answer)[:2] == (422, "invalid-events"), answer.text
        assert [each["pointer"] for each in answer.json()["errors"]] == [f"/events/0/{field}"], answer.text
        assert expected in answer.json()["detail"]
    mixed = await send(lantern, licence, right, event(lantern, licence.licence, works.works[0], run="8"))
    assert problem(mixed)[:2] == (400, "invalid-request")
    assert problem(await send(lantern, licence, right, totals=[]))[:2] == (422, "invalid-events")
    foreign = await other.send(other.batch([right], totals=[Total("USD", -1, 1)]))
    assert problem(foreign)[:2] == (422, "invalid-events")
    assert reported(await send(lantern, licence, right)).new == 1
    of_it = correction(right, 3)
    assert problem(await send(lantern, licence, of_it))[:2] == (422, "invalid-events")
    otherwise = await send(lantern, licence, correction(used, 11))
    assert "as this correction of the event said when it was made" in otherwise.json()["detail"]
    await nothing_is_wrong(site)


async def test_what_accepting_a_licence_owes_is_its_price_and_not_corrected(site: Running):
    works = await shelf(site, preset("paid", Price(model="per-training-run", amount="2", currency="USD")), 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    (accepted,) = lantern.events(licence, "1")
    answer = await send(lantern, licence, correction(accepted, 0))
    assert problem(answer)[:2] == (422, "invalid-events")
    assert "what accepting a licence owes is its price" in answer.json()["detail"]
    (second,) = lantern.events(licence, "2")
    reported(await send(lantern, licence, second))
    assert reported(await send(lantern, licence, correction(second, 0))).new == 1
    assert await balance(lantern.http) == {("receivable", "USD"): "2"}


async def test_two_who_correct_one_event_at_once_have_one_effect(site: Running):
    works = await shelf(site, PER_OUTPUT, 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    (used,) = lantern.events(licence, "1", outputs=1_000)
    reported(await send(lantern, licence, used))
    answers = await asyncio.gather(*(send(lantern, licence, correction(used, count)) for count in (1, 2, 3, 1)))
    assert sorted(answer.status_code for answer in answers) in ([201, 201, 422, 422], [201, 422, 422, 422])
    assert sum(reported(answer).new for answer in answers if answer.status_code == 201) == 1
    await nothing_is_wrong(site)


async def test_the_correction_of_a_use_outside_a_licence_is_a_memorandum_too(site: Running):
    lantern = await trainer(site)
    used = event(lantern, identifiers.new_id("lic"), identifiers.new_id("wrk"), unit="output", quantity=5)
    batch = lantern.batch([used])
    assert reported(await lantern.send(batch)).memorandum == 1
    answer = reported(await lantern.send(lantern.batch([correction(used, 0)])))
    assert (answer.new, answer.memorandum) == (0, 1)
    assert await balance(lantern.http) == {}


async def test_reading_everything_again_finds_a_correction_of_something_else(site: Running):
    works = await shelf(site, PER_OUTPUT, 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    (used,) = lantern.events(licence, "1", outputs=1_000)
    reported(await send(lantern, licence, used))
    made = correction(used, 10)
    reported(await send(lantern, licence, made))
    async with site.services.database.transaction() as conn:
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update usage_events set quantity = 999 where id = $1", bytes.fromhex(used.id))
        found = await verification.rebuild(conn)
        await conn.execute("update usage_events set quantity = 1000 where id = $1", bytes.fromhex(used.id))
        await conn.execute("set session_replication_role = origin")
    expected = f"correction {made.id}: expected the event that it corrects, as it was said last, got another"
    assert expected in found
    await nothing_is_wrong(site)


async def charge_of(lantern: Trainer) -> str:
    """Return the newest transfer of the trainer's account."""
    return str((await lantern.http.get("/v1/ledger/entries")).json()["items"][0]["transfer"])


async def used_once(site: Running, level: int = 2) -> tuple[Trainer, LicenceGranted, Event, Shelf]:
    works, lantern = await shelf(site, PER_OUTPUT, 1, level=level), await trainer(site)
    licence = await lantern.license(works.wanted())
    (used,) = lantern.events(licence, "1", outputs=1_000)
    reported(await send(lantern, licence, used))
    return lantern, licence, used, works


@pytest.mark.parametrize("how", ["refunded", "contested"])
async def test_what_was_given_back_is_not_given_back_again_by_a_correction(site: Running, how: str):
    lantern, licence, used, works = await used_once(site)
    charge = await charge_of(lantern)
    if how == "refunded":
        await refunding.refund(site.services, charge, "a mistake")
    else:
        await refunding.contest(site.services, charge, "looked at")
    before = await balance(lantern.http)
    for quantity in (0, 2_000):
        refused = problem(await send(lantern, licence, correction(used, quantity)))
        assert refused[:2] == (422, "invalid-events")
        assert "events[0].corrects: expected an event whose charge stands" in refused[2]
    assert await balance(lantern.http) == before
    if how == "contested":  # once that stands, it is corrected as ever
        await refunding.decide(site.services, charge, refunded=False)
        reported(await send(lantern, licence, correction(used, 0)))
        assert await balance(works.owner.http) == {}
    assert await balance(lantern.http) == {}


async def test_what_a_correction_gave_back_is_not_given_back_again_by_a_refund(site: Running):
    lantern, licence, used, _ = await used_once(site, level=0)
    charge = await charge_of(lantern)
    right = correction(used, 400)
    reported(await send(lantern, licence, right))
    owed = await balance(lantern.http)
    for gives in (refunding.refund, refunding.contest):
        with pytest.raises(Conflict, match="was corrected to fewer uses since"):
            await gives(site.services, charge, "a mistake")
    assert await balance(lantern.http) == owed
    await refunding.refund(site.services, await charge_of(lantern), "there were as many")  # the correction itself
    refused = problem(await send(lantern, licence, correction(used, 0, was=400, number=2)))
    assert "an event whose charge stands" in refused[2]
    assert reported(await send(lantern, licence, right)).known == 1  # what was made stays made
    assert await balance(lantern.http) == {("receivable", "USD"): "12.345"}
    await nothing_is_wrong(site)


async def test_of_a_correction_and_a_refund_at_the_same_moment_one_gives_back(site: Running):
    for _ in range(4):
        lantern, licence, used, works = await used_once(site)
        charge = await charge_of(lantern)
        both: list[Any] = [
            send(lantern, licence, correction(used, 0)),
            refunding.refund(site.services, charge, "a mistake"),
        ]
        found: list[Any] = await asyncio.gather(*both, return_exceptions=True)
        corrected, refunded = found
        assert (corrected.status_code == 201) == isinstance(refunded, Conflict), (corrected.text, refunded)
        assert await balance(lantern.http) == {}
        assert await balance(works.owner.http) == {}
