"""Carrying a data folder over to the PostgreSQL of this release: dumped by the old server, read by the new, compared.

::

    DATA/postgres.carrying/     the new cluster while it is filled; removed when anything fails
    DATA/postgres-16/           the old cluster, whole and stopped, once the new one has its place
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Final

import asyncpg

from registry.database import launcher
from registry.database.binaries import MAJOR, installed
from registry.database.instance import EmbeddedPostgres
from registry.errors import DataFolderError

_TABLES: Final = """
SELECT c.oid::regclass::text AS name FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
"""


def carry_over(data: Path) -> int | None:
    """The database in ``data`` is one of this release's PostgreSQL; returns the version that it had, None if it was.

    The old cluster stays beside it. Raises ``HeldError`` while a service runs, and ``DataFolderError`` when the old
    version is not at hand, a program fails, or rows are missing afterwards; then nothing has changed.
    """
    data = data.absolute()
    cluster = data / "postgres"
    found = launcher.major_of(cluster)
    if found == MAJOR:
        return None
    kept = data / f"postgres-{found}"
    if kept.exists():
        raise DataFolderError(f"expected no {kept}, where the old database is to be kept; move it away")
    installed(found)
    new = data / "postgres.carrying"
    shutil.rmtree(new, ignore_errors=True)
    source, target = EmbeddedPostgres(data, major=found), EmbeddedPostgres(new)
    try:
        try:
            old_dsn, new_dsn = source.start(), target.start()
            _copy(old_dsn, new_dsn)
            before, after = asyncio.run(_rows(old_dsn)), asyncio.run(_rows(new_dsn))
            if before != after:
                wrong = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
                raise DataFolderError(f"expected the same rows in the new database, got others in {', '.join(wrong)}")
        finally:
            target.stop()
            source.stop()
        cluster.rename(kept)
        (new / "postgres").rename(cluster)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return found


def _copy(source: str, target: str) -> None:
    """Write everything in ``source`` into the empty ``target``, in one transaction."""
    programs = installed(MAJOR)
    dump = [str(programs.program("pg_dump")), "--no-password", source]
    load = [
        str(programs.program("psql")), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
        "--output=/dev/null", target,
    ]  # fmt: skip
    with subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dumping:
        loaded = subprocess.run(load, stdin=dumping.stdout, capture_output=True, text=True, check=False)
        assert dumping.stderr is not None
        words = dumping.stderr.read().decode(errors="replace").strip()
    if dumping.returncode != 0 and loaded.returncode == 0:
        raise DataFolderError(f"pg_dump failed: {words}")
    if loaded.returncode != 0:
        raise DataFolderError(f"the new database does not take what was dumped: {loaded.stderr.strip() or words}")


async def _rows(dsn: str) -> dict[str, int]:
    """Return how many rows each table has."""
    connection = await asyncpg.connect(dsn)
    try:
        names = [str(row["name"]) for row in await connection.fetch(_TABLES)]
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in names}  # noqa: S608
    finally:
        await connection.close()
