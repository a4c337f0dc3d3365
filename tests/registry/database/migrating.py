"""A process that migrates: ``migrating.py DSN FOLDER``. Prints how many files it applied; to be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from registry.database import Database, migrate


async def main() -> None:
    database = await Database.connect(sys.argv[1], connections=2)
    try:
        print(len(await migrate(database, Path(sys.argv[2]))), flush=True)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
