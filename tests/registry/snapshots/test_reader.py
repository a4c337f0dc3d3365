"""The reader (semantics 23): no answer that begins after an acknowledgement is made without it, or none is made."""

from __future__ import annotations

import asyncio

import pytest

from registry import consent
from registry.snapshots import ConsentUnreadable, Reader
from registry.snapshots import reader as reading
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, fingerprinted
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def works_of(who: Artist, count: int) -> list[str]:
    return [outcome.work for outcome in await who.register(*(fingerprinted(n) for n in range(count)))]


async def agree(site: Running, *readers: Reader) -> None:
    """Assert that every reader's index holds exactly the records in force."""
    async with site.services.database.transaction() as conn:
        records = {record.work: record async for piece in consent.all_records(conn) for record in piece}
    for reader in readers:
        index, _, _ = await reader.current()
        assert len(index.works) == len(records)
        for work, record in records.items():
            found = index.work(work)
            assert found is not None
            assert (found.terms, found.level, found.log_index) == (record.terms, record.level, record.log_index)
            assert found.withdrawn == record.withdrawn


async def test_every_acknowledged_tighten_is_in_every_later_index(site: Running) -> None:
    people = [await artist(site, f"Artist {n}") for n in range(3)]
    works = {who.id: await works_of(who, 2) for who in people}
    for who in people:
        await who.state(works[who.id], PAID)
    readers = [Reader(site.services) for _ in range(3)]

    async def tighten(who: Artist) -> None:
        for work in works[who.id]:
            answer = await who.state([work], NO_AI)
            for index, _, size in await asyncio.gather(*(reader.current() for reader in readers)):
                found = index.work(work)
                assert found is not None
                assert (found.terms, found.log_index) == (NO_AI.encoded, answer.log_index)
                assert answer.log_index < size

    await asyncio.gather(*(tighten(who) for who in people))
    await agree(site, *readers)


async def test_an_index_that_was_handed_out_stays_as_it_is(site: Running) -> None:
    ada = await artist(site)
    (work,) = await works_of(ada, 1)
    await ada.state([work], PAID)
    reader = Reader(site.services)
    before, version, _ = await reader.current()
    await ada.state([work], NO_AI)
    after, moved, _ = await reader.current()
    old, new = before.work(work), after.work(work)
    assert moved > version
    assert old is not None
    assert new is not None
    assert (old.terms, new.terms) == (PAID.encoded, NO_AI.encoded)
    same, _, _ = await reader.current()
    assert same is after


async def test_readers_agree_whatever_they_started_from(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "REBASE_AFTER", 2)
    ada = await artist(site)
    works = await works_of(ada, 6)
    early = Reader(site.services)
    await agree(site, early)
    for terms in (PAID, NO_AI):
        await ada.state(works, terms)
        await agree(site, early, Reader(site.services))
        await publish(site.services)
        await agree(site, early, Reader(site.services))
        await ada.state(works[:2], NO_AI)
        await ada.raise_level(2 if terms is PAID else 3)
        await agree(site, early, Reader(site.services))
    await ada.withdraw(works[:1])
    await agree(site, early)


async def test_without_the_files_of_a_snapshot_everything_comes_from_the_database(site: Running) -> None:
    ada = await artist(site)
    await ada.state(await works_of(ada, 3), NO_AI)
    manifest = await publish(site.services)
    for ref in manifest.segments:
        (segments_folder(site.services) / ref.digest).unlink(missing_ok=True)
    await agree(site, Reader(site.services))
    assert len((await publish(site.services)).segments) <= 2  # and the publisher writes them anew


async def test_a_change_is_seen_before_the_log_has_it_and_gets_its_index_later(site: Running) -> None:
    ada = await artist(site)
    (work,) = await works_of(ada, 1)
    await ada.state([work], PAID)
    reader = Reader(site.services)
    await reader.current()
    async with site.services.database.transaction() as conn:
        await conn.execute("select from log_head for update")  # the sequencer waits for this row
        accepting = asyncio.create_task(ada.state([work], NO_AI))
        while True:
            index, _, _ = await reader.current()
            found = index.work(work)
            assert found is not None
            if found.terms == NO_AI.encoded:
                break
            await asyncio.sleep(0.01)
        assert found.log_index == 0
    answer = await accepting
    index, _, _ = await reader.current()
    found = index.work(work)
    assert found is not None
    assert found.log_index == answer.log_index


async def test_nothing_is_decided_while_the_primary_is_away(lone: Running) -> None:
    ada = await artist(lone)
    await ada.state(await works_of(ada, 1), NO_AI)
    reader = Reader(lone.services)
    await reader.current()
    await lone.services.database.close()
    with pytest.raises(ConsentUnreadable) as refused:
        await reader.current()
    assert (refused.value.status, refused.value.slug) == (503, "consent-unreadable")


async def test_nothing_is_decided_while_the_primary_does_not_answer(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(site.services)
    await reader.current()
    monkeypatch.setattr(reading, "_VERSION_SECONDS", 0.2)
    async with site.services.database.transaction() as conn:
        await conn.execute("lock table consent_version in access exclusive mode")
        with pytest.raises(ConsentUnreadable):
            await reader.current()
    await reader.current()
