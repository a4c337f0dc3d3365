"""Files in a folder or a bucket: written whole, immutable ones once, and a broken place says so."""

from __future__ import annotations

import os
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from registry.errors import StartError, StoreUnavailable
from registry.storage import FOREVER, OCTETS, FolderStore, Store, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store("", tmp_path / "files")
    return open_store(f"{request.getfixturevalue('bucket')}/{tmp_path.name}", tmp_path)


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


async def test_objects_carry_their_media_type_and_cache_header(bucket, tmp_path):
    await open_store(f"{bucket}/headers", tmp_path).create("tile/0/001", b"hashes")
    found = obstore.get(S3Store("bucket", client_options={"allow_http": True}), "headers/tile/0/001")
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


async def test_a_bucket_that_is_not_there_says_so_without_the_secret(tmp_path, bucket):
    with pytest.raises(StoreUnavailable, match="s3://nowhere") as told:
        await open_store("s3://nowhere", tmp_path).create("a", b"x")
    assert "very-secret" not in str(told.value)


async def test_without_obstore_the_address_is_refused_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(StartError, match=r"licet-registry\[s3\]"):
        open_store("s3://bucket", tmp_path)
