"""The application around the domains: health, numbers, the log's files, errors nobody foresaw."""

from __future__ import annotations

import asyncio
import re

import pytest
from litestar import get

from licet.log.note import Verifier
from registry.app import create_app
from registry.errors import DatabaseUnavailable, MigrationError, StartError
from registry.services import started
from registry.settings import Settings
from tests.registry.harness import running, verify_whole_log

pytestmark = pytest.mark.anyio


async def until_ready(http):
    while (answer := await http.get("/health/ready")).status_code != 200:
        await asyncio.sleep(0.01)
    return answer


async def idle(services, stop):
    await stop.wait()


async def test_ready_speaks_of_what_requests_need(dsn, tmp_path):
    async with running(dsn, tmp_path, {"nothing": idle}) as service:
        assert (await service.http.get("/health/live")).json() == {"status": "live"}
        answer = await service.http.get("/health/ready")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "worker" in answer.json()["detail"]
        assert (await service.http.get("/log/checkpoint")).status_code == 503
    async with running(dsn, tmp_path) as service:
        assert (await until_ready(service.http)).json()["log_size"] == 5
    async with running(dsn, tmp_path, {"nothing": idle}) as service:
        async with service.services.database.acquire() as conn:
            await conn.execute(
                "with late as (insert into log_pending (kind, subject, envelope, salt, submitted_at)"
                " values ('consent', 'stm_late', 'x', 'y', now() - interval '20 seconds') returning id)"
                " insert into log_queue select id from late"
            )
        answer = await service.http.get("/health/ready")
        assert answer.status_code == 503
        assert re.search(r"pending for 2\d s", answer.json()["detail"])
        numbers = (await service.http.get("/metrics")).text
        assert "licet_log_size 5.0" in numbers
        assert "licet_log_pending 1.0" in numbers


async def test_without_its_database_the_service_says_so_in_every_answer(dsn, tmp_path):
    async with running(dsn, tmp_path, {"nothing": idle}) as service:
        ada = service.client("lct_" + "0" * 30 + "000000")
        await service.services.database.close()
        for path in ("/health/ready", "/v1/registry"):
            answer = await service.http.get(path)
            assert answer.status_code == 503, path
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await ada.get("/health/live")).status_code == 200


async def test_the_log_is_served_to_be_cached_and_checked(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        await service.account()
        signed = await service.http.get("/log/checkpoint")
        assert signed.headers["content-type"] == "text/plain; charset=utf-8"
        assert signed.headers["cache-control"] == "no-cache"
        key = await service.http.get("/log/vkey")
        verifier = Verifier.from_vkey(key.text.strip())
        entries = verify_whole_log(tmp_path, verifier)
        tile = await service.http.get(f"/log/tile/0/000.p/{len(entries)}")
        assert tile.headers["content-type"] == "application/octet-stream"
        assert tile.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in tile.headers["cache-control"]
        assert len(tile.content) == 32 * len(entries)
        assert (await service.http.get(f"/log/tile/entries/000.p/{len(entries)}")).status_code == 200
        for path in (
            "0/000",
            "0/000.p/0",
            "0/000.p/99",
            "0/../../guard.json",
            "entries/x000/000",
            "9/001",
            "0/0",
            "64/000",
        ):
            answer = await service.http.get(f"/log/tile/{path}")
            assert answer.status_code == 404, path


async def test_errors_nobody_foresaw_say_nothing_and_can_be_found(dsn, tmp_path, capsys):
    @get("/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError("the secret reason")

    async with running(dsn, tmp_path) as service:
        service.app.register(broken)
        answer = await service.http.get("/v1/broken", headers={"X-Request-Id": "req-of-a-test"})
        assert answer.status_code == 500
        assert answer.headers["x-request-id"] == answer.json()["instance"] == "req-of-a-test"
        assert "secret" not in answer.text
        assert "the secret reason" in capsys.readouterr().out


async def test_requests_are_counted_by_route_and_never_by_what_callers_write(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        for path in ("/nowhere/1", "/nowhere/2", "/v1/statements/stm_1", "/v1/statements/stm_2"):
            await service.http.get(path)
        await service.http.request("BREW", "/v1/me")
        numbers = (await service.http.get("/metrics")).text
        assert 'licet_requests_total{method="GET",route="unknown",status="404"} 2.0' in numbers
        assert 'licet_requests_total{method="GET",route="/v1/statements/{statement}",status="400"} 2.0' in numbers
        assert 'method="other"' in numbers
        assert "BREW" not in numbers


async def test_requests_never_share_what_they_know_of_their_caller(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada, bob = await service.account(), await service.account(name="Bob")
        answers = await asyncio.gather(*(each.http.get("/v1/me") for each in (ada, bob) * 10))
        assert [each.json()["account"] for each in answers] == [ada.id, bob.id] * 10


async def test_a_service_that_cannot_start_says_why(empty_dsn, tmp_path):
    settings = Settings.load(database_url=empty_dsn, data=tmp_path)
    with pytest.raises(MigrationError, match=r"lacks 0001_translog\.sql.*licet-registry migrate"):
        async with create_app(settings).lifespan():
            pass
    gone = Settings.load(database_url="postgresql://nobody@127.0.0.1:1/none", data=tmp_path)
    with pytest.raises(DatabaseUnavailable):
        async with started(gone):
            pass


async def test_a_database_of_another_origin_is_refused(dsn, tmp_path):
    async with running(dsn, tmp_path):
        pass
    with pytest.raises(StartError, match=r"got one of localhost/licet"):
        async with started(Settings.load(database_url=dsn, data=tmp_path, origin="other.example/log")):
            pass
