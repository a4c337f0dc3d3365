"""Files in a folder or a bucket: written whole, immutable ones once, and a broken place says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from registry.errors import StartError, StoreUnavailable
from registry.storage import FOREVER, OCTETS, FolderStore, Store, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 API on loopback, with one bucket in it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    signed = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    with urlopen(Request(f"{url}/bucket", method="PUT", headers={"Authorization": signed})):
        pass
    yield url
    moto.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "folder":
        return open_store("", tmp_path / "files")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "very-secret", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return open_store(f"s3://bucket/{tmp_path.name}", tmp_path)


async def test_what_was_written_is_read_again_and_nothing_else(store):
    assert await store.read("tile/0/000") is None
    assert await store.create("tile/0/000", b"first")
    assert not await store.create("tile/0/000", b"second")
    assert await store.read("tile/0/000") == b"first"
    await store.replace("checkpoint", b"one")
    await store.replace("checkpoint", b"two")
    assert await store.read("checkpoint") == b"two"
    await store.create("tile/0/x001/000", b"")
    assert await store.read("tile/0/x001/000") == b""
    assert await store.names("tile") == ["tile/0/000", "tile/0/x001/000"]
    assert await store.names("nothing") == []
    await store.remove("tile/0/000")
    await store.remove("tile/0/000")
    assert await store.read("tile/0/000") is None


async def test_many_files_are_put_at_once_and_those_that_were_there_are_named(store):
    files = [(f"tile/0/{number:03}", b"%d" % number) for number in range(40)]
    assert await store.create_all(files[:3]) == []
    assert await store.create_all([(name, b"other") for name, _ in files[:2]] + files[2:]) == [n for n, _ in files[:3]]
    assert [await store.read(name) for name, _ in files] == [content for _, content in files]


async def test_objects_carry_their_media_type_and_cache_header(store):
    if isinstance(store, FolderStore):
        pytest.skip("files of a folder have no headers: whoever serves them sends these")
    await store.create("tile/0/001", b"hashes")
    bucket, _, prefix = store.shown.removeprefix("s3://").partition("/")
    found = obstore.get(S3Store(bucket, client_options={"allow_http": True}), f"{prefix}/tile/0/001")
    assert found.attributes == {"Cache-Control": FOREVER, "Content-Type": OCTETS}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_closed_folder_says_so(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(StoreUnavailable, match="closed"):
        await FolderStore(tmp_path / "closed").create("a/b", b"x")


async def test_a_place_that_is_no_folder_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / "file")
    with pytest.raises(StoreUnavailable, match="file"):
        await store.create("a", b"x")
    assert await store.read("a") is None


async def test_a_bucket_that_is_not_there_says_so_without_the_secret(tmp_path, monkeypatch, s3):
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "very-secret", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    with pytest.raises(StoreUnavailable, match="s3://nowhere") as told:
        await open_store("s3://nowhere", tmp_path).create("a", b"x")
    assert "very-secret" not in str(told.value)


async def test_without_obstore_the_address_is_refused_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(StartError, match=r"licet-registry\[s3\]"):
        open_store("s3://bucket", tmp_path)
