"""Two processes of the service on one database, one of which loses its way there: it answers nothing, then truly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from licet.wire.licensing import RowKeys
from registry import consent, snapshots
from registry.accounts import metering
from registry.database import pool
from registry.services import Services
from registry.snapshots import reader as reading
from registry.snapshots.publisher import publish
from tests.registry.catalogue import NO_AI, PAID
from tests.registry.harness import Running, running
from tests.registry.licensing.test_asking import REQUEST, ask, digests
from tests.registry.market import problem, shelf
from tests.registry.partitions import Mode, Wire, wire

pytestmark = pytest.mark.anyio


async def nothing(services: Services, stop: asyncio.Event) -> None:
    await stop.wait()


@asynccontextmanager
async def beside(site: Running) -> AsyncIterator[tuple[Running, Wire]]:
    """Yield another process on the same database and folder, and the wire that it hangs on."""
    async with (
        wire(site.services.database.dsn) as cable,
        running(cable.dsn, site.services.settings.data, {"nothing": nothing}) as other,
    ):
        consent.connect(other.services)
        snapshots.connect(other.services)
        yield other, cable


async def answers(http: httpx.AsyncClient, file: str) -> list[httpx.Response]:
    query = {"request": REQUEST, "rows": [{"sha256": file}]}
    return [
        await http.post("/v1/licensing/query", json=query),
        await http.post(
            "/v1/licensing/lookup?use=train-gen&purpose=commercial",
            content=bytes.fromhex(file),
            headers={"Content-Type": "application/octet-stream"},
        ),
    ]


@pytest.mark.parametrize("mode", ["refuses", "swallows"])
async def test_cut_off_from_the_primary_nothing_is_decided_and_afterwards_everything_truly(
    site: Running, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = await shelf(site, PAID, 1)
    ((file, _),) = await digests(works.owner, works.works)
    await publish(site.services)
    async with beside(site) as (other, cable):
        before = await ask(other.http, [RowKeys(sha256=file)])
        assert before.results[0].verdict == "license"
        await works.owner.state(works.works, NO_AI)
        with monkeypatch.context() as impatient:
            impatient.setattr(metering, "PATIENCE", 0.3)
            impatient.setattr(reading, "_VERSION_SECONDS", 0.3)
            impatient.setattr(pool, "_RELEASE_SECONDS", 0.1)
            cable.cut(mode)
            for answer in await answers(other.http, file):
                assert problem(answer)[0] == 503, answer.text
                assert int(answer.headers["retry-after"]) >= 1
        cable.cut("passes")
        after = await ask(other.http, [RowKeys(sha256=file)])
        assert after.results[0].verdict == "deny"
        assert after.consent_version > before.consent_version
