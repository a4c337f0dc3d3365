"""Our migrations apply on the oldest PostgreSQL that we support, as on our own, and are numbered without a gap."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.database import Database, EmbeddedPostgres, migrate, pending
from registry.database.migrator import migrations

pytestmark = pytest.mark.anyio

# Everything that a later reader relies on, in one comparable text per object.
_SCHEMA = """
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
       || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'i', 'p')
ORDER BY 1
"""


@pytest.fixture(scope="module")
def oldest() -> Iterator[str]:
    """The address of a PostgreSQL 16."""
    data = Path(tempfile.mkdtemp(prefix="licet-tests-"))
    server = EmbeddedPostgres(data, major=16, durable=False)
    yield server.start()
    server.stop()
    shutil.rmtree(data)


async def test_every_migration_applies_on_postgresql_16_to_the_same_schema(oldest: str, database: Database):
    opened = await Database.connect(oldest, connections=2)
    try:
        assert len(await migrate(opened)) == len(migrations())
        async with opened.acquire() as connection:
            assert (await connection.fetchval("SHOW server_version")).startswith("16.")
            old = await connection.fetch(_SCHEMA)
    finally:
        await opened.close()
    assert await pending(database) == []
    async with database.acquire() as connection:
        new = await connection.fetch(_SCHEMA)
    assert [row[0] for row in old] == [row[0] for row in new]


def test_numbers_count_up_from_one():
    found = migrations()
    assert [one.version for one in found] == list(range(1, len(found) + 1))
