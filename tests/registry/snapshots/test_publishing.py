"""Published snapshots: what a stranger pulls and verifies is what is in force, and small changes travel small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from licet import times
from licet.errors import RollbackError
from licet.index import Published, Snapshot, SnapshotStore, WorkRecord, pull, state_root, verify_manifest
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.wire.accounts import RegistryInfo
from registry import consent
from registry.consent import records
from registry.database import Connection
from registry.errors import StoreUnavailable, Unavailable
from registry.snapshots import building, publisher
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish, publish_if_due
from tests.registry.catalogue import NO_AI, PAID, Artist, artist, fingerprinted, picture, registry
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def trusted(site: Running) -> RegistryKeys:
    """Return the registry's keys as a client knows them that has pinned its root."""
    info = msgspec.json.decode((await site.http.get("/v1/registry")).content, type=RegistryInfo)
    return verify_registry_keys(Trust(info.origin, info.root), info.keys)


async def pulled(site: Running, folder: Path, http: httpx.AsyncClient, tiers: tuple[str, ...]) -> Snapshot:
    """Return the latest snapshot as a client gets it: over HTTP, every byte verified."""
    keys = await trusted(site)
    answer = await http.get("/snapshots/latest")
    assert answer.status_code == 200, answer.text
    latest = msgspec.json.decode(answer.content, type=Published)
    segments: dict[str, bytes] = {}
    for ref in verify_manifest(latest.envelope, latest.receipt, keys).segments:
        if ref.tier in tiers:
            segments[ref.digest] = (await http.get(f"/snapshots/segments/{ref.digest}")).content

    def fetch(digest: str, offset: int) -> Iterator[bytes]:
        yield segments[digest][offset:]

    await asyncio.to_thread(lambda: pull(folder, keys, lambda: latest, fetch, tiers=tiers))  # type: ignore[arg-type]
    snapshot = SnapshotStore(folder).current()
    snapshot.verify()
    return snapshot


async def everything(site: Running) -> list[WorkRecord]:
    async with site.services.database.transaction() as conn:
        return [record async for piece in consent.all_records(conn) for record in piece]


async def some_works(who: Artist, numbers: range) -> list[str]:
    return [outcome.work for outcome in await who.register(*(fingerprinted(n) for n in numbers))]


async def test_a_stranger_gets_what_is_in_force(site: Running, tmp_path: Path) -> None:
    ada = await artist(site)
    shown = (await ada.picture(picture(1))).work
    (hidden,) = await some_works(ada, range(1))
    receipt = (await ada.state([shown, hidden], PAID)).receipt
    await publish(site.services)
    snapshot = await pulled(site, tmp_path / "public", site.http, ("exact",))
    manifest = snapshot.manifest
    assert not snapshot.near
    assert manifest.log_size > receipt.log_index
    found = snapshot.works.get(shown)
    assert found is not None
    assert (found.terms, found.log_index) == (PAID.encoded, receipt.log_index)
    records = await everything(site)
    assert (manifest.works, manifest.state_root) == (len(records), state_root(records))
    with_near = await pulled(site, tmp_path / "account", ada.http, ("exact", "near"))
    assert with_near.near


async def test_a_change_travels_as_a_small_segment_over_those_before(site: Running, tmp_path: Path) -> None:
    ada = await artist(site)
    works = await some_works(ada, range(200))
    await ada.state(works, NO_AI)
    first = await publish(site.services)
    await ada.state(works[:1], NO_AI)
    await ada.withdraw(works[1:2])
    second = await publish(site.services)
    assert second.segments[: len(first.segments)] == first.segments
    (top,) = second.segments[len(first.segments) :]
    assert top.counts["works"] == 2
    assert (second.sequence, second.works) == (first.sequence + 1, first.works)
    assert second.state_root == state_root(await everything(site))
    snapshot = await pulled(site, tmp_path, site.http, ("exact",))
    gone = snapshot.works.get(works[1])
    assert gone is not None
    assert gone.withdrawn


