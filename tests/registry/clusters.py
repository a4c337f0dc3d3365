"""A PostgreSQL cluster with our schema and no rows, made once per run and copied to where a service is to find it.

``initdb`` and the migrations take seconds, of each of the hundred services that the tests start. That a service makes
its own is seen where the README, the demo, an ordinary user or the wheels start it.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from registry.database import Database, EmbeddedPostgres, migrate
from tests.registry import memory


def plant(data: Path) -> Path:
    """Return ``data``, a data folder whose cluster exists and is stopped unless it was there before.

    Its server never waits for the disk: what the kernel was given outlives any process that is killed.
    """
    if not (data / "postgres").exists():
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        # The owner of the files is whom the server runs as.
        subprocess.run(["cp", "-a", _made() / "postgres", data], check=True)
    return data


@functools.cache
def _made() -> Path:
    folder = memory.folder("licet-cluster-")
    atexit.register(shutil.rmtree, folder)
    server = EmbeddedPostgres(folder, durable=False)
    address = server.start()
    with ThreadPoolExecutor(1) as apart:  # whoever asks may be in an event loop
        apart.submit(asyncio.run, _migrate(address)).result()
    server.stop()
    with (folder / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\n")
    return folder


async def _migrate(address: str) -> None:
    database = await Database.connect(address, connections=1)
    await migrate(database)
    await database.close()
