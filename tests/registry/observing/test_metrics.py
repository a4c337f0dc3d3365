"""Numbers: all that are promised and no others, true to what happened, few series, for those who may read them."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry.observing.meters import COUNTED, READ, Meters, Tally, count_once_committed
from tests.registry.harness import Running, running
from tools.documentation.reference import pages

pytestmark = pytest.mark.anyio
TOKEN = "a-token-for-prometheus"


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample; raises for a text that Prometheus would not read."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def asked(service: Running) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await service.http.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.text)


def outside(service: Running, host: str = "203.0.113.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app, client=(host, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_the_list_in_the_documentation_is_what_is_printed(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        await service.account()
        text = (await service.http.get("/metrics")).text
    told = dict(re.findall(r"^# TYPE (licet_\w+) (\w+)$", text, re.MULTILINE))
    printed = {name for name in told if not name.endswith("_created")}
    listed = set(re.findall(r"^\| `(licet_\w+)`", pages()["reference/metrics.md"], re.MULTILINE))
    # Snapshots are not there yet, for only the sequencer runs; nor is an archive, on a database that another runs.
    absent = {each for each in listed if each.startswith(("licet_snapshot_", "licet_archive_"))}
    assert printed == listed - absent
    assert listed == {meter.name for meter in (*COUNTED, *READ)}
    assert all(told[meter.name] == meter.kind for meter in (*COUNTED, *READ) if meter.name not in absent)


async def test_statements_are_counted_when_they_are_accepted(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        for number in range(3):
            await service.account(name=f"Ada {number}")
        found = await asked(service)
        assert found["licet_statements_accepted_total", (("kind", "key-register"),)] == 3
        assert found["licet_database_up", ()] == 1
        assert found["licet_log_size", ()] >= 7
        assert found["licet_log_pending", ()] == 0
        assert found["licet_log_lag_seconds", ()] == 0


async def test_what_is_rolled_back_is_not_counted(database):
    database.meters = meters = Meters()
    async with database.transaction():
        count_once_committed("licet_ledger_postings_total", by=2)
        async with database.transaction():
            count_once_committed("licet_ledger_postings_total", by=5)
    with pytest.raises(ValueError, match="no"):
        async with database.transaction():
            count_once_committed("licet_ledger_postings_total", by=100)
            raise ValueError("no")
    count_once_committed("licet_ledger_postings_total", by=1000)  # in no transaction: there is nothing to commit
    assert samples(meters.text().decode())["licet_ledger_postings_total", ()] == 7


async def test_tallies_of_tasks_side_by_side_never_meet():
    meters = Meters()

    async def one(number: int) -> None:
        tally = Tally()
        tally.begin()
        await asyncio.sleep(0)
        count_once_committed("licet_ledger_postings_total", by=number)
        await asyncio.sleep(0)
        tally.end(meters if number % 2 else None)

    await asyncio.gather(*(one(number) for number in range(10)))
    assert samples(meters.text().decode())["licet_ledger_postings_total", ()] == 1 + 3 + 5 + 7 + 9


async def test_connections_in_use_and_waited_for_are_told(database):
    database.meters = meters = Meters()

    def now() -> tuple[float, float]:
        found = samples(meters.text().decode())
        return found["licet_database_connections_in_use", ()], found["licet_database_connections_waiting", ()]

    async with database.acquire(), database.acquire():
        while now() != (2, 0):
            await asyncio.sleep(0.01)
    release = asyncio.Event()

    async def hold() -> None:
        async with database.acquire():
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(9)]  # one more than there are connections
    while now() != (8, 1):
        await asyncio.sleep(0.01)
    release.set()
    await asyncio.gather(*holders)
    while now() != (0, 0):
        await asyncio.sleep(0.01)


async def test_nothing_that_callers_write_becomes_a_series(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:

        async def call(number: int) -> None:
            odd = f"x{number}"
            await service.http.get(f"/{odd}", headers={"X-Request-Id": f"request-{number}"})
            await service.http.get(f"/v1/works/{odd}?q={odd}")
            await service.http.get(f"/log/tile/0/{odd}")
            await service.http.request(odd.upper(), "/v1/me")
            await service.post("/v1/licensing/query", {"rows": [{"url": f"https://{odd}.example/"}], "request": {}})
            await service.http.put(f"/v1/uploads/{number:064x}", content=b"x")

        await call(0)
        await asked(service)  # which is a request as well
        before = set(await asked(service))
        for number in range(1, 30):
            await call(number)
        assert set(await asked(service)) - before == set()
        assert len(before) < 400


async def test_without_its_database_the_numbers_of_the_process_are_told(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        await service.http.get("/health/live")
        await service.services.database.close()
        found = await asked(service)
        assert found["licet_database_up", ()] == 0
        assert ("licet_log_size", ()) not in found
        assert found["licet_requests_total", (("method", "GET"), ("route", "/health/live"), ("status", "200"))] == 1


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
async def test_metrics_are_for_this_machine_and_never_through_a_proxy(dsn, tmp_path, header):
    async with running(dsn, tmp_path) as service:
        assert (await service.http.get("/metrics", headers={header: "203.0.113.7"})).status_code == 401
        async with outside(service) as far:
            answer = await far.get("/metrics", headers={"Authorization": "Bearer "})
            assert answer.status_code == 401
            assert "licet_" not in answer.text
        async with outside(service, "::1") as near:
            assert (await near.get("/metrics")).status_code == 200


async def test_a_token_opens_metrics_from_anywhere(dsn, tmp_path):
    async with running(dsn, tmp_path, metrics_token=TOKEN) as service, outside(service) as far:
        for given, status in ((f"Bearer {TOKEN}", 200), (f"Bearer {TOKEN}x", 401), (f"Basic {TOKEN}", 401), ("é", 401)):
            headers = {b"Authorization": given.encode("utf-8")}
            assert (await far.get("/metrics", headers=headers)).status_code == status, given
        assert (await service.http.get("/metrics")).status_code == 200


async def test_scrapes_one_after_another_look_at_the_database_once(dsn, tmp_path, monkeypatch):
    async with running(dsn, tmp_path) as service:
        looked = 0
        look = service.app.state.readiness.look

        async def counting():
            nonlocal looked
            looked += 1
            return await look()

        monkeypatch.setattr(service.app.state.readiness, "look", counting)
        for _ in range(3):
            await asked(service)
        assert looked == 1
        monkeypatch.setattr("registry.health.readiness._RECENT", -1.0)
        await asked(service)
        assert looked == 2
        answer = await service.http.get("/health/ready")  # which is never of a moment ago
        assert answer.status_code in (200, 503)
        assert looked == 3
