"""Pulling: nothing becomes current that does not hold, and nothing is fetched twice."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet import times
from licet.errors import (
    ExpiredError,
    InputError,
    LicetError,
    MalformedError,
    RollbackError,
    UnreachableError,
    VerificationError,
)
from licet.index import Index, Published, Pulled, Seen, SnapshotStore, WorkRecord, manifest, pull, verify_manifest
from licet.index.pull import FetchSegment
from licet.index.store import envelope_digest
from licet.statements.envelope import countersign
from licet.statements.kinds import RegistryRef, SegmentRef
from licet.statements.trust import verify_registry_keys
from tests.sdk.index.publisher import NOW, Publisher, signing_key
from tests.sdk.index.world import digest, flipped, uid

LATER = NOW + timedelta(hours=1)


def works(*numbers: int, level: int = 2) -> list[WorkRecord]:
    return [
        WorkRecord(
            work=uid(1, number),
            account=uid(2, 0),
            terms=b"",
            level=level,
            sha256=digest("file", number),
            pdq=flipped(number, ()),
            quality=90,
        )
        for number in numbers
    ]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "public")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home"


def pulled(publisher: Publisher, folder: Path, published: Published, **options: Any) -> Pulled:
    fetch: FetchSegment = options.pop("fetch", publisher.fetch)
    given: dict[str, Any] = {"tiers": ("exact", "near"), "now": LATER} | options
    return pull(folder, publisher.keys, lambda: published, fetch, **given)


def test_a_pulled_snapshot_is_current_and_verifies(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(*range(50)))
    result = pulled(publisher, folder, published)
    assert result.digest == envelope_digest(published.envelope)
    assert result.fetched == [ref.digest for ref in result.manifest.segments]
    assert result.received == sum(ref.size for ref in result.manifest.segments)
    snapshot = SnapshotStore(folder).current(now=LATER)
    snapshot.verify()
    assert (len(snapshot.works), snapshot.near) == (50, True)
    assert Index(snapshot).work(uid(1, 3)) is not None


def test_only_missing_segments_are_fetched(publisher: Publisher, folder: Path) -> None:
    first = publisher.publish(works(1, 2))
    base = pulled(publisher, folder, first).manifest.segments
    newer = publisher.manifest(works(2, 3, level=4))
    layered = msgspec.structs.replace(newer, segments=[*base, *newer.segments], works=3)
    publisher.requests.clear()
    result = pulled(publisher, folder, publisher.sign(layered))
    assert {name for name, _ in publisher.requests} == set(result.fetched) == {ref.digest for ref in newer.segments}
    snapshot = SnapshotStore(folder).current(now=LATER)
    assert [snapshot.works.get(uid(1, number)).level for number in (1, 2, 3)] == [2, 4, 4]  # type: ignore[union-attr]
    assert pulled(publisher, folder, publisher.publish(works(1, 2), segments=layered.segments)).fetched == []


def test_the_near_tier_is_left_out_until_it_is_asked_for(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(1))
    assert len(pulled(publisher, folder, published, tiers=("exact",)).fetched) == 1
    assert not SnapshotStore(folder).current(now=LATER).near
    here = SnapshotStore(folder).info(now=LATER)
    assert (here.tiers, here.segments) == (["exact"], 1)
    assert len(pulled(publisher, folder, published).fetched) == 1
    assert SnapshotStore(folder).current(now=LATER).near


# --- what is refused ------------------------------------------------------------------------------------------------


def refused(publisher: Publisher, folder: Path, published: Published, error: type[LicetError], match: str) -> None:
    """Pulling ``published`` raises, fetches nothing and leaves no trace."""
    before = sorted(path.name for path in folder.rglob("*")) if folder.exists() else None
    publisher.requests.clear()
    with pytest.raises(error, match=match):
        pulled(publisher, folder, published)
    assert not publisher.requests
    if before is not None:
        assert sorted(path.name for path in folder.rglob("*")) == before
    else:
        assert not SnapshotStore(folder).seen(publisher.trust.origin)


def test_a_manifest_signed_by_another_key_is_refused(publisher: Publisher, folder: Path) -> None:
    for key in (signing_key(99), publisher.root, publisher.working["licence"], publisher.working["log"]):
        refused(publisher, folder, publisher.sign(publisher.manifest(works(1)), key), VerificationError, "signatures")


def test_a_superfluous_or_changed_signature_is_refused(publisher: Publisher, folder: Path) -> None:
    envelope = publisher.publish(works(1)).envelope
    twice = countersign(envelope, publisher.working["licence"])
    refused(publisher, folder, Published(twice, publisher.log(twice)), VerificationError, "signatures")
    other = publisher.publish(works(2)).envelope
    swapped = msgspec.structs.replace(envelope, signatures=other.signatures)
    refused(publisher, folder, Published(swapped, publisher.log(swapped)), VerificationError, "does not hold")


def test_keys_that_nobody_vouches_for_are_refused(publisher: Publisher) -> None:
    published = publisher.publish(works(1))
    loose = verify_registry_keys(None, publisher.evidence)
    with pytest.raises(VerificationError, match="pinned root"):
        verify_manifest(published.envelope, published.receipt, loose, now=LATER)


def test_another_registry_is_refused(publisher: Publisher, folder: Path, tmp_path: Path) -> None:
    other = Publisher(tmp_path / "other", root=5)
    refused(publisher, folder, other.publish(works(1)), VerificationError, "expected a signature by")
    ref = RegistryRef("another.example/log", publisher.trust.ref.key)
    refused(publisher, folder, publisher.publish(works(1), registry=ref), VerificationError, "snapshot of")


def test_a_receipt_of_another_snapshot_is_refused(publisher: Publisher, folder: Path) -> None:
    first, second = publisher.publish(works(1)), publisher.publish(works(2))
    refused(publisher, folder, Published(second.envelope, first.receipt), VerificationError, "commits to another")


def test_a_snapshot_logged_before_what_it_covers_is_refused(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(1), log_size=len(publisher.leaves) + 1)
    refused(publisher, folder, published, VerificationError, "logged at")


def test_an_expired_snapshot_is_refused_unless_told_otherwise(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(1))
    expired = NOW + timedelta(hours=24)
    with pytest.raises(ExpiredError):
        pulled(publisher, folder, published, now=expired)
    just = expired - timedelta(milliseconds=1)
    pulled(publisher, folder, published, now=just)
    store = SnapshotStore(folder)
    store.current(now=just)
    with pytest.raises(ExpiredError):
        store.current(now=expired)
    assert len(store.current(now=expired, allow_expired=True).works) == 1
    read = verify_manifest(published.envelope, published.receipt, publisher.keys, now=expired, allow_expired=True)
    assert read.works == 1
    assert (store.info(now=just).expired, store.info(now=expired).expired) == (False, True)


def test_a_snapshot_from_the_future_is_refused(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(1))
    with pytest.raises(VerificationError, match="issued by"):
        pulled(publisher, folder, published, now=NOW - timedelta(minutes=6))
    pulled(publisher, folder, published, now=NOW - timedelta(minutes=4))


@pytest.mark.parametrize("hours", [-1, 0, 25])
def test_a_lifetime_over_a_day_or_none_is_refused(publisher: Publisher, folder: Path, hours: int) -> None:
    published = publisher.publish(works(1), expires_at=times.to_text(NOW + timedelta(hours=hours)))
    refused(publisher, folder, published, VerificationError, "within 24 h")


def test_times_that_are_none_are_refused(publisher: Publisher, folder: Path) -> None:
    refused(publisher, folder, publisher.publish(works(1), expires_at="soon"), MalformedError, "expires_at")


def test_an_older_snapshot_than_one_seen_is_refused(publisher: Publisher, folder: Path) -> None:
    first, second = publisher.publish(works(1)), publisher.publish(works(1, 2))
    pulled(publisher, folder, second)
    refused(publisher, folder, first, RollbackError, "snapshot 2")
    assert len(SnapshotStore(folder).current(now=LATER).works) == 2


def test_an_older_snapshot_is_refused_even_if_the_newer_one_never_arrived(publisher: Publisher, folder: Path) -> None:
    first, second = publisher.publish(works(1)), publisher.publish(works(1, 2))
    pulled(publisher, folder, first)
    with pytest.raises(UnreachableError):
        pulled(publisher, folder, second, fetch=lambda name, offset: iter(()))
    refused(publisher, folder, first, RollbackError, "snapshot 2")
    assert len(SnapshotStore(folder).current(now=LATER).works) == 1


def test_two_snapshots_with_one_sequence_are_told(publisher: Publisher, folder: Path) -> None:
    pulled(publisher, folder, publisher.publish(works(1)))
    refused(publisher, folder, publisher.publish(works(2), sequence=1, previous=None), VerificationError, "split views")


def test_a_snapshot_that_follows_another_one_is_told(publisher: Publisher, folder: Path) -> None:
    pulled(publisher, folder, publisher.publish(works(1)))
    refused(publisher, folder, publisher.publish(works(2), previous="0" * 64), VerificationError, "follow")


def test_the_same_snapshot_again_is_no_rollback(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(1))
    pulled(publisher, folder, published)
    assert pulled(publisher, folder, published).fetched == []


def _lists(publisher: Publisher) -> dict[str, list[SegmentRef]]:
    exact, near = publisher.manifest(works(1)).segments
    return {
        "near first": [near, exact],
        "one twice": [exact, exact],
        "a path": [msgspec.structs.replace(exact, digest="../" + exact.digest[3:])],
        "capitals": [msgspec.structs.replace(exact, digest=exact.digest.upper())],
        "a negative size": [msgspec.structs.replace(exact, size=-1)],
        "too many": [msgspec.structs.replace(exact, digest=f"{n:064x}") for n in range(1025)],
    }


@pytest.mark.parametrize("lie", ["near first", "one twice", "a path", "capitals", "a negative size", "too many"])
def test_a_list_of_segments_that_cannot_be_is_refused(publisher: Publisher, folder: Path, lie: str) -> None:
    segments = _lists(publisher)[lie]
    refused(publisher, folder, publisher.publish(works(1), segments=segments), MalformedError, "segments")


# --- downloads ------------------------------------------------------------------------------------------------------


def cut(publisher: Publisher, after: int) -> FetchSegment:
    """Each answer ends after so many bytes."""

    def fetch(name: str, offset: int) -> Iterator[bytes]:
        left = after
        for block in publisher.fetch(name, offset):
            yield block[:left]
            left -= len(block)
            if left <= 0:
                return

    return fetch


def test_a_download_that_breaks_off_goes_on_where_it_stopped(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(*range(200)))
    result = pulled(publisher, folder, published, fetch=cut(publisher, 2500))
    sizes = {ref.digest: ref.size for ref in result.manifest.segments}
    assert publisher.requests == [(name, offset) for name, size in sizes.items() for offset in range(0, size, 2500)]
    SnapshotStore(folder).current(now=LATER).verify()


def failing(publisher: Publisher, after: int) -> FetchSegment:
    """The first answer breaks with an error of the network."""

    def fetch(name: str, offset: int) -> Iterator[bytes]:
        yield from cut(publisher, after)(name, offset)
        raise UnreachableError("the line is dead")

    return fetch


def test_the_next_pull_goes_on_where_the_last_one_failed(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(*range(100)))
    with pytest.raises(UnreachableError, match="the line is dead"):
        pulled(publisher, folder, published, fetch=failing(publisher, 3000))
    with pytest.raises(InputError, match="no snapshot"):
        SnapshotStore(folder).current(now=LATER)
    publisher.requests.clear()
    result = pulled(publisher, folder, published)
    assert publisher.requests[0] == (result.fetched[0], 3000)
    assert result.received == sum(ref.size for ref in result.manifest.segments) - 3000
    SnapshotStore(folder).current(now=LATER).verify()


def test_what_was_left_half_and_rotten_is_fetched_anew(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(*range(100)))
    with pytest.raises(UnreachableError):
        pulled(publisher, folder, published, fetch=failing(publisher, 3000))
    [part] = (folder / "segments").iterdir()
    for rotten in (bytes(3000), bytes(10**6)):
        part.write_bytes(rotten)
        pulled(publisher, folder, published)
        SnapshotStore(folder).current(now=LATER).verify()
        (folder / "segments" / part.name[1:65]).unlink()


def _flip(block: bytes) -> bytes:
    return bytes([block[0] ^ 1]) + block[1:]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda blocks: map(_flip, blocks), VerificationError),
        (lambda blocks: (block + b"\0" for block in blocks), VerificationError),
        (lambda blocks: (b"" for _ in blocks), UnreachableError),
    ],
    ids=["other bytes", "more bytes", "no bytes"],
)
def test_a_segment_that_is_not_what_was_signed_never_counts(
    publisher: Publisher, folder: Path, spoil: Callable[[Iterator[bytes]], Iterator[bytes]], error: type[LicetError]
) -> None:
    pulled(publisher, folder, publisher.publish(works(1)))
    second = publisher.publish(works(*range(100)))
    with pytest.raises(error, match="segment"):
        pulled(publisher, folder, second, fetch=lambda name, offset: spoil(publisher.fetch(name, offset)))
    assert len(SnapshotStore(folder).current(now=LATER).works) == 1
    pulled(publisher, folder, second)
    SnapshotStore(folder).current(now=LATER).verify()


def test_a_signed_file_that_is_no_segment_does_not_become_current(publisher: Publisher, folder: Path) -> None:
    made = publisher.manifest(works(1))
    junk = b"not a segment, yet signed for"
    name = hashlib.sha256(junk).hexdigest()
    (publisher.folder / name).write_bytes(junk)
    ref = msgspec.structs.replace(made.segments[0], digest=name, size=len(junk))
    with pytest.raises(MalformedError):
        pulled(publisher, folder, publisher.sign(msgspec.structs.replace(made, segments=[ref])))
    with pytest.raises(InputError, match="no snapshot"):
        SnapshotStore(folder).current(now=LATER)


def test_counts_and_size_are_held_against_the_manifest(publisher: Publisher, folder: Path) -> None:
    made = publisher.manifest(works(1))
    wrong = msgspec.structs.replace(made.segments[0], counts=made.segments[0].counts | {"works": 2})
    with pytest.raises(VerificationError, match="works"):
        pulled(publisher, folder, publisher.sign(msgspec.structs.replace(made, segments=[wrong])))


def test_a_disk_that_is_full_leaves_what_was_current_and_the_next_pull_goes_on(
    publisher: Publisher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pulled(publisher, folder, publisher.publish(works(1)))
    made = publisher.manifest(works(2))
    second = publisher.sign(made)
    names: list[str] = []
    kept = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if target.name not in names:  # of each file the first time
            names.append(target.name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return kept(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    for _ in range(len(made.segments) + 3):
        with pytest.raises(InputError, match="No space left"):
            pulled(publisher, folder, second)
        assert SnapshotStore(folder).current(now=LATER).manifest == first.manifest
    assert [names[0], *names[-2:]] == ["state.json", envelope_digest(second.envelope), "manifest.json"]
    pulled(publisher, folder, second)
    assert SnapshotStore(folder).current(now=LATER).manifest != first.manifest
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_files_that_no_manifest_lists_stay_until_pruned(publisher: Publisher, folder: Path) -> None:
    first = pulled(publisher, folder, publisher.publish(works(1)))
    note = folder / "note.txt"
    note.write_text("mine")
    stray = folder / "segments" / "stray"
    stray.write_text("mine too")
    pulled(publisher, folder, publisher.publish(works(1, 2)))
    old = [folder / "segments" / ref.digest for ref in first.manifest.segments]
    assert all(path.exists() for path in [note, stray, *old])
    store = SnapshotStore(folder)
    mapped = Index(store.current(now=LATER))
    freed = sum(path.stat().st_size for path in [stray, *old])
    assert store.prune() == freed
    assert note.exists()
    assert not any(path.exists() for path in [stray, *old])
    assert mapped.work(uid(1, 2)) is not None
    store.current(now=LATER).verify()


def test_manifests_of_long_ago_go(publisher: Publisher, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.index.store.KEPT_MANIFESTS", 2)
    published = [publisher.publish(works(*range(1, count))) for count in range(2, 6)]
    for each in published:
        pulled(publisher, folder, each)
    store = SnapshotStore(folder)
    kept = [store.former(envelope_digest(each.envelope)) is not None for each in published]
    assert kept == [False, False, True, True]
    assert store.current(now=LATER).manifest.sequence == 4


def test_pulls_at_the_same_time_wait_for_each_other(publisher: Publisher, folder: Path) -> None:
    published = publisher.publish(works(*range(100)))
    inside, most = 0, 0

    def fetch(name: str, offset: int) -> Iterator[bytes]:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        yield from publisher.fetch(name, offset)
        inside -= 1

    results: list[Pulled] = []
    threads = [
        threading.Thread(target=lambda: results.append(pulled(publisher, folder, published, fetch=fetch)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(len(result.fetched) for result in results) == [0, 0, 0, 0, 0, 2]


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_memory_is_by_registry_and_survives(publisher: Publisher, folder: Path) -> None:
    store = SnapshotStore(folder)
    with store.locked():
        store.remember("one", Seen(3, "a"))
        store.remember("two", Seen(1, "b"))
        store.remember("one", Seen(4, "c"))
    again = SnapshotStore(folder)
    assert (again.seen("one"), again.seen("two"), again.seen("three")) == (Seen(4, "c"), Seen(1, "b"), None)


@pytest.mark.parametrize("name", ["state.json", "manifest.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"registry.example/log":{"sequence":"x"}}', b'{"envelope"'])
def test_a_damaged_folder_is_named_not_overlooked(
    publisher: Publisher, folder: Path, name: str, content: bytes
) -> None:
    published = publisher.publish(works(1))
    pulled(publisher, folder, published)
    (folder / name).write_bytes(content)
    store = SnapshotStore(folder)
    with pytest.raises(MalformedError, match=name):
        store.seen(publisher.trust.origin) if name == "state.json" else store.published()
    if name == "state.json":
        with pytest.raises(MalformedError, match=name):
            pulled(publisher, folder, published)


def test_a_segment_that_went_missing_or_rotted_is_told(publisher: Publisher, folder: Path) -> None:
    result = pulled(publisher, folder, publisher.publish(works(*range(20))))
    path = folder / "segments" / result.manifest.segments[1].digest
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(VerificationError, match="other content"):
        SnapshotStore(folder).current(now=LATER).verify()
    path.write_bytes(whole[:-1])
    with pytest.raises(VerificationError, match="bytes"):
        SnapshotStore(folder).current(now=LATER)
    path.unlink()
    assert not SnapshotStore(folder).current(now=LATER).near
    (folder / "segments" / result.manifest.segments[0].digest).unlink()
    with pytest.raises(InputError):
        SnapshotStore(folder).current(now=LATER)


def test_a_manifest_that_counts_or_commits_otherwise_does_not_verify(publisher: Publisher, folder: Path) -> None:
    for changes in ({"works": 2}, {"state_root": "0" * 64}):
        pulled(publisher, folder, publisher.publish(works(1), **changes))
        with pytest.raises(VerificationError, match=r"works|root"):
            SnapshotStore(folder).current(now=LATER).verify()


def test_a_folder_that_cannot_be_made_is_an_input_error(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="folder"):
        pulled(publisher, tmp_path / "file" / "home", publisher.publish(works(1)))


def test_a_lifetime_over_a_day_is_not_issued_either(publisher: Publisher) -> None:
    given: Any = msgspec.structs.asdict(publisher.manifest(works(1)))
    for name in ("v", "issued_at", "expires_at"):
        given.pop(name)
    for hours in (0, 25):
        with pytest.raises(InputError, match="lifetime"):
            manifest(**given, lifetime=timedelta(hours=hours))
