"""One effect a request, whatever happens to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller, require
from registry.errors import Conflict
from tests.registry.harness import Account, Running, running
from tests.registry.partitions import wire

pytestmark = pytest.mark.anyio


class Order(msgspec.Struct, forbid_unknown_fields=True):
    what: str


class Shop:
    """A domain with one write, which counts its effects and does as it is told."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()

        @post("/v1/orders", guards=[require("query")], request_max_body_size=200)
        async def order(
            caller: NamedDependency[Caller], data: JSONBody[Order], x: FromQuery[int | None] = None
        ) -> Response[dict[str, Any]]:
            self.effects.append(data.what)
            await self.hold.wait()
            if data.what == "taken":
                raise Conflict("it is gone")
            if data.what == "broken":
                raise ZeroDivisionError
            headers = {"Location": "/v1/orders/1"}
            return Response({"number": len(self.effects), "who": caller.id}, status_code=202, headers=headers)

        @post("/v1/questions", opt=READS, status_code=200)
        async def question(data: JSONBody[Order]) -> dict[str, str]:
            return {"answer": data.what}

        self.routes = [order, question]


@asynccontextmanager
async def shop(dsn: str, data: Path) -> AsyncIterator[tuple[Running, Shop, Account]]:
    async with running(dsn, data) as service:
        opened = Shop()
        for route in opened.routes:
            service.app.register(route)
        yield service, opened, await service.account()


async def order(account: Account, what: str, key: str | None = '"k1"') -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await account.http.post("/v1/orders", json={"what": what}, headers=headers)


