"""The archive starts over where it must, and forgets what it must; in a folder and in a bucket."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from licet import times
from registry.archive import Archive, ArchiveKey, behind, manifests, renew_if_due, segment_numbers
from registry.errors import ArchiveError
from registry.storage import open_store
from tests.registry.archive.conftest import OWNER, contents

pytestmark = pytest.mark.anyio
ADD = "insert into log_pending (kind, subject, envelope, salt) values ('consent', $1, 'secret', 'salt')"


async def test_what_was_erased_leaves_with_the_next_base_and_its_keys_are_destroyed(
    database, archive, store, key, restored, tmp_path
):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        await conn.execute("update log_pending set envelope = null, salt = null")
        await archive.keep(conn)
        keep, later = timedelta(days=30), times.now() + timedelta(days=15)
        assert await renew_if_due(database, store, key, OWNER, times.now() + timedelta(days=14), keep) is None
        kept = {name: await store.read(name) for name in await store.names("")}
        made = await renew_if_due(database, store, key, OWNER, later, keep)
        assert made is not None
        left = await store.names("")
        assert all(name.startswith(f"bases/{made.base}/") or name == "changes/000000000003" for name in left)
        await conn.execute(ADD, "stm_2")
        await archive.keep(conn)
        copy = await restored()
        assert await contents(copy) == await contents(database)
    # Later, when no base needs them, the keys of that time go, and copies of the files open for nobody.
    assert key.epoch <= manifests_epoch(kept)
    assert key.forget_before(made.epoch + 1)
    again = ArchiveKey.load(tmp_path / "keys")
    assert again is not None
    for name, content in kept.items():
        await store.create(f"old/{name}", content or b"")
    assert await manifests(store, again, OWNER.origin) == []


def manifests_epoch(kept: dict[str, bytes | None]) -> int:
    from registry.archive.sealing import Manifest, header_of

    (content,) = [each for name, each in kept.items() if name.endswith("/manifest")]
    return header_of(content or b"", Manifest, "manifest")[0].epoch


async def test_a_slot_that_was_lost_makes_a_new_base_and_older_copies_are_refused(
    database, archive, store, key, restored
):
    from registry.archive import replay

    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        old = await restored()
        await conn.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = (select 'licet_archive_' || oid from pg_database where datname = current_database())")  # fmt: skip # noqa: E501
        assert await behind(conn) is None
        await conn.execute(ADD, "stm_2")  # nobody archives this
        await archive.open(conn)
        await conn.execute(ADD, "stm_3")
        await archive.keep(conn)
        found = await behind(conn)
        assert found is not None
        assert (found.lost, found.has_base) == (False, True)
        assert len(await manifests(store, key, OWNER.origin)) == 2
        assert await contents(await restored()) == await contents(database)
    async with old.dedicated() as other:
        with pytest.raises(ArchiveError, match="without a gap"):
            await replay(old, other, store, key, OWNER.origin)


async def test_an_archive_that_was_emptied_starts_over(database, archive, store, key, restored):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        for name in await store.names(""):
            await store.remove(name)
        await archive.open(conn)
        assert await contents(await restored()) == await contents(database)


async def test_a_bucket_holds_the_archive_as_a_folder_does(
    database, key, bucket, tmp_path: Path, server, migrated_template
):
    from registry.archive import put_back, replay, set_aside
    from registry.archive.bases import get_from, load_base
    from registry.database import Database

    store = open_store(f"{bucket}/{tmp_path.name}", tmp_path)
    archive = Archive(database, store, key, OWNER)
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        await archive.open(conn)
        await conn.execute(ADD, "stm_2")
        await archive.keep(conn)
    assert await segment_numbers(store) == [2, 3]
    async with server.fresh(migrated_template) as dsn:
        copy = await Database.connect(dsn, connections=2)
        async with copy.dedicated() as conn:
            (base,) = await manifests(store, key, OWNER.origin)
            await set_aside(conn)
            await load_base(conn, base, key, get_from(store, base.base), "base")
            assert (await replay(copy, conn, store, key, OWNER.origin)).segments == 2
            await put_back(conn)
        assert await contents(copy) == await contents(database)
        await copy.close()
