"""A database of every release that ever was, with a month of life in it, comes up to date and loses nothing."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from licet.audit import verify_bundle
from licet.statements.trust import Trust
from registry.accounts.operators import create_token
from registry.auditing import verify
from registry.database import Database, binaries, migrate, pending
from registry.database.migrator import migrations
from registry.snapshots.publication import move_in
from tests.registry.catalogue import reader_of, registry
from tests.registry.external import ExternalPostgres
from tests.registry.harness import verify_whole_log
from tests.registry.servers import Server
from tests.registry.upgrade.freeze import served

pytestmark = pytest.mark.anyio

ARCHIVES = sorted(Path(__file__).parent.glob("*.tar.xz"))


def restored(archive: Path, place: Path, dsn: str) -> dict[str, Any]:
    """Put an archive's rows into the database and its files into ``place``; return its facts."""
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    psql = str(binaries.installed().program("psql"))
    command = [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={place / 'database.sql'}", dsn]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads((place / "facts.json").read_text())
    return facts


def test_the_first_release_is_among_them():
    assert ARCHIVES[0].name == "0008.tar.xz"


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.partition(".")[0])
@pytest.mark.parametrize("oldest", [True, False], ids=["PostgreSQL 16", "our own"])
async def test_a_released_database_comes_up_to_date_and_loses_nothing(
    archive: Path, oldest: bool, server: Server, request: pytest.FixtureRequest, tmp_path: Path
):
    if oldest:
        external: ExternalPostgres = request.getfixturevalue("postgres16")
        server = external.server
    released = int(archive.name.partition(".")[0])
    async with server.fresh("template0", "upgrade") as dsn:
        facts = restored(archive, tmp_path, dsn)
        database = await Database.connect(dsn, connections=2)
        try:
            todo = [step.version for step in migrations() if step.version > released]
            assert [step.version for step in await pending(database)] == todo
            assert [step.version for step in await migrate(database)] == todo
            async with database.acquire() as conn:
                for table, rows in facts["rows"].items():
                    if table != "schema_migrations":
                        assert await conn.fetchval(f"select count(*) from {table}") >= rows, table
        finally:
            await database.close()
        async with registry(dsn, tmp_path / "data") as site:
            assert await verify(site.services) == []  # before the worker's first step, and after it
            await move_in(site.services)
            assert await verify(site.services) == []
            assert len(verify_whole_log(tmp_path / "data", site.services.keys.log_signer.verifier)) > 0
            for account, bodies in facts["served"].items():
                token = await create_token(site.services.database, account)
                assert await served(site.client(token.token), list(bodies)) == bodies
            index, _, _ = await reader_of(site.services).current()
            assert len(index.works) > 0
            auditor = await create_token(site.services.database, facts["auditor"])
            answer = await site.client(auditor.token).get("/v1/audit/bundle", params={"period": facts["period"]})
            assert answer.status_code == 200, answer.text
            (tmp_path / "bundle.zip").write_bytes(answer.content)
            report = verify_bundle(tmp_path / "bundle.zip", Trust(facts["trust"]["origin"], facts["trust"]["root"]))
            assert report.anchored
            assert report.counts["licence"] == 2