async def test_new_terms_over_the_same_pictures_need_no_second_copy_of_their_hashes(
    site: Running, tmp_path: Path
) -> None:
    ada = await artist(site)
    work = (await ada.picture(picture(77))).work
    await ada.state([work], PAID)
    await publish(site.services)
    await ada.state([work], NO_AI)
    manifest = await publish(site.services)
    assert len({ref.digest for ref in manifest.segments}) == len(manifest.segments)
    snapshot = await pulled(site, tmp_path, ada.http, ("exact", "near"))
    assert snapshot.near
    found = snapshot.works.get(work)
    assert found is not None
    assert found.terms == NO_AI.encoded
    assert manifest.state_root == state_root(await everything(site))


async def test_many_pieces_are_written_anew_as_one(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await artist(site)
    works = await some_works(ada, range(4))
    await ada.state(works, NO_AI)
    monkeypatch.setattr(building, "PIECES", 2)
    sizes = []
    for _ in range(4):
        await ada.state(works, NO_AI)
        manifest = await publish(site.services)
        sizes.append(len([ref for ref in manifest.segments if ref.tier == "exact"]))
        assert manifest.state_root == state_root(await everything(site))
    assert set(sizes) == {1, 2}


@pytest.mark.parametrize("anew", [True, False])
async def test_what_changes_while_states_are_read_is_in_the_next_snapshot_as_a_whole(
    site: Running, monkeypatch: pytest.MonkeyPatch, *, anew: bool
) -> None:
    ada = await artist(site)
    works = await some_works(ada, range(6))
    await ada.state(works, PAID)
    await publish(site.services)
    await ada.state(works, PAID)
    monkeypatch.setattr(records, "_PIECE", 2)
    monkeypatch.setattr(building, "PIECES", 1 if anew else 16)
    seen: list[int] = []

    async def changing(*args: object, **how: object) -> AsyncIterator[list[WorkRecord]]:
        async for piece in consent.all_records(*args, **how):  # type: ignore[arg-type]
            yield piece
            if not seen:  # what was read is denied, and what was not; one is withdrawn, and one more comes
                await ada.state(works[:5], NO_AI)
                await ada.withdraw(works[5:])
                await ada.state(await some_works(ada, range(6, 7)), NO_AI)
            seen.append(len(piece))

    before = state_root(await everything(site))
    monkeypatch.setattr(building, "all_records", changing)
    now = await publish(site.services)
    assert len(seen) >= 3
    assert max(seen) == 2
    assert now.state_root == before
    after = await publish(site.services)
    assert (after.works, after.state_root) == (now.works + 1, state_root(await everything(site)))


async def test_states_that_cannot_be_written_are_read_no_further(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await artist(site)
    await ada.state(await some_works(ada, range(6)), PAID)
    monkeypatch.setattr(records, "_PIECE", 2)
    under_way = 0

    async def slow(conn: Connection, **how: object) -> AsyncIterator[list[WorkRecord]]:
        nonlocal under_way
        async for piece in consent.all_records(conn, **how):  # type: ignore[arg-type]
            yield piece
            under_way += 1
            await conn.fetchval("select 1 from pg_sleep(0.2)")
            under_way -= 1

    monkeypatch.setattr(building, "all_records", slow)
    covered = building._covered
    monkeypatch.setattr(building, "_covered", lambda states, _: covered(states, 0))
    async with building.settled(site.services.database) as conn:
        with pytest.raises(Unavailable, match="not in the published log"):
            await building.build(conn, None, segments_folder(site.services), site.services.keys.ref)
        assert not under_way
        assert await conn.fetchval("select 1") == 1


async def test_nothing_new_is_published_while_nothing_changes(lone: Running) -> None:
    assert (await lone.http.get("/snapshots/latest")).status_code == 503
    first = await publish_if_due(lone.services)
    assert first is not None
    assert (first.sequence, first.previous, first.works) == (1, None, 0)
    assert await publish_if_due(lone.services) is None
    ada = await artist(lone)
    await ada.state(await some_works(ada, range(1)), NO_AI)
    second = await publish_if_due(lone.services)
    assert second is not None
    assert (second.sequence, second.works) == (2, 1)
    assert await publish_if_due(lone.services) is None


async def test_a_snapshot_is_issued_again_before_it_expires(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with registry(dsn, tmp_path, snapshot_ttl=timedelta(hours=2)) as site:
        first = await publish(site.services)
        real = times.now
        monkeypatch.setattr(times, "now", lambda: real() + timedelta(minutes=50))
        assert await publish_if_due(site.services) is None
        monkeypatch.setattr(times, "now", lambda: real() + timedelta(minutes=70))
        second = await publish_if_due(site.services)
        assert second is not None
        assert second.sequence == 2
        assert second.issued_at < first.expires_at
        assert second.segments == first.segments


async def test_an_older_snapshot_is_refused_by_who_has_seen_a_newer_one(site: Running, tmp_path: Path) -> None:
    ada = await artist(site)
    works = await some_works(ada, range(1))
    await ada.state(works, NO_AI)
    await publish(site.services)
    old = msgspec.json.decode((await site.http.get("/snapshots/latest")).content, type=Published)
    await ada.state(works, NO_AI)
    await publish(site.services)
    await pulled(site, tmp_path, site.http, ("exact",))
    keys = await trusted(site)
    seen = SnapshotStore(tmp_path).seen(keys.ref.origin)
    with pytest.raises(RollbackError):
        verify_manifest(old.envelope, old.receipt, keys, seen=seen)


async def test_nothing_is_published_that_the_log_does_not_have(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await artist(site)
    works = await some_works(ada, range(1))
    monkeypatch.setattr(building, "_LOGGED_SECONDS", 0.1)
    async with site.services.database.transaction() as conn:
        await conn.execute("select from log_head for update")  # the sequencer waits for this row
        accepting = asyncio.create_task(ada.state(works, NO_AI))
        async with site.services.database.acquire() as other:
            while not await consent.unlogged(other):
                await asyncio.sleep(0.01)
        with pytest.raises(Unavailable):
            await publish(site.services)
    answer = await accepting
    assert (await publish(site.services)).log_size > answer.log_index


async def test_segments_that_no_recent_manifest_names_are_deleted(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await artist(lone)
    works = await some_works(ada, range(3))
    monkeypatch.setattr(publisher, "KEPT", 2)
    monkeypatch.setattr(building, "PIECES", 1)  # every snapshot is a file of its own
    seen = []
    for _ in range(publisher.KEPT + 3):
        await ada.state(works, NO_AI)
        seen.append((await publish(lone.services)).segments[0].digest)
    folder = segments_folder(lone.services)
    assert {path.name for path in folder.iterdir()} == set(seen)
    monkeypatch.setattr(publisher, "KEPT_FOR", timedelta(0))
    await ada.state(works, NO_AI)
    seen.append((await publish(lone.services)).segments[0].digest)
    assert {path.name for path in folder.iterdir()} == set(seen[-publisher.KEPT :])
    assert (await lone.http.get(f"/snapshots/segments/{seen[0]}")).status_code == 404
    assert (await lone.http.get(f"/snapshots/segments/{seen[-1]}")).status_code == 200


async def test_of_two_publishers_one_stands_by_and_both_end_when_told(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "_PAUSE", 0.1)
    monkeypatch.setattr(publisher, "_LOOK_EVERY", 0.1)
    stop = asyncio.Event()
    loops = [asyncio.create_task(publisher.run(lone.services, stop)) for _ in range(2)]
    ada = await artist(lone)
    await ada.state(await some_works(ada, range(1)), NO_AI)
    while True:
        answer = await lone.http.get("/snapshots/latest")
        if answer.status_code == 200 and _manifest(answer).works == 1:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*loops)
    async with lone.services.database.acquire() as conn:
        sequences = [row["sequence"] for row in await conn.fetch("select sequence from snapshots order by sequence")]
    assert sequences == list(range(1, len(sequences) + 1))


def _manifest(answer: httpx.Response) -> kinds.Snapshot:
    latest = msgspec.json.decode(answer.content, type=Published)
    return envelopes.read_as(kinds.Snapshot, latest.envelope)


async def test_a_folder_that_takes_no_segment_is_a_store_that_is_away(site: Running) -> None:
    await publish(site.services)  # which makes the folder, whichever test comes first
    ada = await artist(site)
    await ada.state([(await ada.picture(picture(1))).work], PAID)
    folder = segments_folder(site.services)
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in its place")
    with pytest.raises(StoreUnavailable, match="expected a folder to write a segment into"):
        await publish(site.services)
    folder.unlink()
    aside.rename(folder)
    assert (await publish(site.services)).works
