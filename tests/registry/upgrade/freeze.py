"""Makes the archive of a registry with a month of life in it, as the code beside this file serves it.

``python -m tests.registry.upgrade.freeze`` at the commit of a release writes ``NNNN.tar.xz`` here, named after the
newest migration, once: an archive is never made again, because what a released schema was does not change. In it:

    database.sql   pg_dump of schema and rows, by PostgreSQL 16
    data/          keys and published files, as beside that database
    facts.json     what was served then: bodies by account and path, and rows by table
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import httpx

from registry.database import Database, migrate
from registry.database.migrator import migrations
from tests.registry.auditing.month import Month, played
from tests.registry.catalogue import new_pictures, registry
from tests.registry.external import ExternalPostgres

HERE = Path(__file__).parent
TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
# What a reader may rely on for ever; the rest of an answer may grow or depend on the time.
KEPT = {
    "/v1/me": ("account", "name"),
    "/v1/works/": ("work", "title", "sha256", "pixels", "digest", "registered_at"),
    "/v1/licences/": ("licence", "lines"),
    "/v1/statements/": ("envelope",),
    "/v1/ledger/balance": ("account", "lines"),
}


def kept(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the part of the answer to ``path`` that later releases serve unchanged."""
    (names,) = (names for start, names in KEPT.items() if path.startswith(start))
    return {name: body[name] for name in names if name in body}


async def served(http: httpx.AsyncClient, paths: list[str]) -> dict[str, Any]:
    """Return the kept part of each answer."""
    bodies = {}
    for path in paths:
        answer = await http.get(path)
        assert answer.status_code == 200, answer.text
        bodies[path] = kept(path, answer.json())
        assert bodies[path], path
    return bodies


async def facts(month: Month) -> dict[str, Any]:
    """Return what the month's accounts are served, and how many rows there are."""
    found: dict[str, Any] = {"period": month.period, "auditor": (await month.auditor.get("/v1/me")).json()["account"]}
    found["served"] = {}
    for who, licence in ((month.lantern, month.licence), (month.candle, month.other)):
        found["served"][who.id] = await served(
            who.http, ["/v1/me", f"/v1/licences/{licence.licence}", "/v1/ledger/balance"]
        )
    for shelf in (month.trusted, month.unknown, month.euros):
        paths = [*(f"/v1/works/{work}" for work in shelf.works), f"/v1/statements/{shelf.statement}"]
        found["served"][shelf.owner.id] = await served(shelf.owner.http, ["/v1/me", *paths, "/v1/ledger/balance"])
    keys = month.site.services.keys
    found["trust"] = {"origin": keys.origin, "root": keys.root.public.hex()}
    async with month.site.services.database.acquire() as conn:
        names = [row[0] for row in await conn.fetch(TABLES)]
        found["rows"] = {name: await conn.fetchval(f"select count(*) from {name}") for name in names}
    return found


async def live(dsn: str, data: Path) -> dict[str, Any]:
    """Let a registry live a month on an empty database; return its facts."""
    database = await Database.connect(dsn, connections=2)
    await migrate(database)
    await database.close()
    new_pictures("frozen")
    async with registry(dsn, data) as site:
        return await facts(await played(site))


def main() -> int:
    target = HERE / f"{migrations()[-1].version:04d}.tar.xz"
    if target.exists():
        print(f"{target} is there; what was released is not made again", file=sys.stderr)
        return 2
    external = ExternalPostgres()
    try:
        external.make()
        external.start()
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            found = asyncio.run(live(external.server.dsn, folder / "data"))
            (folder / "facts.json").write_text(json.dumps(found, indent=1))
            dumped = subprocess.run(
                [external.program("pg_dump"), "--no-owner", "--no-privileges", external.server.dsn],
                capture_output=True, check=True,
            ).stdout  # fmt: skip
            (folder / "database.sql").write_bytes(dumped)
            with tarfile.open(target, "w:xz") as archive:
                for name in ("facts.json", "database.sql", "data"):
                    archive.add(folder / name, name)
    finally:
        external.remove()
    print(f"wrote {target}, {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
