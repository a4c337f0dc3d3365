"""A process that holds a data folder until its input ends: ``holding.py DATA [--once]``.

Prints the address of the database, or the error, as its first line. Run by the tests, to be killed in every way.
"""

from __future__ import annotations

import sys
from pathlib import Path

from registry.database import EmbeddedPostgres
from registry.errors import DataFolderError


def main() -> None:
    server = EmbeddedPostgres(Path(sys.argv[1]), url="http://localhost:8123", durable=False)
    try:
        print(server.start(), flush=True)
    except DataFolderError as error:
        print(f"error: {error}", flush=True)
        return
    sys.stdin.read()
    server.stop()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