async def test_a_repeated_request_gets_its_answer_again_and_has_one_effect(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (service, opened, ada):
        first = await order(ada, "tea")
        again = await order(ada, "tea")
        assert (
            (first.status_code, first.json())
            == (again.status_code, again.json())
            == (202, {"number": 1, "who": ada.id})
        )
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
        assert opened.effects == ["tea"]
        # Another key, or another account with the same key, is another request.
        bob = await service.account()
        assert (await order(ada, "tea", '"k2"')).json()["number"] == 2
        assert (await order(bob, "tea")).json() == {"number": 3, "who": bob.id}


async def test_a_key_means_one_request(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        await order(ada, "tea")
        other = await order(ada, "coffee")
        assert (other.status_code, other.json()["type"]) == (
            422,
            "https://licet.example/problems/idempotency-key-reused",
        )
        with_query = await ada.http.post("/v1/orders?x=1", json={"what": "tea"}, headers={"Idempotency-Key": '"k1"'})
        assert with_query.status_code == 422
        assert opened.effects == ["tea"]


BAD_KEYS = ("", "k", '"', '""', '"é"', "'k'", '"' + "k" * 256 + '"', '"a"b"', '"\\n"')


async def test_a_key_is_a_quoted_string(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        for key in (None, *BAD_KEYS):
            headers = [] if key is None else [(b"Idempotency-Key", key.encode())]
            answer = await ada.http.post("/v1/orders", json={"what": "tea"}, headers=headers)
            assert answer.status_code == 400, key
            assert answer.json()["errors"][0]["expected"].startswith("a quoted string")
        assert opened.effects == []
        assert (await order(ada, "tea", '"' + "k" * 255 + '"')).status_code == 202
        assert (await order(ada, "tea", r'"a \"b\" \\ ~"')).status_code == 202


async def test_a_request_under_way_is_not_begun_twice(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        opened.hold.clear()
        first = asyncio.create_task(order(ada, "tea"))
        while not opened.effects:
            await asyncio.sleep(0.001)
        second = await order(ada, "tea")
        assert (second.status_code, second.json()["type"].rsplit("/", 1)[1]) == (409, "request-in-progress")
        assert second.headers["retry-after"] == "1"
        assert (await order(ada, "coffee")).status_code == 422
        opened.hold.set()
        assert (await first).status_code == 202
        assert (await order(ada, "tea")).headers["idempotency-replayed"] == "true"
        assert opened.effects == ["tea"]


async def test_an_answer_without_effect_frees_the_key(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        assert (await order(ada, "taken")).status_code == 409
        assert (await order(ada, "taken")).status_code == 409
        assert (await order(ada, "broken")).status_code == 500
        assert (
            await ada.http.post("/v1/orders", json={"x": 1}, headers={"Idempotency-Key": '"k1"'})
        ).status_code == 400
        assert (await order(ada, "tea")).status_code == 202
        assert opened.effects == ["taken", "taken", "broken", "tea"]


async def test_a_crash_in_flight_frees_the_key_after_a_minute(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (service, opened, ada):
        opened.hold.clear()
        crashed = asyncio.create_task(order(ada, "tea"))
        while not opened.effects:
            await asyncio.sleep(0.001)
        async with service.services.database.acquire() as conn:
            await conn.execute("update idempotency set started_at = now() - interval '59 seconds'")
            assert (await order(ada, "tea")).status_code == 409
            await conn.execute("update idempotency set started_at = now() - interval '61 seconds'")
            retried = asyncio.create_task(order(ada, "tea"))
            while len(opened.effects) < 2:
                await asyncio.sleep(0.001)
            opened.hold.set()
            assert (await retried).json()["number"] == 2
            await crashed  # it was only slow: its late answer replaces nothing
            row = await conn.fetchrow("select status, body from idempotency")
        assert row is not None
        assert (row["status"], msgspec.json.decode(row["body"])["number"]) == (202, 2)


@pytest.mark.parametrize(("what", "status"), [("tea", 202), ("taken", 409)])
async def test_an_answer_is_given_though_the_database_went_away_before_it_was_kept(dsn, tmp_path, what, status):
    async with wire(dsn) as line, shop(line.dsn, tmp_path) as (_, opened, ada):
        opened.hold.clear()
        asking = asyncio.create_task(order(ada, what))
        while not opened.effects:
            await asyncio.sleep(0.005)
        line.cut("refuses")
        opened.hold.set()
        answer = await asking
        line.cut("passes")
        assert answer.status_code == status
        assert answer.json()
        again = await order(ada, what)
        assert again.json()["type"].endswith("request-in-progress")


async def test_a_caller_who_hangs_up_leaves_the_key_free(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        opened.hold.clear()
        left = asyncio.create_task(order(ada, "tea"))
        while not opened.effects:
            await asyncio.sleep(0.001)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        opened.hold.set()
        assert (await order(ada, "tea")).status_code == 202


async def test_who_may_not_ask_leaves_no_trace(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (service, opened, ada):
        made = await service.post("/v1/tokens", {"scopes": ["account"]}, http=ada.http)
        narrow = service.client(made.json()["token"])
        headers = {"Idempotency-Key": '"k1"'}
        assert (await service.http.post("/v1/orders", json={"what": "tea"}, headers=headers)).status_code == 401
        assert (await narrow.post("/v1/orders", json={"what": "tea"}, headers=headers)).status_code == 403
        async with service.services.database.acquire() as conn:
            assert await conn.fetchval("select count(*) from idempotency") == 0
        assert opened.effects == []


async def test_a_body_over_the_limit_is_refused_before_it_is_kept(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (_, opened, ada):
        answer = await order(ada, "x" * 300)
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (413, "too-large")
        assert opened.effects == []


async def test_questions_need_no_key(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (service, _, _ada):
        answer = await service.http.post("/v1/questions", json={"what": "why"})
        assert (answer.status_code, answer.json()) == (200, {"answer": "why"})


async def test_a_kept_answer_is_not_for_a_token_that_may_not_ask(dsn, tmp_path):
    async with shop(dsn, tmp_path) as (service, opened, ada):
        assert (await order(ada, "tea")).status_code == 202
        made = await service.post("/v1/tokens", {"scopes": ["account"]}, http=ada.http)
        async with service.client(made.json()["token"]) as narrow:
            answer = await narrow.post("/v1/orders", json={"what": "tea"}, headers={"Idempotency-Key": '"k1"'})
        assert answer.status_code == 403
        assert "idempotency-replayed" not in answer.headers
        assert opened.effects == ["tea"]
