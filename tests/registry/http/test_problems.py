"""Every error of the service is a problem document that names what was wrong, and nothing of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from structlog.testing import capture_logs

from licet import errors as sdk
from licet.canonical import MAX_DEPTH
from licet.wire.common import Problem
from registry.errors import (
    Conflict,
    DatabaseUnavailable,
    Invalid,
    KeyReused,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    QuotaExceeded,
    RegistryError,
    StartError,
    pointer,
)
from registry.http.bodies import StrictRequest
from registry.http.problems import EXCEPTION_HANDLERS, phrase, slug_of
from registry.observing.requests import send_request_id

pytestmark = pytest.mark.anyio


class Amount(msgspec.Struct, forbid_unknown_fields=True):
    micro: Annotated[int, msgspec.Meta(ge=0)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    data: list[Amount]
    gift: bool = False
    notes: dict[str, Any] = {}


RAISED: dict[str, Exception] = {
    "invalid": Invalid.field("terms.train-gen.price", "a price", None),
    "token": NotAuthenticated(),
    "allowed": NotAllowed("expected the scope license, got query"),
    "missing": NotFound("there is no work wrk_1"),
    "conflict": Conflict("expected seq 4, got 3"),
    "key": KeyReused("the key was used for another payload"),
    "quota": QuotaExceeded("1000 keys an hour are used up", retry_after=60),
    "database": DatabaseUnavailable("no connection to the database at secret.example:5432/licet"),
    "start": StartError("secret: a path of ours"),
    "sdk-input": sdk.InputError.field("uses[1]", "one of ten", "x"),
    "sdk-picture": sdk.PictureError("not a picture", why="truncated"),
    "sdk-verify": sdk.VerificationError("signature does not hold"),
    "sdk-expired": sdk.ExpiredError("the quote has expired"),
    "sdk-conflict": sdk.ConflictError("same id"),
    "sdk-root": sdk.LicetError("secret: never seen"),
    "bug": RuntimeError("secret: never seen"),
    "key-error": KeyError("secret"),
}


@get("/raise/{name:str}")
async def raise_it(name: FromPath[str]) -> None:
    raise RAISED[name]


@post("/orders")
async def order(data: JSONBody[Order]) -> Order:
    return data


@get("/numbers/{number:int}")
async def numbers(number: FromPath[int], limit: FromQuery[Annotated[int, msgspec.Meta(le=200)]]) -> int:
    return number + limit


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app: Any = Litestar(
        [raise_it, order, numbers],
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=StrictRequest,
        before_send=[send_request_id],
        openapi_config=None,
        logging_config=None,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as opened:
        yield opened


def read(response: httpx.Response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(response.content, type=Problem)
    assert problem.status == response.status_code
    assert problem.type.startswith("https://licet.example/problems/")
    assert problem.instance == response.headers["x-request-id"]
    assert problem.title
    assert "secret" not in response.text
    return problem


@pytest.mark.parametrize(
    ("name", "status", "slug"),
    [
        ("invalid", 400, "invalid-request"),
        ("token", 401, "not-authenticated"),
        ("allowed", 403, "not-allowed"),
        ("missing", 404, "not-found"),
        ("conflict", 409, "conflict"),
        ("key", 422, "idempotency-key-reused"),
        ("quota", 429, "quota-exceeded"),
        ("database", 503, "unavailable"),
        ("start", 500, "internal"),
        ("sdk-input", 400, "invalid-request"),
        ("sdk-picture", 400, "unreadable-picture"),
        ("sdk-verify", 400, "verification-failed"),
        ("sdk-expired", 409, "expired"),
        ("sdk-conflict", 409, "conflict"),
        ("sdk-root", 500, "internal"),
        ("bug", 500, "internal"),
        ("key-error", 500, "internal"),
    ],
)
async def test_each_error_has_its_status_and_type(client: httpx.AsyncClient, name: str, status: int, slug: str):
    problem = read(await client.get(f"/raise/{name}"))
    assert (problem.status, problem.type.rpartition("/")[2]) == (status, slug)
    assert problem.detail


async def test_headers_say_what_the_caller_may_do(client: httpx.AsyncClient):
    assert (await client.get("/raise/token")).headers["www-authenticate"].startswith("Bearer")
    assert (await client.get("/raise/quota")).headers["retry-after"] == "60"
    assert (await client.get("/raise/database")).headers["retry-after"] == "1"
    response = await client.delete("/orders")
    assert "POST" in response.headers["allow"]
    assert read(response).detail == "expected POST, OPTIONS, got DELETE"


@pytest.mark.parametrize(
    ("body", "place", "expected", "got"),
    [
        ('{"name": 1, "data": []}', "/name", "text", "a whole number"),
        ('{"name": "a", "data": [{"micro": -1, "currency": "EUR"}]}', "/data/0/micro", "a whole number at least 0", ""),
        ('{"name": "a", "data": [{"micro": 1}]}', "/data/0/currency", "a value", "nothing"),
        ('{"data": []}', "/name", "a value", "nothing"),
        ('{"name": "a", "data": [], "extra": 1}', "/extra", "no field of this name", "extra"),
        ("[]", "", "an object", "a list"),
        ('{"name": "a", "data": [], "gift": "true"}', "/gift", "true or false", "text"),
        ('{"name": "a", "data": [], "gift": 1}', "/gift", "true or false", "a whole number"),
        ('{"name": "a", "data": [{"micro": "1", "currency": "EUR"}]}', "/data/0/micro", "a whole number", "text"),
        ('{"name": "a", "data": [{"micro": 1.0, "currency": "EUR"}]}', "/data/0/micro", "a whole number", "a number"),
        ('{"name": null, "data": []}', "/name", "text", "null"),
        ('{"name": "a", "data": null}', "/data", "a list", "null"),
        ("null", "", "an object", "null"),
        ("", "", "a body", "nothing"),
    ],
)
async def test_a_wrong_body_names_the_field(client: httpx.AsyncClient, body: str, place: str, expected: str, got: str):
    problem = read(await client.post("/orders", content=body, headers={"content-type": "application/json"}))
    assert problem.status == 400
    assert [(error.pointer, error.expected, error.got) for error in problem.errors] == [(place, expected, got)]
    assert expected in problem.detail


def nested(levels: int) -> str:
    return '{"name": "a", "data": [], "notes": ' + '{"a":' * levels + "1" + "}" * levels + "}"


async def test_what_a_type_leaves_open_nests_no_deeper_than_what_is_signed(client: httpx.AsyncClient):
    sent = {"content-type": "application/json"}
    assert (await client.post("/orders", content=nested(MAX_DEPTH), headers=sent)).status_code == 201
    for levels in (MAX_DEPTH + 1, 900, 10_000, 100_000):
        problem = read(await client.post("/orders", content=nested(levels), headers=sent))
        assert problem.status == 400
        assert "nest" in problem.detail


async def test_malformed_json_is_a_client_error(client: httpx.AsyncClient):
    problem = read(await client.post("/orders", content="{bad", headers={"content-type": "application/json"}))
    assert problem.status == 400
    assert problem.detail.startswith("expected a body of JSON, got something else at byte 1 (")


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [("/numbers/1", 400, "?limit"), ("/numbers/1?limit=x", 400, "?limit"), ("/numbers/x?limit=1", 404, None)],
)
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, path: str, status: int, place: str | None):
    problem = read(await client.get(path))
    assert problem.status == status
    assert [error.pointer for error in problem.errors] == ([place] if place else [])


async def test_an_unknown_path_says_so(client: httpx.AsyncClient):
    problem = read(await client.get("/nowhere"))
    assert problem.detail == "there is nothing at /nowhere"
    assert problem.type.endswith("/no-such-route")


async def test_the_request_id_is_the_callers_if_it_is_a_plain_word(client: httpx.AsyncClient):
    given = await client.get("/nowhere", headers={"X-Request-Id": "trace-12345678"})
    assert read(given).instance == "trace-12345678"
    for bad in ("short", "x" * 65, "line feed 1234"):
        assert read(await client.get("/nowhere", headers={"X-Request-Id": bad})).instance.startswith("req_")
    good = await client.post("/orders", json={"name": "a", "data": []})
    assert good.headers["x-request-id"].startswith("req_")


async def test_an_unforeseen_error_is_logged_with_the_request_id(client: httpx.AsyncClient):
    with capture_logs() as lines:
        problem = read(await client.get("/raise/bug"))
    (line,) = [line for line in lines if line["event"] == "unhandled error"]
    assert line["request_id"] == problem.instance
    assert isinstance(line["exc_info"], RuntimeError)


def test_pointers_follow_rfc_6901():
    assert pointer("terms.train-gen.price") == "/terms/train-gen/price"
    assert pointer("rows[3].url") == "/rows/3/url"
    assert pointer("a~b/c") == "/a~0b~1c"
    assert pointer("?limit") == "?limit"
    assert pointer("") == ""


def test_every_error_of_the_tree_is_drawn():
    import registry.errors as module

    drawn = module.__doc__ or ""
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, RegistryError):
            assert name in drawn


@pytest.mark.parametrize(
    ("status", "slug"), [(414, "uri-too-long"), (416, "range-not-satisfiable"), (422, "unprocessable-content")]
)
def test_a_problem_type_is_the_same_on_every_python(status: int, slug: str) -> None:
    assert slug_of(status) == slug
    assert phrase(status).lower().replace(" ", "-") == slug
