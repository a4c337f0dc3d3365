"""A database of another history is refused, and so is a file that is no backup; neither is changed or believed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.log import checkpoint, witnessing
from registry.archive import Archive, ArchiveKey, Owner, open_key
from registry.database import Database
from registry.errors import ArchiveError, StartError
from registry.restoring import Place, recover
from registry.restoring.backups import read_backup, write_backup
from registry.restoring.restore import restore_from
from registry.storage import FolderStore
from registry.translog import Sequencer, open_keys
from tests.registry.translog.log import ORIGIN, submitted
from tests.registry.translog.test_witnesses import Witness

pytestmark = pytest.mark.anyio
OWNER = Owner(ORIGIN, "ab" * 32)


def place(data: Path) -> Place:
    return Place(data, ORIGIN, FolderStore(data / "public" / "log"), FolderStore(data / "archive"))


async def logged(database: Database, data: Path, keys_in: Path, count: int) -> None:
    """Give the log of ``database`` some entries, let out into ``data``."""
    async with database.acquire() as conn:
        keys = await open_keys(conn, keys_in, ORIGIN)
    if count:
        await submitted(database, count)
    data.mkdir(exist_ok=True)
    sequencer = Sequencer(keys, data, place(data).log)
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)


async def test_a_forked_database_is_refused_and_left_as_it_is(database, server, migrated_template, tmp_path):
    data = tmp_path / "data"
    await logged(database, data, data / "keys", 300)
    await recover(database, place(data))  # it is what was let out
    async with server.fresh(migrated_template, "fork") as dsn:
        fork = await Database.connect(dsn, connections=3)
        await logged(fork, tmp_path / "elsewhere", data / "keys", 7)
        with pytest.raises(StartError, match="was forked, and nothing was changed"):
            await recover(fork, place(data))
        async with fork.acquire() as conn:
            assert await conn.fetchval("select size from log_head") == 12
            assert not await conn.fetchval("select exists (select from archive_aside)")
        await fork.close()


async def test_an_empty_database_without_an_archive_is_refused(database, server, migrated_template, tmp_path):
    data = tmp_path / "data"
    await logged(database, data, data / "keys", 3)
    async with server.fresh(migrated_template, "empty") as dsn:
        empty = await Database.connect(dsn, connections=3)
        with pytest.raises(ArchiveError, match="the database is empty"):
            await recover(empty, place(data))
        await empty.close()


async def test_what_the_archive_lacks_and_a_witness_has_cosigned_is_missed(
    database, server, migrated_template, tmp_path
):
    data = tmp_path / "data"
    async with database.acquire() as conn:
        keys = await open_keys(conn, data / "keys", ORIGIN)
    key = await open_key(data / "keys", place(data).archive)
    archive = Archive(database, place(data).archive, key, Owner(ORIGIN, keys.ref.key))
    async with database.dedicated() as conn:
        sequencer = Sequencer(keys, data, place(data).log, archive)
        await sequencer.resume(conn)
        await submitted(database, 3)
        while await sequencer.integrate(conn):
            await sequencer.publish(conn)
    for lost in ("guard.json", "public"):  # what was let out is known from outside of this machine alone
        (data / lost).rename(tmp_path / lost)
    witness = Witness(tmp_path / "cleo", keys.log_signer.verifier.vkey)
    try:
        vkey = await witness.vkey()
        await witness.start()
        where = f"http://127.0.0.1:{witness.port}/"
        (tmp_path / "policy").write_text(f"log {witness.log}\nwitness cleo {vkey} {where}\nquorum cleo\n")
        ahead = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 20, bytes(32)), keys.log_signer)
        async with httpx.AsyncClient() as http:
            cosigned = await http.post(f"{where}add-checkpoint", content=witnessing.request_body(0, [], ahead))
            assert cosigned.status_code == 200
        async with server.fresh("template0", "copy") as dsn:
            copy = await Database.connect(dsn, connections=3)
            asking = replace(place(data), witnesses=tmp_path / "policy")
            with pytest.raises(ArchiveError, match=r"ends at 8 log entries, and 20 were let out; put"):
                await restore_from(copy, asking, None)
            with pytest.raises(ArchiveError, match="holds 0 entries, and 20 were let out; put"):
                await restore_from(copy, asking, None, accept_loss=True)
            await copy.close()
    finally:
        await witness.kill()


async def test_a_backup_is_replaced_whole_and_what_is_wrong_with_one_is_told(database, tmp_path):
    key = ArchiveKey.make(tmp_path / "keys", datetime(2026, 3, 1, tzinfo=UTC))
    path = tmp_path / "backup.zip"
    path.write_bytes(b"an older one")
    made = await write_backup(database, key, OWNER, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup.zip", "keys"]
    manifest, get = read_backup(path, key, ORIGIN)
    assert manifest == made
    assert await get("no such piece") is None
    with pytest.raises(ArchiveError, match=r"backup.zip/manifest: expected the archive of other"):
        read_backup(path, key, "other.example/log")
    with pytest.raises(ArchiveError, match="damaged or foreign"):
        read_backup(path, ArchiveKey.make(tmp_path / "others", datetime(2026, 3, 1, tzinfo=UTC)), ORIGIN)
    with pytest.raises(ArchiveError, match="found no file"):
        read_backup(tmp_path / "none.zip", key, ORIGIN)
    with zipfile.ZipFile(tmp_path / "half.zip", "w") as half:
        half.writestr("000001", b"")
    with pytest.raises(ArchiveError, match="without its manifest"):
        read_backup(tmp_path / "half.zip", key, ORIGIN)
    with pytest.raises(ArchiveError, match="cannot be written"):
        await write_backup(database, key, OWNER, tmp_path / "no folder" / "backup.zip")


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_no_backup(somewhere, raw, wrapped):
    key = ArchiveKey.make(somewhere, datetime(2026, 3, 1, tzinfo=UTC))
    path = somewhere / "backup.zip"
    if wrapped:
        with zipfile.ZipFile(path, "w") as members:
            members.writestr("manifest", raw)
    else:
        path.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"backup\.zip"):
        read_backup(path, key, ORIGIN)
