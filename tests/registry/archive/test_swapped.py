"""Another archive put in the place of the database's own: an older copy, another registry's."""

from __future__ import annotations

import pytest

from registry.archive import Archive, Owner
from registry.errors import ArchiveError, StoreUnavailable
from tests.registry.archive.conftest import OWNER, contents

pytestmark = pytest.mark.anyio
ADD = "insert into log_pending (kind, subject) values ('consent', $1)"


async def test_an_older_copy_of_the_archive_in_its_place_loses_nothing(database, archive, store, key, restored):
    async with database.dedicated() as conn:
        await archive.open(conn)
        for number in range(3):
            await conn.execute(ADD, f"stm_{number}")
            await archive.keep(conn)
        for name in (await store.names("changes"))[1:]:
            await store.remove(name)
        again = Archive(database, store, key, OWNER)
        await again.open(conn)
        await conn.execute(ADD, "stm_9")
        await again.keep(conn)
        assert await contents(await restored()) == await contents(database)


async def test_the_archive_of_another_registry_in_its_place_is_refused(database, archive, store, key):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        other = Archive(database, store, key, Owner("other.example/licet", OWNER.root_key))
        with pytest.raises(ArchiveError, match=r"expected .*other\.example"):
            await other.open(conn)


async def test_a_store_that_failed_once_costs_no_copy_of_everything(database, archive, store, key, monkeypatch):
    async with database.dedicated() as conn:
        await archive.open(conn)
        await conn.execute(ADD, "stm_1")
        await archive.keep(conn)
        base = await conn.fetchval("select base from archive_mark")
        with monkeypatch.context() as failing:

            async def fail(name: str, content: bytes, **_: object) -> bool:
                raise StoreUnavailable(f"{name}: {len(content)} bytes too many")

            failing.setattr(store, "create", fail)
            await conn.execute(ADD, "stm_2")
            with pytest.raises(StoreUnavailable):
                await archive.keep(conn)
        again = Archive(database, store, key, OWNER)
        await again.open(conn)
        await again.keep(conn)
        assert await conn.fetchval("select base from archive_mark") == base
        assert await conn.fetchval("select stored = segment from archive_mark")
