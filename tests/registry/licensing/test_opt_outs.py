"""The opt-out question of other registries' clients: one item a line, as asked, and nothing by halves."""

from __future__ import annotations

import httpx
import pytest

from registry.accounts import metering
from registry.settings import Rate
from tests.registry.harness import Running
from tests.registry.market import problem, trainer

pytestmark = pytest.mark.anyio
URLS = "/api/v2/query/urls/"
TEXT = {"Content-Type": "text/plain"}


async def ask(http: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await http.post(URLS, content=body, headers=TEXT | headers)


async def test_lines_are_echoed_as_they_came_and_what_cannot_be_read_opts_out(site: Running):
    lab = await trainer(site)
    lines = ["https://x.example/金鱼?b=%C3%A9", "HTTPS://X.example:443/a b", "", "nonsense", "https://y.example/\r"]
    answer = await ask(lab.http, "\n".join(lines).encode())
    assert answer.status_code == 200
    assert answer.json() == {
        "urls": [{"url": url, "optOut": "://" not in url.lower(), "optIn": False} for url in lines]
    }
    assert (await ask(lab.http, b"https://x.example/\n")).json()["urls"][0]["url"] == "https://x.example/"


async def test_a_key_may_be_named_as_other_registries_name_it_here_and_nowhere_else(site: Running):
    lab = await trainer(site)
    named = {"Authorization": lab.http.headers["Authorization"].replace("Bearer", "API")}
    assert (await ask(site.http, b"https://x.example/", **named)).status_code == 200
    assert (await site.http.get("/v1/me", headers=named)).status_code == 401
    assert (await ask(site.http, b"https://x.example/")).status_code == 401


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "body: expected 1 to 10000 lines, got 0"),
        (b"https://x.example/\n" * 10_001, "body: expected 1 to 10000 lines, got 10001"),
        (b"https://x.example/\xff", "body: expected addresses in UTF-8, a line each, got 'byte 0xff'"),
    ],
)
async def test_what_makes_no_sense_is_refused(site: Running, body: bytes, told: str):
    lab = await trainer(site)
    refused = await ask(lab.http, body)
    assert problem(refused)[0] == 400
    assert refused.json()["detail"] == told


async def test_over_the_quota_it_is_429_and_never_half_an_answer(site: Running, monkeypatch: pytest.MonkeyPatch):
    lab = await trainer(site)
    monkeypatch.setattr(metering, "rate_for", lambda *_: Rate(10, 3600))
    assert (await ask(lab.http, b"https://x.example/\n" * 9)).status_code == 200
    refused = await ask(lab.http, b"https://x.example/\n" * 9)
    assert problem(refused)[0] == 429
    assert "urls" not in refused.json()
