"""Usage batches: every event has one effect, whatever is repeated; sums are exact; nobody pays for another."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.statements.kinds import Event, Total
from licet.statements.licences import event_id
from licet.terms import Price, Terms, preset
from licet.wire.common import Page
from licet.wire.licensing import LicenceGranted
from licet.wire.usage import LedgerLine, UsageBatchInfo
from licet.wire.usage_arrow import MEDIA_TYPE, packed
from registry.usage import batches, verification
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running
from tests.registry.market import (
    TRAIN,
    Trainer,
    balance,
    granted,
    nothing_is_wrong,
    problem,
    reported,
    shelf,
    trainer,
)

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="0.333333", currency="USD"))
PER_OUTPUT = preset("paid", Price(model="per-output", amount="0.01", currency="USD"))


def event(lantern: Trainer, source: str, work: str, **fields: object) -> Event:
    """Return one event with the id that it must have, unless another is given."""
    known = {"run": "2", "atom": "train-gen", "unit": "run", "seq": 0, **fields}
    chosen = event_id(lantern.id, source, work, known["run"], known["atom"], known["unit"], known["seq"])  # type: ignore[arg-type]
    licensed = source.startswith("lic_")
    return Event(
        **{  # type: ignore[arg-type]
            "id": chosen,
            "licence": source if licensed else None,
            "statement": None if licensed else source,
            "work": work,
            "quantity": 1,
            "at": times.to_text(times.now()),
            "match": "exact",
            **known,
        }
    )


async def counts(lantern: Trainer, *events: Event, licence: LicenceGranted | None = None) -> tuple[int, int, int]:
    """Send events in one batch and return (new, known, memorandum)."""
    ordered = sorted(events, key=lambda each: each.id)
    answer = reported(await lantern.send(lantern.batch(ordered, licence.lines if licence else ())))
    return answer.new, answer.known, answer.memorandum


async def test_each_run_is_owed_once_and_what_is_owed_per_work_only_with_the_licence(site: Running):
    per_run, per_work = await shelf(site, PER_RUN, 3), await shelf(site, PAID, 2)
    lantern = await trainer(site)
    licence = await lantern.license([*per_run.wanted(), *per_work.wanted()])
    first = await lantern.report(licence, "1")
    assert (first.new, first.known, first.memorandum) == (0, 5, 0)
    second = await lantern.report(licence, "2")
    assert (second.new, second.known, second.memorandum) == (3, 2, 0)
    again = await lantern.report(licence, "2")
    assert (again.new, again.known, again.memorandum) == (0, 5, 0)
    assert second.receipt.kind == "usage-batch"
    assert second.receipt.id == second.batch
    assert await balance(lantern.http) == {("receivable", "USD"): "2.099998"}
    assert await balance(per_run.owner.http) == {("payable", "USD"): "1.8"}
    assert await balance(per_work.owner.http) == {("payable", "USD"): "0.09"}
    await nothing_is_wrong(site)


async def test_a_batch_sent_again_after_a_lost_answer_has_one_effect(site: Running):
    works = await shelf(site, PER_RUN, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    batch = lantern.batch(lantern.events(licence, "2"), licence.lines)
    first, second = reported(await lantern.send(batch)), reported(await lantern.send(batch))
    assert first == second
    assert (first.new, first.known) == (2, 0)
    assert await balance(lantern.http) == {("receivable", "USD"): "1.333332"}
    await nothing_is_wrong(site)


async def test_a_batch_as_arrow_is_the_same_batch(site: Running):
    works = await shelf(site, PER_RUN, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    batch = lantern.batch(lantern.events(licence, "2"), licence.lines)

    async def arrow(content: bytes) -> httpx.Response:
        headers = {"Content-Type": MEDIA_TYPE, "Idempotency-Key": f'"{identifiers.new_id("tok")}"'}
        return await lantern.http.post("/v1/usage/batches", content=content, headers=headers)

    content = packed(batch.envelope, batch.events, batch.secret)
    first = reported(await arrow(content))
    assert (first.new, first.known) == (2, 0)
    assert reported(await arrow(content)) == first
    assert reported(await lantern.send(batch)) == first
    assert await balance(lantern.http) == {("receivable", "USD"): "1.333332"}
    assert problem(await arrow(content[:500]))[:2] == (400, "invalid-request")
    spoilt = packed(batch.envelope, batch.events[::-1], batch.secret)
    other = lantern.batch(batch.events, licence.lines)
    assert problem(await arrow(packed(other.envelope, other.events[::-1], other.secret)))[:2] == (422, "invalid-events")
    assert reported(await arrow(spoilt)) == first  # what is known by its id is not read again
    await nothing_is_wrong(site)


async def test_the_same_batches_at_once_have_one_effect(site: Running):
    works = await shelf(site, PER_RUN, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    events = lantern.events(licence, "2")
    same = lantern.batch(events, licence.lines)
    others = [lantern.batch(events, licence.lines) for _ in range(3)]
    answers = [reported(each) for each in await asyncio.gather(*map(lantern.send, [same, same, *others]))]
    assert len({answer.receipt.log_index for answer in answers}) == 4
    assert sum({answer.batch: answer.new for answer in answers}.values()) == 2
    assert await balance(lantern.http) == {("receivable", "USD"): "1.333332"}
    await nothing_is_wrong(site)


async def test_a_use_that_was_reported_before_is_known_among_new_ones_though_nobody_looked_for_it(
    site: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(batches, "_LOOKED_FOR", 1)  # the first of a batch alone
    works = await shelf(site, PER_RUN, 3)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    events = lantern.events(licence, "2")
    assert await counts(lantern, events[-1], licence=licence) == (1, 0, 0)
    assert await counts(lantern, *events, licence=licence) == (2, 1, 0)
    assert await balance(lantern.http) == {("receivable", "USD"): "1.999998"}
    await nothing_is_wrong(site)


async def test_the_same_batch_identifier_for_other_content_is_a_conflict(site: Running):
    works = await shelf(site, PER_RUN, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license(works.wanted())
    number = identifiers.new_id("bat")
    reported(await lantern.send(lantern.batch(lantern.events(licence, "2"), licence.lines, batch=number)))
    for who in (lantern, other):
        events = [event(who, licence.licence, works.works[0], run="3")]
        lines = licence.lines if who is lantern else ()
        assert problem(await who.send(who.batch(events, lines, batch=number)))[:2] == (409, "conflict")


async def test_use_that_no_licence_covers_is_recorded_and_not_charged(site: Running):
    works, outside = await shelf(site, PER_RUN, 1), await shelf(site, PER_RUN, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license(works.wanted())
    owed = await balance(lantern.http)
    (work,) = works.works
    events = [
        event(lantern, licence.licence, outside.works[0]),
        event(lantern, licence.licence, identifiers.new_id("wrk")),
        event(lantern, identifiers.new_id("lic"), work),
        event(lantern, licence.licence, work, atom="generate"),
        event(lantern, licence.licence, work, unit="work"),
        event(lantern, identifiers.new_id("stm"), work),
        event(lantern, works.statement, work),
    ]
    assert await counts(lantern, *events) == (0, 0, 7)
    assert await counts(lantern, *events) == (0, 7, 0)
    # A licence covers nobody but the one who holds it.
    assert await counts(other, event(other, licence.licence, work)) == (0, 0, 1)
    assert await balance(lantern.http) == owed
    assert await balance(other.http) == {}
    async with site.services.database.acquire() as conn:
        rows = await conn.fetch(
            "select memorandum, artist from usage_events where organisation = $1 and memorandum is not null",
            identifiers.to_uuid(lantern.id),
        )
    assert sorted(row["memorandum"] for row in rows) == [
        "not-covered", "not-covered", "not-covered", "unit", "unknown-work", "use", "use",
    ]  # fmt: skip
    assert sum(row["artist"] is None for row in rows) == 1
    await nothing_is_wrong(site)


async def test_use_of_what_everybody_may_use_is_an_entry_of_zero(site: Running):
    rules = {atom: rule.to_json() for atom, rule in NO_AI.rules.items()}
    works = await shelf(site, Terms.parse({**rules, "train-gen": "allow"}), 1)
    lantern = await trainer(site)
    (work,) = works.works
    assert await counts(lantern, event(lantern, works.statement, work, unit="work", run="1")) == (1, 0, 0)
    assert await counts(lantern, event(lantern, works.statement, work, atom="mine")) == (0, 0, 1)
    assert await balance(works.owner.http) == {}


async def test_outputs_are_owed_by_quantity_once_per_period(site: Running):
    works = await shelf(site, PER_OUTPUT, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    first = await lantern.report(licence, "1", outputs=1_000)
    again = await lantern.report(licence, "1", outputs=7_000)
    later = await lantern.report(licence, "1", outputs=7, seq=1)
    assert [answer.new for answer in (first, again, later)] == [2, 0, 2]
    assert await balance(lantern.http) == {("receivable", "USD"): "20.14"}
    await nothing_is_wrong(site)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -5}, "quantity"),
        ({"quantity": 2}, "quantity"),
        ({"quantity": 10**12 + 1, "unit": "output"}, "quantity"),
        ({"seq": -1}, "seq"),
        ({"unit": "row"}, "unit"),
        ({"atom": "training"}, "atom"),
        ({"run": ""}, "run"),
        ({"run": "a\nb"}, "run"),
        ({"at": "2026-11-22"}, "at"),
        ({"work": "wrk_0"}, "work"),
        ({"licence": "lic_0"}, "licence"),
        ({"licence": None}, "licence"),
        ({"statement": "stm_01m82p7ye4fz084b9rxq02yww7"}, "licence"),
        ({"id": "f" * 64}, "id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values()))[:20],
)
async def test_an_event_that_cannot_be_is_named(site: Running, fields, named):
    lantern = await trainer(site)
    good = event(lantern, identifiers.new_id("lic"), identifiers.new_id("wrk"))
    bad = msgspec.structs.replace(good, id=good.id if "id" not in fields else "", **{
        name: value for name, value in fields.items() if name != "id"
    })  # fmt: skip
    bad = msgspec.structs.replace(bad, **({"id": fields["id"]} if "id" in fields else {}))
    answer = await lantern.send(lantern.batch([bad]))
    assert problem(answer)[:2] == (422, "invalid-events"), answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/events/0/{named}"]
    assert await counts(lantern, good) == (0, 0, 1)


async def test_a_batch_that_is_not_what_was_signed_is_refused(site: Running):
    works = await shelf(site, PER_RUN, 2)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license(works.wanted())
    owed = await balance(lantern.http)
    events = lantern.events(licence, "2")
    totals = [Total("USD", 666_666, 2)]

    async def refused(**changes: object) -> tuple[int, str]:
        return problem(await lantern.send(lantern.batch(events, licence.lines, **changes)))[:2]  # type: ignore[arg-type]

    assert await refused(count=1) == (400, "invalid-request")
    assert await refused(event_root="00" * 32) == (400, "invalid-request")
    assert await refused(totals=[]) == (422, "invalid-events")
    assert await refused(totals=[Total("USD", 666_665, 2)]) == (422, "invalid-events")
    assert await refused(totals=[*totals, Total("EUR", 0, 1)]) == (422, "invalid-events")
    assert await refused(first_at="2020-01-01T00:00:00.000Z") == (400, "invalid-request")
    assert await refused(organisation=other.id) == (422, "invalid-events")
    assert await refused(genesis="00" * 32) == (400, "invalid-request")
    assert await refused(batch=identifiers.new_id("lic")) == (400, "invalid-request")
    for issued_at in ("yesterday", "2099-01-01T00:00:00.000Z"):
        assert (await refused(issued_at=issued_at))[0] == 400
    batch = lantern.batch(events, licence.lines)
    unordered = msgspec.structs.replace(batch, events=batch.events[::-1])
    assert problem(await lantern.send(unordered))[:2] == (422, "invalid-events")
    short = msgspec.structs.replace(batch, secret="AAAA")
    assert problem(await lantern.send(short))[0] == 400
    assert problem(await site.post("/v1/usage/batches", batch, http=other.http))[0] in {400, 422}
    assert problem(await site.post("/v1/usage/batches", batch, http=works.owner.http))[0] == 403
    assert problem(await site.post("/v1/usage/batches", batch))[0] == 401
    future = lantern.events(licence, "2", at="2099-01-01T00:00:00.000Z")
    assert problem(await lantern.send(lantern.batch(future, licence.lines)))[:2] == (422, "invalid-events")
    assert await balance(lantern.http) == owed


async def test_money_waits_in_escrow_below_claim_level_2_and_new_uses_are_payable_from_then_on(site: Running):
    works = await shelf(site, PER_RUN, 1, level=0)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.3"}
    await works.owner.raise_level(2)
    await lantern.report(licence, "2")
    assert await balance(works.owner.http) == {("escrow", "USD"): "0.3", ("payable", "USD"): "0.3"}
    await nothing_is_wrong(site)


async def test_use_after_a_licence_ended_is_a_memorandum(site: Running):
    rules = {atom: rule.to_json() for atom, rule in PER_RUN.rules.items()}
    rules["train-gen"]["grant_term"] = "PT1S"
    works = await shelf(site, Terms.parse(rules), 1)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    await asyncio.sleep(1.1)
    owed = await balance(lantern.http)
    assert await counts(lantern, *lantern.events(licence, "2"), licence=licence) == (0, 0, 1)
    assert await balance(lantern.http) == owed
    before = times.to_text(times.now() - timedelta(seconds=30))
    assert await counts(lantern, *lantern.events(licence, "3", at=before), licence=licence) == (1, 0, 0)


async def test_rule_20_use_of_before_a_licence_is_not_under_it(site: Running):
    works, lantern = await shelf(site, PER_RUN, 1), await trainer(site)
    licence = await lantern.license(works.wanted())
    owed = await balance(lantern.http)
    for run, days, counted in (("2", 400, (0, 0, 1)), ("3", 1.1, (0, 0, 1)), ("4", 0.9, (1, 0, 0))):
        at = times.to_text(times.now() - timedelta(days=days))
        assert await counts(lantern, *lantern.events(licence, run, at=at), licence=licence) == counted
        if counted[2]:
            assert await balance(lantern.http) == owed
    assert await balance(works.owner.http) == {("payable", "USD"): "0.6"}  # what it began with, and one run
    await nothing_is_wrong(site)


async def test_rule_20_a_run_is_not_reported_by_calling_it_another_use_of_its_licence(site: Running):
    works, lantern = await shelf(site, PER_RUN, 1), await trainer(site)
    use = msgspec.structs.replace(TRAIN, atoms=["evaluate", "train-gen"])
    licence = granted(await lantern.accept(await lantern.quote(works.wanted(), use=use)))
    (priced,) = {line.atom for line in licence.lines}
    (other,) = {*use.atoms} - {priced}
    (event,) = lantern.events(licence, "2")
    named = event_id(lantern.id, licence.licence, event.work, event.run, other, event.unit, 0)
    renamed = msgspec.structs.replace(event, atom=other, id=named)
    assert await counts(lantern, renamed, licence=licence) == (0, 0, 1)
    assert await counts(lantern, event, licence=licence) == (1, 0, 0)
    assert await balance(works.owner.http) == {("payable", "USD"): "0.6"}
    await nothing_is_wrong(site)


async def test_everybody_sees_their_own_money_and_nothing_else(site: Running):
    hers, his = await shelf(site, PER_RUN, 2), await shelf(site, PAID, 1)
    lantern, other = await trainer(site), await trainer(site, "Other Labs")
    licence = await lantern.license([*hers.wanted(), *his.wanted()])
    batch = (await lantern.report(licence, "2")).batch
    assert await balance(other.http) == {}
    assert (await other.http.get("/v1/ledger/entries")).json() == {"items": [], "next": None}
    assert (await site.http.get("/v1/ledger/balance")).status_code == 401
    assert (await other.http.get("/v1/usage/batches")).json()["items"] == []

    async def entries(http, url: str = "/v1/ledger/entries?limit=1") -> list[LedgerLine]:
        seen: list[LedgerLine] = []
        while url:
            answer = await http.get(url)
            assert answer.status_code == 200, answer.text
            seen += msgspec.json.decode(answer.content, type=Page[LedgerLine]).items
            url = answer.headers.get("link", "").partition(">")[0].lstrip("<")
        return seen

    seen = await entries(hers.owner.http)
    assert [(line.account, line.amount, line.source) for line in seen] == [
        ("payable", "0.6", batch),
        ("payable", "0.6", licence.licence),
    ]
    assert [(line.account, line.amount) for line in await entries(his.owner.http)] == [("payable", "0.045")]
    assert sorted(line.amount for line in await entries(lantern.http)) == ["0.05", "0.666666", "0.666666"]
    mine = msgspec.json.decode((await lantern.http.get("/v1/usage/batches")).content, type=Page[UsageBatchInfo])
    assert [(each.batch, each.new, each.known) for each in mine.items] == [(batch, 2, 1)]
    assert mine.items[0].totals == [Total("USD", 716_666, 3)]


async def test_reading_everything_again_finds_an_event_that_somebody_changed(site: Running):
    works = await shelf(site, PER_RUN, 2)
    lantern = await trainer(site)
    licence = await lantern.license(works.wanted())
    batch = (await lantern.report(licence, "2")).batch
    number = identifiers.to_uuid(batch)
    async with site.services.database.transaction() as conn:
        before = await conn.fetchval("select min(at) from usage_events where batch = $1", number)
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update usage_events set at = $2 where batch = $1", number, datetime(2020, 1, 1, tzinfo=UTC))
        assert await verification.rebuild(conn) == [
            f"usage batch {batch}: expected the events that were signed, got others"
        ]
        await conn.execute("update usage_events set at = $2 where batch = $1", number, before)
        await conn.execute("set session_replication_role = origin")
    await nothing_is_wrong(site)


async def test_a_loosening_that_waits_permits_nothing(site: Running):
    works = await shelf(site, NO_AI, 1)
    lantern = await trainer(site)
    free = Terms.parse(
        {**{atom: rule.to_json() for atom, rule in NO_AI.rules.items()}, "mine": {"permission": "allow"}}
    )
    loosened = await works.owner.state(works.works, free)
    assert loosened.pending_until is not None
    used = event(lantern, loosened.statement, works.works[0], atom="mine", unit="work")
    assert await counts(lantern, used) == (0, 0, 1)
