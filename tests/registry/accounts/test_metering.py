"""Requests and keys are counted, answers say how it stands, and a full quota is a 429 that says when."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.accounts.metering import address_of
from registry.errors import DatabaseUnavailable
from registry.settings import Settings
from tests.registry.harness import running

pytestmark = pytest.mark.anyio


async def test_every_counted_answer_tells_how_it_stands(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, quota_requests="5/1h", quota_anonymous="100/1h") as service:
        ada = await service.account()
        first = await ada.http.get("/v1/me")
        assert first.headers["ratelimit-policy"] == '"default";q=5;w=3600'
        assert re.fullmatch(r'"default";r=4;t=3[56]\d\d', first.headers["ratelimit"])
        for left in (3, 2, 1, 0):
            answer = await ada.http.get("/v1/works")
            assert answer.headers["ratelimit"].startswith(f'"default";r={left};')
        full = await ada.http.get("/v1/me")
        assert full.status_code == 429
        assert full.json()["type"].endswith("/quota-exceeded")
        assert full.headers["ratelimit"].startswith('"default";r=0;')
        assert 3500 < int(full.headers["retry-after"]) <= 3600
        bob = await service.account(name="Bob")
        assert (await bob.http.get("/v1/me")).status_code == 200
        for path in ("/health/ready", "/log/checkpoint", "/metrics"):
            assert "ratelimit" not in (await ada.http.get(path)).headers


async def test_keys_are_counted_not_requests(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, quota_keys="3000/1h", quota_anonymous_keys="10/1h") as service:
        lab = await service.account("organisation")
        for http, amount, left in ((lab.http, 1_000, 2_000), (service.http, 4, 6)):
            answer = await lookup(http, amount)
            assert f'"keys";r={left};' in answer.headers["ratelimit"]
        assert (await lookup(service.http, 7)).status_code == 429
        refused = await lookup(lab.http, 2_001)
        assert refused.status_code == 429
        assert refused.headers["ratelimit"].count(";r=") == 2


async def lookup(http: httpx.AsyncClient, keys: int) -> httpx.Response:
    return await http.post("/v1/licensing/lookup", params={"use": "train-gen"}, content=bytes(32 * keys))


async def test_accounts_are_opened_only_so_fast_from_one_address(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, quota_accounts="2/1h", trusted_proxies="127.0.0.0/8") as service:
        for _ in range(2):
            await service.account()
        answer = await service.post("/v1/accounts", {})
        assert (answer.status_code, '"accounts"' in answer.headers["ratelimit"]) == (429, True)
        elsewhere = service.client()
        elsewhere.headers["X-Forwarded-For"] = "10.1.2.3"
        other = await service.post("/v1/accounts", {}, http=elsewhere)
        assert other.status_code == 400, "the address that the proxy names has opened none"


async def test_guessing_tokens_is_counted_by_address(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, quota_anonymous="3/1h") as service:
        guess = service.client("lct_" + "0" * 36)
        assert [(await guess.get("/v1/me")).status_code for _ in range(4)] == [401, 401, 401, 429]


async def test_where_the_count_is_not_to_be_had_reads_go_on_and_writes_do_not(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(dsn, tmp_path) as service:
        await service.account()  # the log has begun

        async def gone(*_: Any) -> None:
            raise DatabaseUnavailable("the count is away")

        monkeypatch.setattr(service.services.quotas, "spend", gone)
        assert (await service.http.get("/v1/registry")).status_code == 200
        assert (await service.post("/v1/accounts", {})).status_code == 503
        assert (await lookup(service.http, 1)).status_code == 503


PROXIES = "10.0.0.0/8,fd00::/8"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody whom we trust wrote it
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("2001:db8:1:2:3::4", None, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", None, "203.0.113.9"),
        ("fd00::1", "2001:db8::1", "2001:db8::/64"),
    ],
)
def test_the_address_is_the_last_that_is_no_proxy_of_ours(peer: str, forwarded: str | None, expected: str) -> None:
    headers = [] if forwarded is None else [(b"X-Forwarded-For", forwarded.encode())]
    settings = Settings.load(data=Path("unused"), trusted_proxies=PROXIES)
    assert address_of({"client": (peer, 1), "headers": headers}, settings) == expected  # type: ignore[typeddict-item]
