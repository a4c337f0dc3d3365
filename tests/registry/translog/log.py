"""A log for tests: its origin, where it is published, and statements that wait for a place in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from registry.database import Database
from registry.storage import FolderStore, Store
from registry.translog import Sequencer, submit
from registry.translog.keys import RegistryKeys

ORIGIN: Final = "log.example/licet"
STEPS: Final = ("taken", "signed", "written", "committed", "guarded", "tiles", "keys", "checkpoint", "published")


def files(data: Path) -> Store:
    """Where the log of data folder ``data`` is published."""
    return FolderStore(data / "public" / "log")


def sequencing(keys: RegistryKeys, data: Path, **options: Any) -> Sequencer:
    """Return a sequencer that publishes into the data folder."""
    return Sequencer(keys, data, files(data), **options)


async def submitted(database: Database, count: int, kind: str = "consent") -> list[int]:
    """Return the numbers of ``count`` new statements, in one transaction."""
    async with database.transaction() as conn:
        return [await submit(conn, kind, f"stm_{place}", b"envelope %d" % place, None) for place in range(count)]


async def logged(database: Database) -> list[int]:
    """Return the statements in the order of the log, which has no gap."""
    async with database.acquire() as conn:
        rows = await conn.fetch("select index, pending from log_entries order by index")
    assert [row["index"] for row in rows] == list(range(len(rows)))
    return [row["pending"] for row in rows]
