"""Files in a folder or a bucket: written whole, immutable ones once, and a broken place says so."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from registry.errors import StartError, StoreUnavailable
from registry.storage import FOREVER, OCTETS, FolderStore, Store, open_store
from tests.unprivileged import unprivileged

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


CREATES = """
import sys, time
from pathlib import Path
from registry.storage.folder import create_whole
folder, own = Path(sys.argv[1]), sys.argv[2].encode()
print("ready", flush=True)
sys.stdin.readline()
for number in range(300):
    if create_whole(folder / f"{number:03}", own * 100):
        print(number)
"""


def test_of_two_processes_that_create_one_file_at_once_one_does(tmp_path):
    def begun(own: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CREATES, str(tmp_path), own]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with begun("a") as first, begun("b") as second:
        assert first.stdout is not None
        assert second.stdout is not None
        assert [process.stdout.readline() for process in (first, second)] == ["ready\n"] * 2  # type: ignore[union-attr]
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        made = [[int(line) for line in process.stdout] for process in (first, second)]  # type: ignore[union-attr]
    assert sorted(made[0] + made[1]) == list(range(300))
    for own, numbers in zip((b"a", b"b"), made, strict=True):
        assert all((tmp_path / f"{number:03}").read_bytes() == own * 100 for number in numbers)
    assert len(list(tmp_path.iterdir())) == 300, "what was staged is gone"


async def test_where_there_are_no_links_a_file_is_still_created_once(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    store = FolderStore(tmp_path)
    for number in range(20):
        made = await asyncio.gather(*(store.create(f"a/{number}", bytes([each]) * 9) for each in range(4)))
        assert sum(made) == 1
        assert await store.read(f"a/{number}") == bytes([made.index(True)]) * 9
    assert len(list((tmp_path / "a").iterdir())) == 20


async def test_objects_carry_their_media_type_and_cache_header(bucket, tmp_path):
    await open_store(f"{bucket}/headers", tmp_path).create("tile/0/001", b"hashes")
    found = obstore.get(S3Store("bucket", client_options={"allow_http": True}), "headers/tile/0/001")
    assert found.attributes == {"Cache-Control": FOREVER, "Content-Type": OCTETS}


def test_a_closed_folder_says_so(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(StoreUnavailable, match="closed"):
        unprivileged(lambda: asyncio.run(FolderStore(tmp_path / "closed").create("a/b", b"x")))
    assert not list((tmp_path / "closed").iterdir())


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
