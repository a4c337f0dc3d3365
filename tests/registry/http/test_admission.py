"""What no handler should see is refused by name; bodies are cut off while they come; answers come in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from registry.accounts.idempotency import READS
from registry.http import admission
from registry.running import serving
from registry.services import Services
from tests.registry.app.fuzzing import served
from tests.registry.harness import Account, Running, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Running, Account]]:
    async with running(dsn, tmp_path) as service:
        yield service, await service.account("organisation")


def told(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, str(body["type"]).rpartition("/")[2], str(body["detail"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lmit=5", "?lmit: expected one of the parameters of this address: q, external_id"),
        ("limit=5&limit=6", "?limit: expected one value, got '2 values'"),
        ("q=%ff", "expected a query of at most 1000 parameters in UTF-8"),
        ("q=a%00b", "?q: expected text without the character U+0000"),
        ("%00=a", "?\0: expected one of the parameters"),
        ("withdrawn=null", "?withdrawn: expected a value, or no such parameter, got 'null'"),
        ("withdrawn=perhaps", "?withdrawn: expected"),
        ("limit=99999999999999999999999999", "?limit: expected"),
        ("limit=-1", "?limit: expected"),
        ("limit=1.5", "?limit: expected"),
        ("sort=digest", "?sort: expected"),
        ("cursor=", "?cursor: expected"),
        ("cursor=%F0%9F%98%80", "?cursor: expected"),
        ("&".join(f"a{n}=1" for n in range(1001)), "expected a query of at most 1000 parameters"),
    ],
)
async def test_a_query_that_is_not_understood_is_refused_by_name(
    lab: tuple[Running, Account], query: str, expected: str
) -> None:
    status, slug, detail = told(await lab[1].http.get(f"/v1/works?{query}"))
    assert (status, slug) == (400, "invalid-request")
    assert detail.startswith(expected), detail


async def test_a_parameter_that_may_come_several_times_may(lab: tuple[Running, Account]) -> None:
    answer = await lab[1].http.post("/v1/licensing/lookup?use=train-gen&use=search", content=bytes(32))
    assert answer.status_code == 200, answer.text


async def test_what_is_too_long_is_refused(lab: tuple[Running, Account]) -> None:
    _, who = lab
    assert told(await who.http.get("/v1/works?q=" + "a" * 8_192))[:2] == (414, "uri-too-long")
    assert told(await who.http.get("/v1/works", headers={"X-Long": "a" * 33_000}))[:2] == (431, "headers-too-large")
    status, slug, detail = told(await who.http.post("/v1/accounts", content=b" " * 65_537))
    assert (status, slug) == (413, "too-large")
    assert detail == "expected a body of at most 65536 bytes, got 65537"
    assert told(await who.http.request("GET", "/v1/works", content=b"{}"))[:2] == (413, "too-large")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
async def test_an_encoded_body_is_refused(lab: tuple[Running, Account], encoding: str) -> None:
    answer = await lab[1].http.post("/v1/licensing/query", content=b"{}", headers={"Content-Encoding": encoding})
    assert told(answer)[:2] == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/v1/licensing/query", "text/plain", 415),
        ("/v1/licensing/query", "application/x-www-form-urlencoded", 415),
        ("/v1/licensing/query", "application/json; charset=utf-8", 400),
        ("/v1/licensing/query", None, 400),
        ("/v1/licensing/lookup", "application/json", 415),
    ],
)
async def test_the_media_type_of_a_body_is_checked(
    lab: tuple[Running, Account], path: str, kind: str | None, status: int
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    assert (await lab[1].http.post(path, content=b"{}", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/json", 200),
        ("application/*", 200),
        ("text/html, application/xhtml+xml, */*;q=0.8", 200),
        ("application/problem+json", 200),
        ("image/png", 406),
        ("", 200),
    ],
)
async def test_an_answer_in_another_form_is_not_to_be_had(
    lab: tuple[Running, Account], accept: str, status: int
) -> None:
    assert (await lab[1].http.get("/v1/me", headers={"Accept": accept})).status_code == status


async def test_methods_are_as_http_has_them(lab: tuple[Running, Account]) -> None:
    service, who = lab
    whole, head = await who.http.get("/v1/me"), await who.http.head("/v1/me")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    for method, path, allowed in (
        ("DELETE", "/v1/me", {"GET", "OPTIONS"}),
        ("HEAD", "/v1/accounts", {"POST", "OPTIONS"}),
        ("BREW", "/v1/works", {"GET", "POST", "OPTIONS"}),
    ):
        answer = await who.http.request(method, path)
        assert answer.status_code == 405, (method, path)
        assert set(answer.headers["allow"].split(", ")) >= allowed
    options = await who.http.options("/v1/works")
    assert options.status_code == 204
    assert {"GET", "POST"} <= set(options.headers["allow"].split(", "))
    assert (await who.http.get("/v1/me/")).status_code == 200
    assert (await service.http.get("/")).json()["description"] == "/openapi.json"


async def test_pages_of_other_sites_may_read_what_is_public_and_nothing_else(lab: tuple[Running, Account]) -> None:
    service, who = lab
    assert (await service.http.get("/log/checkpoint")).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in (await who.http.get("/v1/me")).headers


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a\\u0000b", "envelope": null}',
        b'{"name": "\\ud800", "envelope": {}}',
        b'{"name": "\xff"}',
        b"\xff\xfe{}",
        b'{"expires_in_days": 1e400, "scopes": ["query"]}',
        b'{"expires_in_days": 999999999999999999999999, "scopes": ["query"]}',
        b'{"expires_in_days": -9223372036854775808, "scopes": ["query"]}',
        b'{"scopes": ["qu\\u0000ery"]}',
        b"NaN",
        b"",
    ],
)
async def test_odd_json_is_the_callers(lab: tuple[Running, Account], body: bytes) -> None:
    service, who = lab
    for path in ("/v1/tokens", "/v1/accounts", "/v1/works", "/v1/licensing/query"):
        answer = await service.post(path, body, http=who.http)
        assert answer.status_code == 400, (path, answer.text)


@asynccontextmanager
async def slow(dsn: str, data: Path) -> AsyncIterator[tuple[Running, str]]:
    @get("/v1/slow", opt={"seconds": 0.3})
    async def sleeper(services: NamedDependency[Services]) -> None:
        async with services.database.transaction() as conn:
            await conn.fetchval("select pg_sleep(30) /* slow on purpose */")

    @post("/v1/read", opt=READS, request_max_body_size=1_000)
    async def reader(body: RawBody) -> dict[str, int]:
        return {"size": len(body)}

    async with running(dsn, data) as service:
        for route in (sleeper, reader):
            service.app.register(route)
        async with served(service) as url:
            yield service, url


async def test_what_takes_too_long_is_stopped_in_the_database_too(dsn: str, tmp_path: Path) -> None:
    async with slow(dsn, tmp_path) as (service, url), httpx.AsyncClient(base_url=url) as http:
        answers = await asyncio.gather(*(http.get("/v1/slow") for _ in range(12)))
        for answer in answers:
            assert told(answer)[:2] == (503, "timed-out")
            assert answer.headers["retry-after"] == "1"
        async with service.services.database.acquire() as conn:
            running_still = "select count(*) from pg_stat_activity where query like '%slow on purpose%' and pid <> "
            while await conn.fetchval(running_still + "pg_backend_pid() and state = 'active'"):
                await asyncio.sleep(0.02)
        while (await http.get("/health/ready")).status_code != 200:  # the log may be published only now
            await asyncio.sleep(0.02)


async def raw(url: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send ``parts`` over one connection, with pauses; return what comes back until the other side has answered."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answering = asyncio.create_task(reader.read(4_096))
    try:
        for part in parts:
            if answering.done():
                break
            writer.write(part)
            await asyncio.sleep(pause)
        return await asyncio.wait_for(answering, 20)
    finally:
        writer.close()


HEAD = b"POST /v1/read HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def test_a_body_without_end_is_cut_off_where_it_passes_the_limit(dsn: str, tmp_path: Path) -> None:
    async with slow(dsn, tmp_path) as (_, url):
        chunk = b"100\r\n" + b"a" * 256 + b"\r\n"
        assert b" 201 " in await raw(url, CHUNKED, chunk, b"0\r\n\r\n")
        answer = await raw(url, CHUNKED, *[chunk] * 5, pause=0.05)  # no end: the answer does not wait for one
        assert b" 413 " in answer
        assert b"at most 1000 bytes" in answer


async def test_a_body_that_stands_still_or_drips_is_cut_off(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with slow(dsn, tmp_path) as (_, url):
        announced = HEAD + b"Content-Length: 900\r\n\r\n"
        monkeypatch.setattr(admission, "BODY_PAUSE", 0.3)
        answer = await raw(url, announced, b"a" * 10)
        assert b" 408 " in answer
        assert b"part of the body" in answer
        monkeypatch.setattr(admission, "BODY_PAUSE", 10.0)
        monkeypatch.setattr(admission, "BODY_GRACE", 0.2)
        dripped = await raw(url, announced, *[b"a"] * 30, pause=0.05)
        assert b" 408 " in dripped
        assert b"bytes a second or more" in dripped


async def test_a_body_that_breaks_off_or_is_no_body_is_the_senders(
    dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with slow(dsn, tmp_path) as (_, url):
        answer = await raw(url, CHUNKED, b"no size of a chunk\r\n")
        assert b" 400 " in answer
        assert b"the end of the connection" in answer
    assert "Traceback" not in capsys.readouterr().out


async def test_connections_that_say_nothing_are_closed_and_others_answered(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CONNECTIONS", 64)
    monkeypatch.setattr(serving, "HEADERS_WITHIN", 500)
    async with slow(dsn, tmp_path) as (_, url):
        host, port = url.removeprefix("http://").split(":")
        for said in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"):
            idle = [await asyncio.open_connection(host, int(port)) for _ in range(80)]
            for _, writer in idle:
                writer.write(said)
            async with httpx.AsyncClient(base_url=url, timeout=20) as http:
                assert (await http.get("/health/live")).status_code == 200
            for _, writer in idle:
                writer.close()


async def test_of_an_answer_that_says_nothing_of_it_no_copy_is_kept(lab: tuple[Running, Account]) -> None:
    service, who = lab
    for http, path in ((who.http, "/v1/me"), (who.http, "/v1/works"), (who.http, "/nothing"), (service.http, "/")):
        answer = await http.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (await service.http.get("/log/vkey")).headers["cache-control"] == "no-cache"


def test_every_route_says_how_large_and_how_long(api: dict[str, Any]) -> None:
    for item in api["paths"].values():
        for operation in item.values():
            limits = operation["x-limits"]
            assert 0 < limits["seconds"] <= 900
            assert ("body" in limits) == ("requestBody" in operation)
            assert limits.get("body", 1) > 0
