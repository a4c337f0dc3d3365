"""What is published serves `licet snapshot pull` without the service: a folder or a bucket, the exact tier alone."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import obstore
import pytest
from obstore.store import S3Store

from licet import Client
from licet.home import Home
from licet.statements.keys import SigningKey
from licet.wire.accounts import RegistryInfo
from registry import translog
from registry.errors import StoreUnavailable
from registry.snapshots import building, publication, publisher
from registry.snapshots.publication import LATEST, SEGMENTS, segments_folder
from registry.storage import FOREVER, JSON, OCTETS
from registry.translog import renewal
from tests.registry.catalogue import NO_AI, artist, picture, registry
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


@dataclass
class Mirrored:
    site: Running
    url: str


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of any web server with the published folder."""
    (tmp_path / "public").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "public"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["folder", "bucket"])
async def mirrored(
    request: pytest.FixtureRequest, dsn: str, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[Mirrored]:
    if request.param == "folder":
        url, settings = request.getfixturevalue("served"), {}
    else:
        bucket, s3 = request.getfixturevalue("bucket"), request.getfixturevalue("s3")
        url, settings = f"{s3}/bucket/{tmp_path.name}", {"publish_to": f"{bucket}/{tmp_path.name}"}
    async with registry(dsn, tmp_path, **settings) as site:
        yield Mirrored(site, url)


async def test_a_mirror_alone_serves_a_pull_and_never_the_near_tier(mirrored: Mirrored, tmp_path: Path) -> None:
    site = mirrored.site
    ada = await artist(site)
    works = [(await ada.picture(picture(seed))).work for seed in (1, 2)]
    await ada.state(works, NO_AI)
    manifest = await publisher.publish(site.services)

    def pulled(home: Path) -> tuple[int, list[str], list[str]]:
        with Client(mirrored.url, home=Home(home)) as client:
            done = client.snapshot.pull()
            return done.manifest.sequence, done.fetched, client.snapshot.info().tiers

    exact = [ref.digest for ref in manifest.segments if ref.tier == "exact"]
    near = [ref.digest for ref in manifest.segments if ref.tier == "near"]
    assert near
    assert await asyncio.to_thread(pulled, tmp_path / "reader") == (1, exact, ["exact"])
    assert await site.services.public_files.names(SEGMENTS) == [f"{SEGMENTS}/{each}" for each in sorted(exact)]
    assert all((segments_folder(site.services) / each).is_file() for each in exact + near)

    await ada.withdraw(works[:1])
    await publisher.publish(site.services)
    sequence, fetched, _ = await asyncio.to_thread(pulled, tmp_path / "reader")
    assert sequence == 2
    assert len(fetched) == 1
    answer = await site.http.get("/snapshots/latest")
    assert await site.services.public_files.read(LATEST) == answer.content


async def test_what_is_forgotten_is_published_no_longer(mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    site = mirrored.site
    ada = await artist(site)
    work = (await ada.picture(picture(1))).work
    monkeypatch.setattr(publisher, "KEPT", 1)
    monkeypatch.setattr(publisher, "KEPT_FOR", timedelta(0))
    monkeypatch.setattr(building, "PIECES", 1)  # every snapshot is a file of its own
    for _ in range(3):
        await ada.state([work], NO_AI)
        last = await publisher.publish(site.services)
    exact = [f"{SEGMENTS}/{ref.digest}" for ref in last.segments if ref.tier == "exact"]
    assert await site.services.public_files.names(SEGMENTS) == exact


async def test_objects_say_how_long_they_may_be_kept(dsn: str, tmp_path: Path, bucket: str) -> None:
    async with registry(dsn, tmp_path, publish_to=f"{bucket}/{tmp_path.name}") as site:
        ada = await artist(site)
        await ada.state([(await ada.picture(picture(1))).work], NO_AI)
        (exact, *_) = (await publisher.publish(site.services)).segments
    store = S3Store("bucket", client_options={"allow_http": True})

    def carried(name: str) -> dict[str, str]:
        return dict(obstore.get(store, f"{tmp_path.name}/{name}").attributes)

    assert carried(f"{SEGMENTS}/{exact.digest}") == {"Cache-Control": FOREVER, "Content-Type": OCTETS}
    assert carried(LATEST) == {"Cache-Control": "public, max-age=5", "Content-Type": JSON}
    assert carried("v1/registry") == {"Cache-Control": "no-cache", "Content-Type": JSON}


async def test_a_manifest_that_was_logged_when_the_store_failed_is_shown_later(
    lone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await artist(lone)
    await ada.state([(await ada.picture(picture(1))).work], NO_AI)
    honest = publication.show
    failed: list[int] = []

    async def failing(services: object) -> None:
        if len(failed) == 1:  # the first time, the loop looks whether anything is to be shown
            failed.append(2)
            raise StoreUnavailable("the bucket is away")
        failed.append(1)
        await honest(services)  # type: ignore[arg-type]

    monkeypatch.setattr(publication, "show", failing)
    monkeypatch.setattr(publisher, "_LOOK_EVERY", 0.05)
    stop = asyncio.Event()
    loop = asyncio.create_task(publisher.run(lone.services, stop))
    async with asyncio.timeout(60):
        while await lone.services.public_files.read(LATEST) is None:
            await asyncio.sleep(0.05)
    stop.set()
    await loop
    assert failed[:2] == [1, 2]
    async with lone.services.database.acquire() as conn:
        assert await conn.fetchval("select count(*) from snapshots") == 1


async def test_segments_that_a_new_machine_lacks_are_made_anew_at_once(lone: Running) -> None:
    ada = await artist(lone)
    await ada.state([(await ada.picture(picture(1))).work], NO_AI)
    manifest = await publisher.publish(lone.services)
    for ref in manifest.segments:
        (segments_folder(lone.services) / ref.digest).unlink()
    stop = asyncio.Event()
    loop = asyncio.create_task(publisher.run(lone.services, stop))
    async with asyncio.timeout(60):
        while (await ada.http.get("/snapshots/latest")).headers["etag"] != await _newest(lone):
            await asyncio.sleep(0.05)
    stop.set()
    await loop
    for ref in manifest.segments:
        assert (await ada.http.get(f"/snapshots/segments/{ref.digest}")).status_code == 200


async def _newest(site: Running) -> str:
    """The tag of the second snapshot, once there is one."""
    async with site.services.database.acquire() as conn:
        digest = await conn.fetchval("select digest from snapshots where sequence = 2")
    return "" if digest is None else f'"{digest.hex()}"'


async def test_the_near_tier_of_a_release_before_leaves_the_public_folder(lone: Running) -> None:
    ada = await artist(lone)
    await ada.state([(await ada.picture(picture(1))).work], NO_AI)
    manifest = await publisher.publish(lone.services)
    folder, old = segments_folder(lone.services), lone.services.public / SEGMENTS
    for ref in manifest.segments:
        (folder / ref.digest).rename(old / ref.digest)
    (old / ".segment-abandoned").write_bytes(b"half of the near tier")
    for _ in range(2):
        await publication.move_in(lone.services)
        assert {path.name for path in folder.iterdir()} == {ref.digest for ref in manifest.segments}
        assert {path.name for path in old.iterdir()} == {ref.digest for ref in manifest.segments if ref.tier == "exact"}
    for ref in manifest.segments:
        assert (await ada.http.get(f"/snapshots/segments/{ref.digest}")).status_code == 200


async def test_a_new_key_of_the_registry_is_published_without_a_snapshot(lone: Running) -> None:
    await artist(lone)  # by now the registry's keys are in the published log
    told = await publication.show_registry(lone.services, b"")
    path = lone.services.public / publication.REGISTRY
    before = msgspec.json.decode(path.read_bytes(), type=RegistryInfo)
    path.unlink()
    assert await publication.show_registry(lone.services, told) == told
    assert not path.exists()  # the same keys are not written again, whatever else was logged
    request, _ = renewal.introduction(lone.services.keys, "office")
    root = SigningKey.load(lone.services.settings.data / "keys" / "root.pem")
    async with lone.services.database.transaction() as conn:
        (pending,) = await renewal.install(conn, lone.services.keys, renewal.signed_by(root, request))
    await translog.wait(lone.services.database, pending)
    assert await publication.show_registry(lone.services, told) != told
    assert len(msgspec.json.decode(path.read_bytes(), type=RegistryInfo).keys) == len(before.keys) + 1
