"""An erasure that is killed: forked from a warm process, it works until SIGKILL meets its n-th word to the database.

``python -m tests.registry.erasure.killed DSN DATA ACCOUNT`` reads lines ``NTH`` and answers each with how the child
ended: ``-9``, or ``0`` where there were fewer words.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg

from licet import identifiers, times
from licet.wire.erasure import ErasureRequest
from registry.accounts.identity import Caller
from registry.database import Database
from registry.erasure.service import erase
from registry.services import Services
from registry.settings import Settings
from registry.translog import open_keys
from tests.registry.archive import killed

WORDS = ((asyncpg.Connection, ("execute", "executemany", "fetch", "fetchrow", "fetchval")),)


async def work(dsn: str, data: Path, account: str, nth: int) -> None:
    """Erase the account, as a handler does."""
    settings = Settings.load(database_url=dsn, data=data, archive="off")
    database = await Database.connect(dsn, connections=2)
    async with database.acquire() as conn:
        keys = await open_keys(conn, data / "keys", settings.origin)
    own = identifiers.to_uuid(account)
    caller = Caller(own, "art", "Ada", 0, frozenset({"erase"}), own, times.now() + timedelta(days=1))
    killed.kill_at(nth, WORDS)
    await erase(Services(settings, database, keys), caller, ErasureRequest(confirm=account))
    await database.close()


def main(dsn: str, data: Path, account: str) -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.dup2(2, 1)  # answers alone are for stdout
            asyncio.run(work(dsn, data, account, int(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
