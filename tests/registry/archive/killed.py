"""Archiving and replaying that are killed: forked from a warm process, they work until SIGKILL meets their n-th step.

``python -m tests.registry.archive.killed DATA`` reads lines ``keep|replay NTH DSN`` and answers each with how the child
ended: ``-9``, or ``0`` where there were fewer steps. A step is anything that is said to the database or to the store.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg

from registry.archive import Archive, ArchiveKey, put_back, replay
from registry.database import Database
from registry.storage import FolderStore
from tests.registry.archive.conftest import OWNER

STEPS = (
    (asyncpg.Connection, ("execute", "fetch", "fetchrow", "fetchval", "copy_to_table")),
    (FolderStore, ("create", "read", "names")),
)


def kill_at(nth: int, steps: tuple[tuple[type, tuple[str, ...]], ...] = STEPS) -> None:
    """Let the ``nth`` of ``steps`` from here kill this process before it is taken."""
    left = nth

    def counted(real: Any) -> Any:
        async def step(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return await real(*given, **named)

        return step

    for owner, names in steps:
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


async def work(what: str, dsn: str, data: Path) -> None:
    """Archive what is there, or bring a copy up to date."""
    key = ArchiveKey.load(data / "keys")
    assert key is not None
    store = FolderStore(data / "archive")
    database = await Database.connect(dsn, connections=2)
    async with database.dedicated() as conn:
        if what == "keep":
            archive = Archive(database, store, key, OWNER)
            await archive.open(conn)
            await archive.keep(conn)
        else:
            await replay(database, conn, store, key, OWNER.origin)
            await put_back(conn)
    await database.close()


def main(data: Path) -> None:
    for line in sys.stdin:
        what, nth, dsn = line.split()
        child = os.fork()
        if not child:
            os.dup2(2, 1)  # answers alone are for stdout
            kill_at(int(nth))
            asyncio.run(work(what, dsn, data))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
