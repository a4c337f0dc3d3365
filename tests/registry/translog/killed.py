"""A sequencer that is killed: forked from a warm process, it works until the step where SIGKILL meets it.

``python -m tests.registry.translog.killed DSN DATA`` reads lines ``STEP NTH LIMIT`` and answers each with how the
child ended: ``-9``, or ``0`` where the step never came. Nothing of the parent touches the database.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from registry.database import Database
from registry.storage import FolderStore
from registry.translog import Sequencer
from registry.translog.keys import RegistryKeys
from tests.registry.translog.log import ORIGIN


def killing_at(step: str, nth: int) -> Callable[[str], None]:
    """Return a ``reach`` that kills this process the ``nth`` time that ``step`` is reached."""
    left = nth

    def reach(here: str) -> None:
        nonlocal left
        if here == step:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return reach


async def work(dsn: str, data: Path, step: str, nth: int, limit: int) -> None:
    """Work through everything that is pending, as a process does from its start."""
    database = await Database.connect(dsn, connections=2)
    keys = RegistryKeys.load(data / "keys", ORIGIN)
    log = FolderStore(data / "public" / "log")
    sequencer = Sequencer(keys, data, log, reach=killing_at(step, nth))
    async with database.dedicated() as conn:
        await sequencer.resume(conn)
        while await sequencer.integrate(conn, limit):
            await sequencer.publish(conn)
    await database.close()


def main(dsn: str, data: Path) -> None:
    """Answer line by line until the input ends."""
    for line in sys.stdin:
        step, nth, limit = line.split()
        child = os.fork()
        if not child:
            asyncio.run(work(dsn, data, step, int(nth), int(limit)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
