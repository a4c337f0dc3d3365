"""An empty PostgreSQL cluster, made once per run and copied to where a service is to find one: ``initdb`` takes long.

That a service makes its own is seen where the README, the demo, an ordinary user or the wheels start it.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
from pathlib import Path

from registry.database import EmbeddedPostgres
from tests.registry import memory


def plant(data: Path) -> Path:
    """Return ``data``, a data folder whose cluster exists and is stopped unless it was there before."""
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
    server.start()
    server.stop()
    return folder
