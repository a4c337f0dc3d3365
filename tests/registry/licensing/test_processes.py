"""Two real processes of the service on one database: one is stopped, or loses its way there, and never answers late.

The other acknowledges a tighten meanwhile (semantics 23).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from licet.decisions import CODES, VERDICTS
from registry.accounts.metering import PATIENCE
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running
from tests.registry.licensing.test_asking import REQUEST, digests
from tests.registry.market import Shelf, problem, shelf
from tests.registry.partitions import Wire, wire

pytestmark = [pytest.mark.anyio, pytest.mark.fault]
DEADLINE = 240.0  # what hangs is ended; a busy machine is not


@dataclass
class Process:
    """One ``licet-registry serve``."""

    pid: int
    http: httpx.AsyncClient

    async def verdicts(self, file: str) -> set[str]:
        """Return what it says of a file, in both forms: one and the same."""
        query, lookup = await asyncio.gather(*self.asked(file))
        assert (query.status_code, lookup.status_code) == (200, 200), query.text + lookup.text
        (told,) = query.json()["results"]
        return {told["verdict"], VERDICTS[lookup.content[0]]}

    def asked(self, file: str) -> list[asyncio.Task[httpx.Response]]:
        """Send both questions; the answers are to be waited for."""
        query = self.http.post("/v1/licensing/query", json={"request": REQUEST, "rows": [{"sha256": file}]})
        lookup = self.http.post(
            "/v1/licensing/lookup?use=train-gen&purpose=commercial",
            content=bytes.fromhex(file),
            headers={"Content-Type": "application/octet-stream"},
        )
        return [asyncio.create_task(each) for each in (query, lookup)]


@dataclass
class Pair:
    """``first`` and ``second`` share a database; the second hangs on ``cable``."""

    first: Process
    second: Process
    cable: Wire

    async def tighten(self, works: Shelf) -> None:
        """Have the first process acknowledge that nothing is allowed any more."""
        account = replace(works.owner.account, http=self.first.http)
        self.first.http.headers["Authorization"] = f"Bearer {account.token}"
        try:
            await replace(works.owner, account=account).state(works.works, NO_AI)
        finally:
            del self.first.http.headers["Authorization"]


@asynccontextmanager
async def process(dsn: str, data: Path, errors: Path) -> AsyncIterator[Process]:
    """Yield a process that answers."""
    with errors.open("wb") as stderr:
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "registry.cli", "serve", "--port", "0", "--data", str(data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "DATABASE_URL": dsn, "LICET_REGISTRY_ARCHIVE": "off"},
        )
    try:
        assert started.stdout is not None
        words = (await asyncio.wait_for(started.stdout.readline(), DEADLINE)).decode().split()
        assert words[:1] == ["ready"], errors.read_text()
        async with httpx.AsyncClient(base_url=words[1], timeout=DEADLINE) as http:
            yield Process(started.pid, http)
    finally:
        started.kill()
        await started.wait()


@pytest.fixture(scope="module")
async def pair(site: Running, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Two processes beside that of the tests, which sequences what they accept."""
    dsn, data, said = site.services.database.dsn, site.services.settings.data, tmp_path_factory.mktemp("said")
    async with wire(dsn) as cable:
        ours, theirs = process(dsn, data, said / "first"), process(cable.dsn, data, said / "second")
        async with ours as first, theirs as second:
            yield Pair(first, second, cable)


async def on_offer(site: Running, pair: Pair) -> tuple[Shelf, str]:
    """Return a work under a snapshot, of which both processes say that it is licensed, and its digest."""
    works = await shelf(site, PAID, 1)
    ((file, _),) = await digests(works.owner, works.works)
    await publish(site.services)
    for each in (pair.first, pair.second):
        assert await each.verdicts(file) == {"license"}
    return works, file


async def test_a_process_that_was_stopped_goes_on_with_what_was_acknowledged_meanwhile(
    site: Running, pair: Pair
) -> None:
    works, file = await on_offer(site, pair)
    os.kill(pair.second.pid, signal.SIGSTOP)
    try:
        waiting = pair.second.asked(file)
        await pair.tighten(works)
        late = pair.second.asked(file)
        _, open_still = await asyncio.wait(waiting + late, timeout=0.3)
        assert len(open_still) == 4  # it is stopped indeed
    finally:
        os.kill(pair.second.pid, signal.SIGCONT)
    for query, lookup in (await asyncio.gather(*late), await asyncio.gather(*waiting)):
        assert (query.json()["results"][0]["verdict"], list(lookup.content)) == ("deny", [CODES["deny"]])
    assert await pair.second.verdicts(file) == await pair.first.verdicts(file) == {"deny"}


async def test_a_process_that_is_cut_off_says_so_in_time_and_is_right_again_by_itself(
    site: Running, pair: Pair
) -> None:
    works, file = await on_offer(site, pair)
    pair.cable.cut("swallows")
    try:
        await pair.tighten(works)
        assert await pair.first.verdicts(file) == {"deny"}
        begun = time.monotonic()
        refused = await asyncio.gather(*pair.second.asked(file))
        took = time.monotonic() - begun
    finally:
        pair.cable.cut("refuses")
    for answer in refused:
        assert problem(answer)[0] == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1
        # Told to whoever operates it (docs/internals/answering); three times as long on a machine that is very busy.
        assert took < 3 * PATIENCE
    for answer in await asyncio.gather(*pair.second.asked(file)):  # every connection is reset now, and none is taken
        assert problem(answer)[0] == 503, answer.text
    pair.cable.cut("passes")
    assert await pair.second.verdicts(file) == {"deny"}
