"""Holds and catalogues: what waits matures in the log, what is cancelled never does, a catalogue only restricts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from licet import identifiers, times
from licet.index import WorkState
from licet.log import entry as entries
from licet.statements import envelope as envelopes
from licet.statements.keys import KeySet
from licet.statements.kinds import ConsentMature
from licet.statements.works import works_root
from licet.terms import merge
from licet.wire.works import WorkKeys
from registry import translog
from registry.auditing import verify
from registry.consent import maturing
from registry.consent.maturing import mature_due
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    PAID_LESS,
    PAID_MORE,
    RESEARCH,
    Artist,
    accepted,
    artist,
    fingerprinted,
    reader_of,
)
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

LATER = timedelta(hours=25)


async def works_of(who: Artist, count: int) -> list[str]:
    return sorted(outcome.work for outcome in await who.register(*(fingerprinted(n) for n in range(count))))


async def state(site: Running, work: str) -> WorkState:
    index, _, _ = await reader_of(site.services).current()
    found = index.work(work)
    assert found is not None
    return found


async def waiting(who: Artist) -> list[str]:
    items = (await who.http.get("/v1/statements")).json()["items"]
    return [item["statement"] for item in items if item["pending_until"]]


async def test_a_loosening_matures_after_its_hold_with_an_entry_of_the_log(lone: Running) -> None:
    ada = await artist(lone)
    works = await works_of(ada, 3)
    await ada.state(works, NO_AI)
    loosened = await ada.state(works, PAID)
    entered = times.from_text(msgspec.json.decode(await entry_of(lone, "consent", loosened.statement))["time"])
    hold = lone.services.settings.loosening_hold
    assert await mature_due(lone.services, entered + hold - timedelta(milliseconds=1)) == 0
    assert (await state(lone, works[0])).terms == NO_AI.encoded
    assert await mature_due(lone.services, entered + hold) == 1
    for work in works:
        found = await state(lone, work)
        assert (found.terms, UUID(bytes=found.statement)) == (PAID.encoded, identifiers.to_uuid(loosened.statement))
        assert found.log_index == loosened.log_index
    assert await waiting(ada) == []
    assert await mature_due(lone.services, entered + 2 * hold) == 0

    async with lone.services.database.acquire() as conn:
        pending = await conn.fetchval("select id from log_pending where kind = 'consent-mature'")
    await translog.wait(lone.services.database, pending)
    async with lone.services.database.acquire() as conn:
        evidence = await translog.evidence(conn, pending)
    office = lone.services.keys.office
    payload = envelopes.open_as(
        ConsentMature, envelopes.parse(evidence.envelope), [office.keyid], KeySet([office.public])
    )
    digests = [bytes.fromhex((await ada.work(work)).digest) for work in works]
    assert (payload.statement, payload.count, payload.root) == (loosened.statement, 3, works_root(digests))
    entries.verify_commitment(entries.parse(evidence.entry), evidence.salt, evidence.envelope)


async def entry_of(site: Running, kind: str, subject: str) -> bytes:
    async with site.services.database.acquire() as conn:
        found: bytes = await conn.fetchval(
            "select e.entry from log_entries e join log_pending p on p.id = e.pending"
            " where p.kind = $1 and p.subject = $2",
            kind,
            subject,
        )
    return found


async def test_any_later_statement_cancels_what_waits_on_its_works_only(site: Running) -> None:
    ada = await artist(site)
    one, two, three, four = await works_of(ada, 4)
    await ada.state([one, two, three, four], PAID)
    loosened = await ada.state([one, two, three, four], PAID_LESS)
    await ada.state([one], PAID_MORE)
    await ada.withdraw([two])
    other = await ada.state([three], RESEARCH)  # another loosening: the first one is over here
    assert await waiting(ada) == [other.statement, loosened.statement]
    while await mature_due(site.services, times.now() + LATER):
        pass
    terms = [(await state(site, work)).terms for work in (one, three, four)]
    assert terms == [PAID_MORE.encoded, RESEARCH.encoded, PAID_LESS.encoded]
    assert (await state(site, two)).terms == PAID.encoded
    assert await waiting(ada) == []


async def test_an_undo_that_races_the_maturing_always_wins_and_nothing_matures_behind_it(site: Running) -> None:
    ada = await artist(site)
    (work,) = await works_of(ada, 1)
    undone = await ada.state([work], NO_AI)
    for step in range(16):
        loosened = await ada.state([work], PAID)

        async def late(step: int = step) -> None:
            await asyncio.sleep(step * 4 / 1000)
            await mature_due(site.services, times.now() + LATER)

        undone, *_ = await asyncio.gather(ada.state([work], NO_AI), late(), late())
        found = await state(site, work)
        assert (found.terms, found.log_index) == (NO_AI.encoded, undone.log_index)
        assert await mature_due(site.services, times.now() + LATER) == 0
        async with site.services.database.acquire() as conn:
            rows = await conn.fetch(
                "select p.envelope, e.index from log_pending p left join log_entries e on e.pending = p.id"
                " where p.account = $1 and p.kind = 'consent-mature'",
                identifiers.to_uuid(ada.account.id),
            )
        matured = [
            row["index"]
            for row in rows
            if envelopes.read_as(ConsentMature, envelopes.parse(row["envelope"])).statement == loosened.statement
        ]
        assert len(matured) <= 1
        assert all(index < undone.log_index for index in matured)


async def test_a_catalogue_restricts_every_work_there_is_and_every_one_to_come(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    signed_work, bare = await works_of(ada, 2)
    theirs = (await works_of(eve, 1))[0]
    await ada.state([signed_work], PAID)
    await eve.state([theirs], PAID)
    answer = await ada.state(None, RESEARCH)
    assert (answer.effect, answer.works) == ("initial", 2)
    future = (await ada.register(fingerprinted(77)))[0].work
    found = [await state(site, work) for work in (signed_work, bare, future, theirs)]
    strict = merge([PAID, RESEARCH]).encoded
    assert [each.terms for each in found] == [strict, RESEARCH.encoded, RESEARCH.encoded, PAID.encoded]
    assert [each.signed for each in found] == [True, False, False, True]
    assert not (await ada.register(fingerprinted(77)))[0].signed
    await ada.state([future], PAID)
    found_future = await state(site, future)
    assert (found_future.terms, found_future.signed) == (strict, True)


async def test_a_looser_catalogue_waits_for_works_to_come_as_well(site: Running) -> None:
    ada = await artist(site)
    work = (await works_of(ada, 1))[0]
    await ada.state([work], PAID)
    await ada.state(None, NO_AI)
    loosened = await ada.state(None, PAID)
    assert (loosened.effect, loosened.pending_until is None) == ("loosen", False)
    future = (await ada.register(fingerprinted(77)))[0].work
    assert (await state(site, work)).terms == (await state(site, future)).terms == NO_AI.encoded
    while await mature_due(site.services, times.now() + LATER):
        pass
    assert (await state(site, work)).terms == (await state(site, future)).terms == PAID.encoded
    later = (await ada.register(fingerprinted(78)))[0].work
    assert (await state(site, later)).terms == PAID.encoded


async def test_a_catalogue_for_works_to_come_alone_matures_too(site: Running) -> None:
    ada = await artist(site)
    await ada.state(None, NO_AI)
    await ada.state(None, PAID)
    while await mature_due(site.services, times.now() + LATER):
        pass
    work = (await works_of(ada, 1))[0]
    assert (await state(site, work)).terms == PAID.encoded


async def test_the_loop_matures_what_is_due_and_ends_when_told(site: Running) -> None:
    ada = await artist(site)
    work = (await works_of(ada, 1))[0]
    await ada.state([work], NO_AI)
    await ada.state([work], PAID)
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update statements set hold = interval '0' where account = $1 and hold is not null", ada.uuid
        )
    stop = asyncio.Event()
    loop = asyncio.create_task(maturing.run(site.services, stop))
    while (await state(site, work)).terms != PAID.encoded:
        await asyncio.sleep(0.01)
    stop.set()
    await loop


async def test_works_that_spoke_for_themselves_while_a_looser_catalogue_waited_stay_as_strict_and_the_books_agree(
    lone: Running,
) -> None:
    ada = await artist(lone)
    one, two, three = await works_of(ada, 3)
    await ada.state([one, two, three], PAID)
    await ada.state(None, NO_AI)
    loosened = await ada.state(None, PAID)
    await ada.state([one], PAID_MORE)
    add = WorkKeys(two, urls=["https://ada.example/two"])
    accepted(await ada.send(await ada.updating(add), [add]))
    assert await waiting(ada) == [loosened.statement]
    while await mature_due(lone.services, times.now() + LATER):
        pass
    terms = [(await state(lone, work)).terms for work in (one, two, three)]
    assert terms == [NO_AI.encoded, NO_AI.encoded, PAID.encoded]
    assert await verify(lone.services) == []

    # What cancelled it stands for nothing else: a catalogue that was passed over without a word is still told.
    async with lone.services.database.acquire() as conn:
        taken = await conn.fetch("delete from statement_works where work = $1 returning *", identifiers.to_uuid(two))
    told = [each.message for each in await verify(lone.services)]
    assert f"{two}: expected the catalogue terms of its account, got others" in told
    async with lone.services.database.acquire() as conn:
        await conn.executemany("insert into statement_works values ($1, $2)", [tuple(row.values()) for row in taken])
    stricter = await ada.state(None, PAID_MORE)
    assert await verify(lone.services) == []
    async with lone.services.database.acquire() as conn:
        await conn.execute(
            "update work_states set catalogue = (select terms from statements where id = $2), waiting = null"
            " where work = $1",
            identifiers.to_uuid(three),
            identifiers.to_uuid(loosened.statement),
        )
    told = [each.message for each in await verify(lone.services)]
    assert any(each.startswith(f"{stricter.statement}: expected it in force, because it restricts") for each in told)
